import Glibc

/// The elementary functions that Swift's library lacks, from the C library, in double precision.
package enum Mathematics {
  /// The natural logarithm.
  package static func logarithm(_ x: Double) -> Double { log(x) }
  /// The natural logarithm of 1 + `x`, exact for small `x` as well.
  package static func logarithm(onePlus x: Double) -> Double { log1p(x) }
  /// e to the power `x`.
  package static func exponential(_ x: Double) -> Double { exp(x) }
  /// e to the power `x`, less 1, exact for small `x` as well.
  package static func exponentialMinusOne(_ x: Double) -> Double { expm1(x) }
  /// `base` to the power `exponent`.
  package static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
  /// The cosine of an angle in radians.
  package static func cosine(_ x: Double) -> Double { cos(x) }
  /// The sine of an angle in radians.
  package static func sine(_ x: Double) -> Double { sin(x) }
  /// The complementary error function, 1 − erf(x), exact for large `x` as well.
  package static func complementaryError(_ x: Double) -> Double { erfc(x) }
}
