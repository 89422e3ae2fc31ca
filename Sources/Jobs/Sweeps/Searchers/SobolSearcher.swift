/// Walks along the scrambled Sobol sequence: trial `n` takes the first point, from `n` on, whose
/// configuration is not used.
struct SobolSearcher {
  private let space: SearchSpace

  init(_ space: SearchSpace) { self.space = space }

  /// The configuration of a trial; nil: there is none that is not used.
  func next(_ place: SearchPlace, used: UsedConfigurations) -> Configuration? {
    let (number, seed) = (place.number, place.seed)
    let sequence = SobolSequence(dimensions: space.parameters.count, scrambledBy: seed)
    // A discrete space meets each of its configurations early: this many points are plenty.
    let pointsMax = 64 + 16 * (space.size ?? 0)
    for index in number..<number + pointsMax {
      let candidate = space.configuration(atUnits: sequence.point(index))
      if !used.contains(candidate) { return candidate }
    }
    return used.firstUnused(from: number)
  }
}
