import KernelsABI
#if arch(x86_64)
  import _Builtin_intrinsics.intel
#endif

/// One register of the least instruction set.
typealias Register = SIMD4<Float>

#if arch(arm64)
  /// The tile of a product with two registers of columns that uses the 32 registers best: 16 accumulators.
  typealias ProductTile = Stack<FourRows, FourRows>
#else
  /// The tile of a product with two registers of columns that uses the 16 registers best: 8 accumulators.
  typealias ProductTile = FourRows
#endif
/// Blocks of the inner dimension from which on that tile is the fastest; below, it is four rows.
@inline(__always)
var kBlocksOfProductTile: Int { 1 }
/// Whether a block of 16 columns is less than two registers, so that it needs a tile of its own.
@inline(__always)
var hasNarrowTile: Bool { false }
/// Whether there are registers enough for tiles of four registers a row.
@inline(__always)
var hasQuadTile: Bool { false }

/// Steps of the inner dimension in one turn of the loop: more at once, and the compiler runs out of
/// registers.
@inline(__always)
var unrolledSteps: Int { 1 }

/// `a · b + c`; x86-64 has no fused instruction at this level, and a fused result would come from a slow
/// function.
@inline(__always)
func multiplyAdd<V: SIMD>(_ a: V, _ b: V, _ c: V) -> V where V.Scalar == Float {
  #if arch(arm64)
    return c.addingProduct(a, b)
  #else
    return c + a * b
  #endif
}

/// The larger of each lane; where `a` is not a number, `a`.
@inline(__always)
func larger(_ a: Register, _ b: Register) -> Register { a.replacing(with: b, where: a .< b) }

/// The root of each lane.
@inline(__always)
func squareRoots(_ x: SIMD16<Float>) -> SIMD16<Float> { x.squareRoot() }

/// Writes a register to memory past the caches; `p` is aligned to a register.
@inline(__always)
func streamRegister(_ value: Register, _ p: UnsafeMutablePointer<Float>) {
  #if arch(x86_64)
    _mm_stream_ps(p, value)
  #else
    UnsafeMutableRawPointer(p).storeBytes(of: value, as: Register.self)
  #endif
}

/// Exchanges rows and columns of 16 × 16 floats, element by element: they do not fit 16 registers.
@inline(__always)
func transposeLines(_ source: In, stride sourceStride: Int, _ target: Out, stride targetStride: Int) {
  transposeByElements(source, stride: sourceStride, target, stride: targetStride)
}
