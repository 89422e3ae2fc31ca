import Text

/// Looks for the coordinates where a Gaussian process promises the largest expected improvement.
///
/// It compares many scattered points, then climbs from the best of them: along the slope for parameters with
/// infinitely many values, value by value for the others, in turn until neither finds anything better.
struct AcquisitionSearch {
  private let encoding: GaussianEncoding
  private let process: GaussianProcess
  private let improvement: ExpectedImprovement

  /// Values of a parameter that are all compared; of more, those next to the current one and some jumps.
  private static let comparedMax = 24
  private static let roundsMax = 20

  /// Coordinates, and ln of the improvement that they promise.
  struct Candidate {
    var coordinates: [Double]
    var gain: Double
  }

  init(_ encoding: GaussianEncoding, _ process: GaussianProcess, above threshold: Double) {
    self.encoding = encoding
    self.process = process
    improvement = ExpectedImprovement(above: threshold)
  }

  /// A point and what it promises.
  func candidate(_ coordinates: [Double]) -> Candidate {
    let (mean, variance) = process.posterior(encoding.features(coordinates))
    return Candidate(coordinates: coordinates, gain: improvement.value(mean: mean, variance: variance))
  }

  /// The end of the climb from a point.
  func climb(from start: Candidate) -> Candidate {
    var best = start
    for _ in 0..<Self.roundsMax {
      let before = best.gain
      best = alongSlope(from: best)
      let smooth = best.gain
      for (index, axis) in encoding.axes.enumerated() where axis.count != nil {
        best = overValues(of: index, axis, from: best)
      }
      if best.gain <= smooth || best.gain <= before + 1e-9 { break }
    }
    return best
  }

  private func overValues(
    of parameter: Int, _ axis: GaussianEncoding.Axis, from start: Candidate
  ) -> Candidate {
    guard let count = axis.count, count > 1, encoding.active(start.coordinates)[parameter] else {
      return start
    }
    let current = axis.place(start.coordinates[parameter])
    let jumps = [1, 2, 3, 5, 8, 13, 21, count / 4, count / 2]
    let places =
      axis.isChoice || count <= Self.comparedMax
      ? Array(0..<count) : jumps.flatMap { [current - $0, current + $0] }.filter { (0..<count).contains($0) }
    var best = start
    for place in places where place != current {
      var coordinates = start.coordinates
      coordinates[parameter] = axis.coordinate(place)
      let other = candidate(coordinates)
      if other.gain > best.gain { best = other }
    }
    return best
  }

  /// Climbs in the active parameters with infinitely many values, scaled by their length scales.
  private func alongSlope(from start: Candidate) -> Candidate {
    let active = encoding.active(start.coordinates)
    let free = encoding.axes.indices.filter { active[$0] && encoding.axes[$0].count == nil }
    guard !free.isEmpty else { return start }
    let scales = free.map { 1 / max(1e-3, process.hyper.inverseSquares[$0].squareRoot()) }
    let columns = free.map { encoding.axes[$0].first }
    var features = encoding.features(start.coordinates)
    let minimizer = BoxMinimizer(
      lower: Array(repeating: 0, count: free.count), upper: scales.map { 1 / $0 }, iterationsMax: 50,
      slopeMin: 1e-5)
    let scaled = zip(free, scales).map { start.coordinates[$0] / $1 }
    let end = minimizer.minimize(from: scaled) { place in
      for (index, column) in columns.enumerated() { features[column] = place[index] * scales[index] }
      let at = process.posteriorWithSlopes(features, of: columns)
      let gain = improvement.valueWithSlopes(mean: at.mean, variance: at.variance)
      let slope = scales.indices.map { index in
        -scales[index]
          * (gain.meanSlope * at.meanSlopes[index] + gain.varianceSlope * at.varianceSlopes[index])
      }
      return (-gain.value, slope)
    }
    var coordinates = start.coordinates
    for (index, parameter) in free.enumerated() {
      coordinates[parameter] = min(1, max(0, end.place[index] * scales[index]))
    }
    return -end.value > start.gain ? Candidate(coordinates: coordinates, gain: -end.value) : start
  }
}
