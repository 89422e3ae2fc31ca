import KernelsABI

/// Rows of memory that are read or written soon, fetched in equal steps between products.
///
/// A step is a number of lines, not of rows: a core waits for some ten lines at once, and stands still when
/// it asks for more.
struct Fetch {
  private let start: In
  private let rows: Int
  /// Lines of 16 floats of a row.
  private let lines: Int
  private let rowStride: Int
  private let steps: Int
  private var step = 0

  /// `rows` rows of `columns` floats, `rowStride` floats apart, in at most `steps` steps.
  init(start: In, rows: Int, columns: Int, rowStride: Int, steps: Int) {
    (self.start, self.rows, self.lines) = (start, rows, (columns + 15) / 16)
    (self.rowStride, self.steps) = (rowStride, steps)
  }

  /// Asks for the next lines.
  mutating func next(_ kernels: KernelTable) {
    let first = step * rows * lines / steps
    step = min(step + 1, steps)
    let end = step * rows * lines / steps
    if end > first { kernels.prefetchLines(start, lines, rowStride, first, end - first) }
  }
}
