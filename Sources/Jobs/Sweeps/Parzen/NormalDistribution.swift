import Platform

/// The standard normal distribution N(0, 1), in logarithms where probabilities are too small for a `Double`.
package enum NormalDistribution {
  private static let logRootTwoPi = 0.918938533204672741780329736406

  /// ln φ(x), the density.
  package static func logDensity(_ x: Double) -> Double { -0.5 * x * x - logRootTwoPi }

  /// φ(x), the density.
  package static func density(_ x: Double) -> Double { Mathematics.exponential(logDensity(x)) }

  /// Φ(x), the probability of less than `x`.
  package static func cumulative(_ x: Double) -> Double {
    0.5 * Mathematics.complementaryError(-x / 2.0.squareRoot())
  }

  /// ln Φ(x).
  package static func logCumulative(_ x: Double) -> Double {
    x > -20 ? Mathematics.logarithm(cumulative(x)) : logDensity(x) + Mathematics.logarithm(millsRatio(-x))
  }

  /// ln(Φ(b) − Φ(a)) for `a` ≤ `b`.
  package static func logMass(_ a: Double, _ b: Double) -> Double {
    // The far side of zero is mirrored, so that the difference is one of small numbers.
    if a > 0 { return logMass(-b, -a) }
    if b > 0 { return Mathematics.logarithm(onePlus: -cumulative(a) - cumulative(-b)) }
    let (lower, upper) = (logCumulative(a), logCumulative(b))
    return upper + Mathematics.logarithm(onePlus: -Mathematics.exponential(lower - upper))
  }

  /// (1 − Φ(x)) / φ(x) for `x` ≥ 20, by Laplace's continued fraction x + 1/(x + 2/(x + 3/(x + …))), whose
  /// first twelve terms give all digits there.
  package static func millsRatio(_ x: Double) -> Double {
    var value = x
    for term in stride(from: 12.0, through: 1, by: -1) { value = x + term / value }
    return 1 / value
  }
}
