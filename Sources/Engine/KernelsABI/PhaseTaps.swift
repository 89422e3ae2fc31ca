/// Which taps of a 3×3 kernel one phase of a map sees with stride 2: two rows and two columns of the kernel,
/// −1 where there is none.
package struct PhaseTaps: Sendable {
  /// The kernel's rows.
  package var rows: SIMD2<Int>
  /// The kernel's columns.
  package var columns: SIMD2<Int>

  /// See the properties.
  package init(rows: SIMD2<Int>, columns: SIMD2<Int>) {
    self.rows = rows
    self.columns = columns
  }

  /// The kernel's tap, 0 to 8, at place 0 to 3 of the phase's 2×2, or −1.
  @inlinable @inline(__always)
  package func index(_ place: Int) -> Int {
    let row = place < 2 ? rows.x : rows.y
    let column = place % 2 == 0 ? columns.x : columns.y
    return row < 0 || column < 0 ? -1 : row * 3 + column
  }
}
