/// What a kernel does with each line of a result before it writes it: fused passes of batch normalisation.
///
/// Maps have the shape of the target; their pointers are at the same channel block of image 0.
package struct Epilogue {
  /// One of `EpilogueKind`.
  package var kind: Int
  /// 16 floats that are added to every line, or nil.
  package var bias: In?
  /// `gradient` and `normalized`: a map that is added, or nil; may be the target.
  package var residual: In?
  /// `gradient`: the map that the normalisation read.
  package var lines: In
  /// `gradient`: the map that came out of the ReLU, where the mask needs it.
  package var output: In
  /// `gradient`: one of `GradientMask`. `normalized`: one of `Rectification`.
  package var mask: Int
  /// `gradient` and `normalized`: the block's constants, as `NormConstants` says.
  package var constants: In
  /// What is summed up, in lines of 16 floats; overwritten.
  ///
  /// `moments`: some line s, Σ(y − s), Σ(y − s)² and, in the first float of a fourth line, the number of
  /// lines. `gradient`: Σg and Σg(x − mean).
  package var sums: Out
  /// Whether lines are written past the caches; the target is aligned to a line.
  package var isStreamed: Bool

  /// See the properties; what a kind does not use may point anywhere.
  package init(
    kind: Int, bias: In?, residual: In?, lines: In, output: In, mask: Int, constants: In, sums: Out,
    isStreamed: Bool
  ) {
    self.kind = kind
    self.bias = bias
    self.residual = residual
    self.lines = lines
    self.output = output
    self.mask = mask
    self.constants = constants
    self.sums = sums
    self.isStreamed = isStreamed
  }
}

/// What an `Epilogue` does besides writing lines.
package enum EpilogueKind {
  /// Nothing.
  @inlinable package static var store: Int { 0 }
  /// Sums up the moments of each channel.
  @inlinable package static var moments: Int { 1 }
  /// Adds the residual, lets the gradient through the ReLU where the mask is open, and sums up what the
  /// backward pass of a normalisation needs.
  @inlinable package static var gradient: Int { 2 }
  /// `y · scale + shift`, plus the residual, through a ReLU if asked for; no bias.
  @inlinable package static var normalized: Int { 3 }
}

/// What follows a normalisation.
package enum Rectification {
  /// Nothing.
  @inlinable package static var none: Int { 0 }
  /// A ReLU.
  @inlinable package static var relu: Int { 1 }
}

/// Floats of an epilogue's sums.
package enum EpilogueSums {
  /// Floats.
  @inlinable package static var count: Int { 64 }
  /// Where the number of lines is.
  @inlinable package static var lines: Int { 48 }
}
