/// One register of this instruction set.
typealias Register = SIMD8<Float>

/// The tile of a product with two registers of columns: 8 accumulators, as many as two units of four cycles
/// need. With 12 the compiler, which keeps all broadcast rows at hand, runs out of registers.
typealias ProductTile = FourRows
/// The tile of a product whose rows are the 16 channels of a block: 8 accumulators, four sweeps.
typealias ChannelTile = FourRows
/// Whether a block of 16 columns is less than two registers, so that it needs a tile of its own.
@inline(__always)
var hasNarrowTile: Bool { false }

/// Steps of the inner dimension in one turn of the loop: more at once, and the compiler runs out of
/// registers.
@inline(__always)
var unrolledSteps: Int { 1 }

/// `a · b + c` with one rounding.
@inline(__always)
func multiplyAdd<V: SIMD>(_ a: V, _ b: V, _ c: V) -> V where V.Scalar == Float { c.addingProduct(a, b) }

/// The root of each lane.
@inline(__always)
func squareRoots(_ x: SIMD16<Float>) -> SIMD16<Float> { x.squareRoot() }
