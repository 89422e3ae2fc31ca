/// Where the constants of one block of 16 channels lie for the kernels of batch normalisation: lines of 16
/// floats.
package enum NormConstants {
  /// The batch mean.
  @inlinable package static var mean: Int { 0 }
  /// γ / √(variance + ε).
  @inlinable package static var scale: Int { 16 }
  /// β − mean · scale, so that the result is input · scale + shift.
  @inlinable package static var shift: Int { 32 }
  /// The mean of the gradient behind the ReLU, Σg / M.
  @inlinable package static var gradientMean: Int { 48 }
  /// Σ g (x − mean) / M / (variance + ε).
  @inlinable package static var slope: Int { 64 }
  /// Floats for one block.
  @inlinable package static var count: Int { 80 }
}

/// Which gradients pass the ReLU behind a normalisation.
package enum GradientMask {
  /// All: there is no ReLU.
  @inlinable package static var none: Int { 0 }
  /// Those where input · scale + shift is positive.
  @inlinable package static var recomputed: Int { 1 }
  /// Those where what came out of the ReLU is positive.
  @inlinable package static var output: Int { 2 }
}
