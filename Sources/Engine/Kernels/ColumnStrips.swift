/// Blocks of columns in strips that a kernel multiplies at once: of four, and at the end of two and of one.
struct ColumnStrips {
  /// Columns of the widest strip.
  static let widest = 64

  /// Blocks of columns.
  var blocks: Int

  /// How many strips there are.
  var count: Int { blocks / 4 + blocks % 4 / 2 + blocks % 2 }

  /// The blocks of strip `index`.
  func blocks(_ index: Int) -> Range<Int> {
    let whole = blocks / 4
    guard index >= whole else { return 4 * index..<4 * index + 4 }
    let start = 4 * whole + (index > whole ? 2 : 0)
    return start..<min(start + (blocks - start >= 2 ? 2 : 1), blocks)
  }
}
