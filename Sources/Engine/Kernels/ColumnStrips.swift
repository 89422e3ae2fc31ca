/// Blocks of columns in strips that a kernel multiplies at once: of `widest` blocks, and at the end of two
/// and of one.
struct ColumnStrips {
  /// Blocks of columns.
  var blocks: Int
  /// Blocks of the widest strips: 4 or 2.
  var widest = 4

  /// How many strips there are.
  var count: Int { blocks / widest + blocks % widest / 2 + blocks % 2 }

  /// The blocks of strip `index`.
  func blocks(_ index: Int) -> Range<Int> {
    let whole = blocks / widest
    guard index >= whole else { return widest * index..<widest * (index + 1) }
    let start = widest * whole + (index > whole ? 2 : 0)
    return start..<min(start + 2, blocks)
  }
}
