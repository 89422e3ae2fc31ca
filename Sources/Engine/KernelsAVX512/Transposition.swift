import KernelsABI
import _Builtin_intrinsics.intel

/// Sixteen lines. A tuple: structs would bring functions that the whole program shares.
private typealias Lines = (
  Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line, Line
)

/// Exchanges rows and columns of 16 × 16 floats, as `transposeByElements`, in registers.
@inline(__always)
func transposeLines(_ source: In, stride sourceStride: Int, _ target: Out, stride targetStride: Int) {
  @inline(__always)
  func row(_ i: Int) -> Line { line(source + i * sourceStride) }
  let lines = dealt(
    dealt(
      dealt(
        dealt(
          (
            row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7), row(8), row(9), row(10), row(11),
            row(12), row(13), row(14), row(15)
          )))))
  @inline(__always)
  func set(_ j: Int, _ value: Line) { setLine(value, target + j * targetStride) }
  set(0, lines.0)
  set(1, lines.1)
  set(2, lines.2)
  set(3, lines.3)
  set(4, lines.4)
  set(5, lines.5)
  set(6, lines.6)
  set(7, lines.7)
  set(8, lines.8)
  set(9, lines.9)
  set(10, lines.10)
  set(11, lines.11)
  set(12, lines.12)
  set(13, lines.13)
  set(14, lines.14)
  set(15, lines.15)
}

/// The 256 floats dealt out to two heaps in turn, the even ones before the odd ones. Of the eight bits of a
/// float's place the lowest becomes the highest, so four times exchange row and column.
@inline(__always)
private func dealt(_ x: Lines) -> Lines {
  (
    even(x.0, x.1), even(x.2, x.3), even(x.4, x.5), even(x.6, x.7), even(x.8, x.9), even(x.10, x.11),
    even(x.12, x.13), even(x.14, x.15), odd(x.0, x.1), odd(x.2, x.3), odd(x.4, x.5), odd(x.6, x.7),
    odd(x.8, x.9), odd(x.10, x.11), odd(x.12, x.13), odd(x.14, x.15)
  )
}

/// The floats at even places of two lines that follow each other.
@inline(__always)
private func even(_ a: Line, _ b: Line) -> Line {
  _mm512_permutex2var_ps(
    a, places(SIMD16(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)), b)
}

/// Those at odd places.
@inline(__always)
private func odd(_ a: Line, _ b: Line) -> Line {
  _mm512_permutex2var_ps(
    a, places(SIMD16(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)), b)
}

/// Places among the 32 floats of two lines, as the intrinsic takes them.
@inline(__always)
private func places(_ indices: SIMD16<Int32>) -> SIMD8<Int64> {
  unsafeBitCast(indices, to: SIMD8<Int64>.self)
}
