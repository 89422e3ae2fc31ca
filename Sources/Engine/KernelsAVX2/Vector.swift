import KernelsABI
import _Builtin_intrinsics.intel

/// One register of this instruction set.
typealias Register = SIMD8<Float>

/// The tile of a product with two registers of columns: 12 accumulators, more than the 8 that two units of
/// four cycles need, so that the rows of B are read less often.
typealias ProductTile = Stack<FourRows, TwoRows>
/// Blocks of the inner dimension from which on that tile is the fastest; below, it is four rows.
@inline(__always)
var kBlocksOfProductTile: Int { 8 }
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

/// `a · b + c` with one rounding. The intrinsic is one instruction; the library's `addingProduct` goes lane
/// by lane, and what the compiler makes of that are registers of four as often as not.
@inline(__always)
func multiplyAdd(_ a: Register, _ b: Register, _ c: Register) -> Register { _mm256_fmadd_ps(a, b, c) }

/// The same for a whole line.
@inline(__always)
func multiplyAdd(_ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>) -> SIMD16<Float> {
  SIMD16(
    lowHalf: _mm256_fmadd_ps(a.lowHalf, b.lowHalf, c.lowHalf),
    highHalf: _mm256_fmadd_ps(a.highHalf, b.highHalf, c.highHalf))
}

/// Sum in one instruction, for the same reason.
@inline(__always)
func + (a: Register, b: Register) -> Register { _mm256_add_ps(a, b) }

/// Difference in one instruction.
@inline(__always)
func - (a: Register, b: Register) -> Register { _mm256_sub_ps(a, b) }

/// Product in one instruction.
@inline(__always)
func * (a: Register, b: Register) -> Register { _mm256_mul_ps(a, b) }

/// Product with a number.
@inline(__always)
func * (a: Register, b: Float) -> Register { _mm256_mul_ps(a, Register(repeating: b)) }

/// Sum in place.
@inline(__always)
func += (a: inout Register, b: Register) { a = _mm256_add_ps(a, b) }

/// Sum of lines.
@inline(__always)
func + (a: SIMD16<Float>, b: SIMD16<Float>) -> SIMD16<Float> {
  SIMD16(lowHalf: a.lowHalf + b.lowHalf, highHalf: a.highHalf + b.highHalf)
}

/// Difference of lines.
@inline(__always)
func - (a: SIMD16<Float>, b: SIMD16<Float>) -> SIMD16<Float> {
  SIMD16(lowHalf: a.lowHalf - b.lowHalf, highHalf: a.highHalf - b.highHalf)
}

/// Sum of lines in place.
@inline(__always)
func += (a: inout SIMD16<Float>, b: SIMD16<Float>) { a = a + b }

/// The larger of each lane; where `a` is not a number, `a`.
@inline(__always)
func larger(_ a: Register, _ b: Register) -> Register { _mm256_max_ps(b, a) }

/// The root of each lane.
@inline(__always)
func squareRoots(_ x: SIMD16<Float>) -> SIMD16<Float> { x.squareRoot() }

/// Writes a register to memory past the caches; `p` is aligned to a register.
@inline(__always)
func streamRegister(_ value: Register, _ p: UnsafeMutablePointer<Float>) { _mm256_stream_ps(p, value) }

/// Exchanges rows and columns of 16 × 16 floats, element by element: they do not fit 16 registers.
@inline(__always)
func transposeLines(_ source: In, stride sourceStride: Int, _ target: Out, stride targetStride: Int) {
  transposeByElements(source, stride: sourceStride, target, stride: targetStride)
}
