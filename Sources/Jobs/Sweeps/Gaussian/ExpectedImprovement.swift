import Platform

/// ln of how much a normally distributed value is expected to exceed a threshold.
///
/// The logarithm keeps its slope where the improvement itself is zero in double precision.
/// Source: Ament et al., "Unexpected improvements to expected improvement", NeurIPS 2023.
package struct ExpectedImprovement: Sendable {
  package var threshold: Double

  package init(above threshold: Double) { self.threshold = threshold }

  /// Keeps the deviation above zero where a point has been observed.
  private static let varianceMin = 1e-12

  /// ln E[max(0, y − threshold)] for y of a mean and variance.
  package func value(mean: Double, variance: Double) -> Double {
    let deviation = (variance + Self.varianceMin).squareRoot()
    return Self.standard((mean - threshold) / deviation).value + Mathematics.logarithm(deviation)
  }

  /// The value, and its derivatives with respect to mean and variance.
  package func valueWithSlopes(
    mean: Double, variance: Double
  ) -> (value: Double, meanSlope: Double, varianceSlope: Double) {
    let deviation = (variance + Self.varianceMin).squareRoot()
    let z = (mean - threshold) / deviation
    let (value, slope) = Self.standard(z)
    let byDeviation = (1 - slope * z) / deviation
    return (value + Mathematics.logarithm(deviation), slope / deviation, byDeviation / (2 * deviation))
  }

  /// ln(φ(z) + z · Φ(z)), and its derivative.
  static func standard(_ z: Double) -> (value: Double, slope: Double) {
    if z > -25 {
      let cumulative = NormalDistribution.cumulative(z)
      let total = NormalDistribution.density(z) + z * cumulative
      return (Mathematics.logarithm(total), cumulative / total)
    }
    let x = -z
    let mills = NormalDistribution.millsRatio(x)
    // Beyond 1,000, 1 − x · mills is 1/x² but for parts in a million, and the difference would lose its
    // digits.
    let rest = x < 1_000 ? 1 - x * mills : 1 / (x * x)
    return (NormalDistribution.logDensity(z) + Mathematics.logarithm(rest), mills / rest)
  }
}
