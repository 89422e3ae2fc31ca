import KernelsABI

/// A linear map from some values to others, applied along one dimension of a tile.
///
/// A value is one register: some channels at one pixel. A line of 16 channels takes as many turns as it has
/// registers, so that all values of a map stay in registers.
protocol LineTransform {
  /// Values read.
  static var inputs: Int { get }
  /// Values written.
  static var outputs: Int { get }
  /// Reads each of `0..<inputs`, then writes each of `0..<outputs`.
  static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void)
}

/// The transforms of Winograd's convolution F(m×m, 3×3) (Lavin and Gray, 2015), in one dimension.
///
/// With d the input, g the weight and y the output: `y = Aᵀ[(G g) ⊙ (Bᵀ d)]`.
protocol WinogradKernel {
  /// Bᵀ: an input tile of m + 2 pixels to as many products.
  associatedtype Input: LineTransform
  /// Aᵀ: products to m outputs.
  associatedtype Output: LineTransform
  /// A: m output gradients to gradients of products.
  associatedtype Gradient: LineTransform
  /// G: three taps to factors of products.
  associatedtype Weight: LineTransform
  /// Gᵀ: gradients of factors to gradients of three taps.
  associatedtype WeightGradient: LineTransform
}

/// Applies a transform to rows and columns: `T x Tᵀ`.
///
/// Element (i, j) of the source is the line at `source + i · rowStride + j · columnStride`, and so for the
/// target. `scratch` has room for `T.inputs · T.outputs` registers.
@inline(__always)
func transformTile<T: LineTransform>(
  _: T.Type, _ source: In, _ rowStride: Int, _ columnStride: Int, scratch: Out, _ target: Out,
  _ targetRowStride: Int, _ targetColumnStride: Int
) {
  let lanes = Register.scalarCount
  for lane in stride(from: 0, to: 16, by: lanes) {
    for column in 0..<T.inputs {
      let from = source + column * columnStride + lane
      T.apply(
        { register(from + $0 * rowStride) },
        { setRegister($1, scratch + ($0 * T.inputs + column) * lanes) })
    }
    for row in 0..<T.outputs {
      let from = scratch + row * T.inputs * lanes
      let to = target + row * targetRowStride + lane
      T.apply({ register(from + $0 * lanes) }, { setRegister($1, to + $0 * targetColumnStride) })
    }
  }
}

/// `c · x + y`.
@inline(__always)
func scaled(_ c: Float, _ x: Register, plus y: Register) -> Register {
  multiplyAdd(Register(repeating: c), x, y)
}
