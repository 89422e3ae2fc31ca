import _Builtin_intrinsics.intel

/// One register of this instruction set.
typealias Register = SIMD16<Float>

/// The tile of a product with two registers of columns: 16 accumulators. With 24 the compiler, which keeps
/// all broadcast rows at hand, runs out of registers.
typealias ProductTile = Stack<FourRows, FourRows>
/// The tile of a product whose rows are the 16 channels of a block: 16 accumulators, two sweeps.
typealias ChannelTile = Stack<FourRows, FourRows>
/// Whether a block of 16 columns is less than two registers, so that it needs a tile of its own.
@inline(__always)
var hasNarrowTile: Bool { true }

/// Steps of the inner dimension in one turn of the loop: four hide the loop's own instructions.
@inline(__always)
var unrolledSteps: Int { 4 }

/// `a · b + c` with one rounding.
@inline(__always)
func multiplyAdd<V: SIMD>(_ a: V, _ b: V, _ c: V) -> V where V.Scalar == Float { c.addingProduct(a, b) }

/// The root of each lane.
@inline(__always)
func squareRoots(_ x: SIMD16<Float>) -> SIMD16<Float> { _mm512_sqrt_ps(x) }
