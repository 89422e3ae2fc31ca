import Text

/// A way to choose a sweep's next configuration.
///
/// A searcher keeps nothing between calls: the same space, rows, seed and number give the same configuration,
/// whatever has happened since. Rows may come in any order.
package enum Searcher: String, Sendable, Equatable, CaseIterable {
  case grid, random, sobol, tpe, gp

  /// Most trials of a sweep by `gp`, whose work grows with their third power.
  package static let gpTrialsMax = 300
  /// Most configurations of a space that `grid` takes.
  package static let gridMax = 10_000

  /// Whether the values of earlier trials change which configuration is next.
  package var learns: Bool { self == .tpe || self == .gp }

  /// Why this searcher cannot search a space with so many trials; empty: it can.
  package func problems(in space: SearchSpace, maxTrials: Int?) -> [SpaceProblem] {
    switch self {
    case .grid:
      let endless = space.parameters.filter { $0.domain.count == nil }.map {
        SpaceProblem([$0.pointer], "has infinitely many values; grid needs choice or int")
      }
      guard endless.isEmpty else { return endless }
      let size = space.size ?? .max
      let count = space.size.map { "\($0)" } ?? "more than \(SearchSpace.countedMax)"
      return size > Self.gridMax
        ? [SpaceProblem([], "has \(count) configurations; grid takes at most \(Self.gridMax)")] : []
    case .gp:
      let trials = min(maxTrials ?? .max, space.size ?? .max)
      return trials > Self.gpTrialsMax
        ? [SpaceProblem([], "gp takes at most \(Self.gpTrialsMax) trials; set max_trials or take tpe")] : []
    case .random, .sobol, .tpe: return []
    }
  }

  /// The configuration of trial `number`, which is none of `trials`; nil: every configuration has had one.
  package func next(
    _ space: SearchSpace, _ trials: [Trial], mode: ObjectiveMode, seed: UInt64, number: Int
  ) -> Configuration? {
    batch(space, trials, mode: mode, seed: seed, first: number, count: 1).first
  }

  /// The configurations of the trials `first`, `first + 1`, … up to `count` of them, each knowing of those
  /// before it; fewer: every configuration has had a trial.
  package func batch(
    _ space: SearchSpace, _ trials: [Trial], mode: ObjectiveMode, seed: UInt64, first: Int, count: Int
  ) -> [Configuration] {
    var used = UsedConfigurations(space, trials)
    var observations = learns ? Observations(trials, mode: mode) : Observations([], mode: mode)
    var result: [Configuration] = []
    while result.count < count, !used.isExhausted {
      let place = SearchPlace(seed: seed, number: first + result.count)
      guard let next = next(space, observations, used, place) else { break }
      result.append(next)
      used.insert(next)
      observations.addRunning(next)
    }
    return result
  }

  private func next(
    _ space: SearchSpace, _ observations: Observations, _ used: UsedConfigurations, _ place: SearchPlace
  ) -> Configuration? {
    switch self {
    case .grid: return used.firstUnused(from: place.number)
    case .random:
      var random = place.random(.configuration)
      return used.unused(&random) { space.configuration(atUnits: space.point(&$0)) }
    case .sobol: return SobolSearcher(space).next(place, used: used)
    case .tpe: return ParzenSearcher(space, observations, used: used).next(place)
    case .gp: return GaussianSearcher(space, observations, used: used).next(place)
    }
  }
}

/// Which trial of which sweep is asked for: all that random numbers depend on.
struct SearchPlace {
  let seed: UInt64
  let number: Int

  /// The trial's random numbers for a purpose.
  func random(_ purpose: SweepRandom.Purpose) -> SweepRandom {
    SweepRandom(seed: seed, number: number, purpose: purpose)
  }
}

extension SearchSpace {
  /// A random point of the unit cube.
  func point(_ random: inout SweepRandom) -> [Double] { parameters.map { _ in random.uniform() } }
}
