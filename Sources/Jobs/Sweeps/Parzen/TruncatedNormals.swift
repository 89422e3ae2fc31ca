import Platform

/// Normal distributions over one parameter's range, all truncated to it: one per observation, and the prior.
///
/// Numbers are taken by their logarithm for `log_uniform`. A value of `int` has the probability of its step.
struct TruncatedNormals: Sendable {
  private let domain: Domain
  private let low: Double
  private let high: Double
  /// Half of the width that one value stands for; 0: values are points.
  private let halfStep: Double
  private let means: [Double]
  private let deviations: [Double]
  /// ln of the part of each distribution that lies in the range.
  private let logMasses: [Double]

  /// Values of the observations in order; nil: has none, and gets the prior's distribution.
  init(_ domain: Domain, _ values: [Scalar?]) {
    self.domain = domain
    (low, high, halfStep) = Self.range(domain)
    let (low, high) = (low, high)
    let places = values.map { value in value.flatMap(\.double).map { Self.place($0, domain) } }
    let width = high - low
    let widths = Self.deviations(places.compactMap { $0 }, low: low, high: high)
    var next = 0
    var (means, deviations) = ([Double](), [Double]())
    for place in places {
      means.append(place ?? (low + high) / 2)
      deviations.append(place == nil ? width : widths[next])
      if place != nil { next += 1 }
    }
    self.means = means + [(low + high) / 2]
    self.deviations = deviations + [width]
    logMasses = zip(self.means, self.deviations).map { mean, deviation in
      NormalDistribution.logMass((low - mean) / deviation, (high - mean) / deviation)
    }
  }

  private static func range(_ domain: Domain) -> (low: Double, high: Double, halfStep: Double) {
    switch domain {
    case .int(let low, _, let step):
      let last = low + ((domain.count ?? 1) - 1) * step
      let half = Double(step) / 2
      return (Double(low) - half, Double(last) + half, half)
    case .uniform(let low, let high): return (low, high, 0)
    case .logUniform(let low, let high): return (Mathematics.logarithm(low), Mathematics.logarithm(high), 0)
    case .choice: preconditionFailure("a choice has no order")
    }
  }

  private static func place(_ value: Double, _ domain: Domain) -> Double {
    if case .logUniform = domain { Mathematics.logarithm(value) } else { value }
  }

  /// The distance to the farther of both neighbours (of the only one, for the outermost values), between the
  /// range's width and a small part of it: the "magic clip" of Bergstra et al.
  private static func deviations(_ places: [Double], low: Double, high: Double) -> [Double] {
    let order = places.indices.sorted { (places[$0], $0) < (places[$1], $1) }
    let width = high - low
    let least = width / min(100, 2 + Double(places.count))
    var result = Array(repeating: width, count: places.count)
    for (rank, index) in order.enumerated() {
      let below = rank > 0 ? places[index] - places[order[rank - 1]] : nil
      let above = rank + 1 < order.count ? places[order[rank + 1]] - places[index] : nil
      let distance =
        places.count == 1
        ? max(places[index] - low, high - places[index]) : max(below ?? 0, above ?? 0)
      result[index] = min(width, max(least, distance))
    }
    return result
  }

  /// Adds to each term ln of that distribution's density at a value, or of the value's probability.
  func addLogDensities(at value: Scalar, to terms: inout [Double]) {
    let place = Self.place(value.double ?? .nan, domain)
    for kernel in terms.indices {
      let (mean, deviation) = (means[kernel], deviations[kernel])
      let z = (place - mean) / deviation
      let log =
        halfStep == 0
        ? NormalDistribution.logDensity(z) - Mathematics.logarithm(deviation)
        : NormalDistribution.logMass(
          (place - halfStep - mean) / deviation, (place + halfStep - mean) / deviation)
      terms[kernel] += log - logMasses[kernel]
    }
  }

  /// A value drawn from one of the distributions.
  func draw(_ kernel: Int, _ random: inout SweepRandom) -> Scalar {
    // Means lie in the range and deviations within its width, so that a third of all draws are inside.
    while true {
      let drawn = means[kernel] + deviations[kernel] * random.normal()
      guard low <= drawn, drawn <= high else { continue }
      switch domain {
      case .int: return domain.value(atUnit: (drawn - low) / (high - low))
      case .uniform: return .number(drawn)
      case .logUniform(let least, let most):
        return .number(min(most, max(least, Mathematics.exponential(drawn))))
      case .choice: preconditionFailure("a choice has no order")
      }
    }
  }
}
