/// How a sum over the pixels of a grid is cut: the rounding errors of one long sum would grow with its
/// length.
package enum GridSum {
  /// Most pixels that are summed in registers before their sum is added to the others.
  @inlinable package static var pixels: Int { 64 }

  /// Rows of `columns` pixels that are summed in registers.
  @inlinable package static func rows(columns: Int) -> Int { columns < pixels ? pixels / columns : 1 }
}
