import _Builtin_intrinsics.intel

/// One register of this instruction set.
typealias Register = SIMD16<Float>

/// The tile of a product with two registers of columns: 16 accumulators. With 24 the compiler, which keeps
/// all broadcast rows at hand, runs out of registers.
typealias ProductTile = Stack<FourRows, FourRows>
/// Blocks of the inner dimension from which on that tile is the fastest; below, it is four rows.
@inline(__always)
var kBlocksOfProductTile: Int { 1 }
/// Whether a block of 16 columns is less than two registers, so that it needs a tile of its own.
@inline(__always)
var hasNarrowTile: Bool { true }
/// Whether there are registers enough for tiles of four registers a row.
@inline(__always)
var hasQuadTile: Bool { true }

/// Steps of the inner dimension in one turn of the loop: four hide the loop's own instructions.
@inline(__always)
var unrolledSteps: Int { 4 }

/// `a · b + c` with one rounding. The intrinsic is one instruction; the library's `addingProduct` goes lane
/// by lane, and what the compiler makes of that may be smaller registers.
@inline(__always)
func multiplyAdd(_ a: Register, _ b: Register, _ c: Register) -> Register { _mm512_fmadd_ps(a, b, c) }

/// Sum in one instruction, for the same reason.
@inline(__always)
func + (a: Register, b: Register) -> Register { _mm512_add_ps(a, b) }

/// Difference in one instruction.
@inline(__always)
func - (a: Register, b: Register) -> Register { _mm512_sub_ps(a, b) }

/// Product in one instruction.
@inline(__always)
func * (a: Register, b: Register) -> Register { _mm512_mul_ps(a, b) }

/// Product with a number.
@inline(__always)
func * (a: Register, b: Float) -> Register { _mm512_mul_ps(a, Register(repeating: b)) }

/// Sum in place.
@inline(__always)
func += (a: inout Register, b: Register) { a = _mm512_add_ps(a, b) }

/// The larger of each lane; where `a` is not a number, `a`.
@inline(__always)
func larger(_ a: Register, _ b: Register) -> Register { _mm512_max_ps(b, a) }

/// The root of each lane.
@inline(__always)
func squareRoots(_ x: SIMD16<Float>) -> SIMD16<Float> { _mm512_sqrt_ps(x) }

/// Writes a register to memory past the caches; `p` is aligned to a register.
@inline(__always)
func streamRegister(_ value: Register, _ p: UnsafeMutablePointer<Float>) { _mm512_stream_ps(p, value) }
