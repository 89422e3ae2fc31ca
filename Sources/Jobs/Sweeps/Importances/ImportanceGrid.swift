import Platform

/// One parameter's values rounded to a grid, and densities over it.
struct ImportanceGrid {
  private let domain: Domain
  /// Number of points.
  let size: Int

  private static let pointsMax = 50
  /// No density is below this.
  private static let least = 1e-12
  /// The least deviation, in points: so much that a normal distribution puts 90 % into its own point.
  private static let deviationMin = 0.5 / 1.64

  init(_ domain: Domain) {
    self.domain = domain
    if case .choice(let values) = domain {
      size = values.count
    } else {
      size = min(domain.count ?? Self.pointsMax, Self.pointsMax)
    }
  }

  /// A density over the points, made of the parameter's observed values.
  func density(_ values: [Scalar]) -> [Double] {
    var counts = Array(repeating: 0.0, count: size)
    for value in values { counts[point(of: value)] += 1 }
    let points = counts.indices.filter { counts[$0] > 0 }
    let weights = points.map { counts[$0] } + [1]
    let kernels = if case .choice = domain { choiceKernels(points) } else { numberKernels(points, counts) }
    let total = weights.reduce(0, +)
    return (0..<size).map { point in
      zip(kernels, weights).reduce(Self.least) { $0 + $1.0[point] * $1.1 / total }
    }
  }

  /// The nearest point; of two, the lower.
  private func point(of value: Scalar) -> Int {
    switch domain {
    case .choice: return domain.index(of: value) ?? 0
    case .int(let low, _, let step):
      let span = Double((domain.count ?? 1) - 1) * Double(step)
      return rounded(((value.double ?? 0) - Double(low)) / span)
    case .uniform(let low, let high): return rounded(((value.double ?? low) - low) / (high - low))
    case .logUniform: return rounded(domain.unit(of: value))
    }
  }

  private func rounded(_ unit: Double) -> Int {
    max(0, min(size - 1, Int((unit * Double(size - 1) - 0.5).rounded(.up))))
  }

  /// One kernel per observed value, and an even one.
  private func choiceKernels(_ points: [Int]) -> [[Double]] {
    let spread = 1 / Double(points.count + 1)
    return points.map { observed in
      (0..<size).map { (spread + ($0 == observed ? 1 : 0)) / (1 + spread * Double(size)) }
    } + [Array(repeating: 1 / Double(size), count: size)]
  }

  /// One normal distribution per observed point, all of Scott's width, and a wide one.
  private func numberKernels(_ points: [Int], _ counts: [Double]) -> [[Double]] {
    let deviation = max(Self.deviationMin, scottDeviation(points, points.map { counts[$0] }))
    let last = Double(size - 1)
    return points.map { kernel(mean: Double($0), deviation: deviation) } + [
      kernel(mean: last / 2, deviation: last + 1)
    ]
  }

  /// The probability of each point's unit interval, given that one of the points is meant.
  private func kernel(mean: Double, deviation: Double) -> [Double] {
    let all = NormalDistribution.logMass((-0.5 - mean) / deviation, (Double(size) - 0.5 - mean) / deviation)
    return (0..<size).map { point in
      let (low, high) = ((Double(point) - 0.5 - mean) / deviation, (Double(point) + 0.5 - mean) / deviation)
      return Mathematics.exponential(NormalDistribution.logMass(low, high) - all)
    }
  }

  /// Scott's rule (1992) for weighted values: 1.059 · min(quartile range / 1.34, deviation) · n^(−1/5).
  private func scottDeviation(_ points: [Int], _ weights: [Double]) -> Double {
    let total = weights.reduce(0, +)
    let mean = zip(points, weights).reduce(0) { $0 + Double($1.0) * $1.1 } / total
    let squares = zip(points, weights).reduce(0) { sum, term in
      sum + (Double(term.0) - mean) * (Double(term.0) - mean) * term.1
    }
    let deviation = (squares / max(1, total - 1)).squareRoot()
    var sums: [Double] = []
    for weight in weights { sums.append((sums.last ?? 0) + weight) }
    let first = sums.firstIndex { $0 >= (total / 4).rounded(.down) } ?? 0
    let third = sums.firstIndex { $0 > (total * 3 / 4).rounded(.down) } ?? points.count - 1
    let range = Double(points[third] - points[first])
    return 1.059 * min(range / 1.34, deviation) * Mathematics.power(total, -0.2)
  }
}
