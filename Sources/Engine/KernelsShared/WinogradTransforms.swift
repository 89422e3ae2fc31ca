import KernelsABI

/// A linear map from some lines to others, applied along one dimension of a tile.
protocol LineTransform {
  /// Lines read.
  static var inputs: Int { get }
  /// Lines written.
  static var outputs: Int { get }
  /// Reads lines `from`, `fromStride` floats apart, and writes lines `to`.
  static func apply(_ from: In, _ fromStride: Int, _ to: Out, _ toStride: Int)
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
/// target. `scratch` has room for `T.inputs · T.outputs` lines.
@inline(__always)
func transformTile<T: LineTransform>(
  _: T.Type, _ source: In, _ rowStride: Int, _ columnStride: Int, scratch: Out, _ target: Out,
  _ targetRowStride: Int, _ targetColumnStride: Int
) {
  for column in 0..<T.inputs {
    T.apply(source + column * columnStride, rowStride, scratch + column * 16, T.inputs * 16)
  }
  for row in 0..<T.outputs {
    T.apply(scratch + row * T.inputs * 16, 16, target + row * targetRowStride, targetColumnStride)
  }
}

/// `c · x + y`.
@inline(__always)
func scaled(_ c: Float, _ x: Line, plus y: Line) -> Line { multiplyAdd(Line(repeating: c), x, y) }
