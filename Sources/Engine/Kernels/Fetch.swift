import KernelsABI

/// Rows of memory that are read or written soon, fetched in equal steps between products.
struct Fetch {
  private let start: In
  private let rows: Int
  private let columns: Int
  private let rowStride: Int
  private let steps: Int
  private var step = 0

  /// `rows` rows of `columns` floats, `rowStride` floats apart, in at most `steps` steps.
  init(start: In, rows: Int, columns: Int, rowStride: Int, steps: Int) {
    (self.start, self.rows, self.columns) = (start, rows, columns)
    (self.rowStride, self.steps) = (rowStride, steps)
  }

  /// Asks for the next rows.
  mutating func next(_ kernels: KernelTable) {
    let first = step * rows / steps
    step = min(step + 1, steps)
    kernels.prefetchRows(start + first * rowStride, step * rows / steps - first, columns, rowStride)
  }
}
