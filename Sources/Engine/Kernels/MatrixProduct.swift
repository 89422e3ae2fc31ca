import KernelsABI
import Parallel
import Tensors

/// A row-major matrix in floats: element (i, j) is `floats[i · rowStride + j]`.
package struct Matrix: Sendable {
  /// The elements.
  package let floats: Floats
  /// Floats from one row to the next.
  package let rowStride: Int

  /// Views `floats` as rows of `rowStride` floats.
  package init(_ floats: Floats, rowStride: Int) {
    self.floats = floats
    self.rowStride = rowStride
  }

  /// Views an activation of one pixel an image as a matrix `[N][C]`, its rows padded to 16.
  package init(_ activation: Activation) {
    precondition(activation.pixels == 1, "only maps of one pixel form a matrix")
    self.init(activation.storage, rowStride: activation.imageStride)
  }
}

/// `C = alpha · op(A) · op(B) + beta · C` for row-major matrices of one size, planned once.
package struct MatrixProduct {
  /// Rows of op(A) and C.
  package let m: Int
  /// Columns of op(B) and C.
  package let n: Int
  /// Columns of op(A), rows of op(B).
  package let k: Int
  private let compute: Compute

  /// Rows of A that a task packs.
  private static let blockRows = 96
  /// Floats between two packed blocks of 16 depths are those of so many rows; odd, to spread over the cache's
  /// sets.
  private static let rowStride = 97
  /// Blocks of 16 depths that are packed at once.
  private static let segmentBlocks = 32
  /// Rows that are written side by side, each from its beginning to its end.
  private static let storedRows = 8
  /// Panels of 32 columns that a task computes.
  private static let pairsOfTask = 8

  /// Plans products of at most these sizes.
  package init(m: Int, n: Int, k: Int, compute: Compute) {
    precondition(m >= 1 && n >= 1 && k >= 1, "sizes of a product are positive")
    self.m = m
    self.n = n
    self.k = k
    self.compute = compute
    compute.require(panelFloats + compute.team.threads * memberFloats)
  }

  private var panelFloats: Int { (n + 31) / 32 * 32 * ((k + 15) / 16 * 16) }
  private var memberFloats: Int {
    (MatrixProduct.segmentBlocks + 2 * MatrixProduct.pairsOfTask) * MatrixProduct.rowStride * 16
  }

  /// Computes the product; `rows` and `depth` may reduce m and k (a short batch). With `beta` 0, C is not
  /// read.
  ///
  /// op(A) is `[m, k]`, op(B) `[k, n]`, C `[m, n]`, which is overwritten and may alias neither. The order of
  /// each element's sum follows from the sizes, not from the threads.
  ///
  /// Reference: `a product agrees with a double precision reference`
  package func run(
    _ a: Matrix, transposeA: Bool = false, _ b: Matrix, transposeB: Bool = false, into c: Matrix,
    rows: Int? = nil, depth: Int? = nil, alpha: Float = 1, beta: Float = 0
  ) {
    let m = rows ?? self.m
    let k = depth ?? self.k
    precondition(m >= 0 && m <= self.m && k >= 1 && k <= self.k, "the product is planned for these sizes")
    check(a, rows: transposeA ? k : m, columns: transposeA ? m : k)
    check(b, rows: transposeB ? n : k, columns: transposeB ? k : n)
    check(c, rows: m, columns: n)
    let panels = compute.scratch(panelFloats + compute.team.threads * memberFloats)
    pack(b, transposed: transposeB, depth: k, into: panels)
    let pairs = (n + 31) / 32
    let groups = (pairs + MatrixProduct.pairsOfTask - 1) / MatrixProduct.pairsOfTask
    let blocks = (m + MatrixProduct.blockRows - 1) / MatrixProduct.blockRows
    let memberFloats = memberFloats
    let scratch = panels + panelFloats
    compute.team.run(tasks: blocks * groups) { task, member in
      let first = task / groups * MatrixProduct.blockRows
      let group = task % groups
      multiply(
        a, transposed: transposeA, rows: first..<min(first + MatrixProduct.blockRows, m), depth: k,
        pairs: group * pairs / groups..<(group + 1) * pairs / groups, panels, scratch + member * memberFloats)
      store(
        rows: first..<min(first + MatrixProduct.blockRows, m),
        pairs: group * pairs / groups..<(group + 1) * pairs / groups, alpha, beta,
        scratch + member * memberFloats, c)
    }
  }

  private func check(_ matrix: Matrix, rows: Int, columns: Int) {
    precondition(
      rows == 0
        || (matrix.rowStride >= columns && matrix.floats.count >= (rows - 1) * matrix.rowStride + columns),
      "the matrix is smaller than the product needs")
  }

  private func pack(_ b: Matrix, transposed: Bool, depth: Int, into panels: Out) {
    let panelStride = (depth + 15) / 16 * 16 * 32
    let source = In(b.floats.pointer)
    compute.team.run(tasks: (n + 31) / 32) { pair in
      let columns = min(32, n - pair * 32)
      compute.kernels.packColumns(
        source + pair * 32 * (transposed ? b.rowStride : 1), depth, columns, transposed ? 1 : b.rowStride,
        transposed ? b.rowStride : 1, columns > 16 ? 32 : 16, panels + pair * panelStride)
    }
  }

  private func multiply(
    _ a: Matrix, transposed: Bool, rows: Range<Int>, depth: Int, pairs: Range<Int>, _ panels: In,
    _ scratch: Out
  ) {
    let blocks = (depth + 15) / 16
    let runStride = MatrixProduct.rowStride * 16
    let results = scratch + MatrixProduct.segmentBlocks * runStride
    for first in stride(from: 0, to: blocks, by: MatrixProduct.segmentBlocks) {
      let count = min(MatrixProduct.segmentBlocks, blocks - first)
      let row = transposed ? 1 : a.rowStride
      let column = transposed ? a.rowStride : 1
      compute.kernels.packRows(
        In(a.floats.pointer) + rows.lowerBound * row + first * 16 * column, rows.count,
        min(count * 16, depth - first * 16), row, column, MatrixProduct.rowStride, scratch)
      for pair in pairs {
        let columnBlocks = n - pair * 32 > 16 ? 2 : 1
        let panel = panels + pair * blocks * 16 * 32 + first * 256 * columnBlocks
        let result = results + 2 * (pair - pairs.lowerBound) * runStride
        compute.kernels.multiplyPixels(
          rows.count, count, scratch, MatrixProduct.rowStride, panel, columnBlocks, result,
          result + runStride,
          first > 0)
      }
    }
  }

  private func store(
    rows: Range<Int>, pairs: Range<Int>, _ alpha: Float, _ beta: Float, _ scratch: Out, _ c: Matrix
  ) {
    let runStride = MatrixProduct.rowStride * 16
    let results = scratch + MatrixProduct.segmentBlocks * runStride
    let length = MatrixProduct.storedRows
    for row in stride(from: 0, to: rows.count, by: length) {
      let count = min(length, rows.count - row)
      let target = c.floats.pointer + (rows.lowerBound + row) * c.rowStride
      for column in stride(from: pairs.lowerBound * 32, to: min(pairs.upperBound * 32, n), by: 16) {
        compute.kernels.storeRows(
          results + (column / 16 - 2 * pairs.lowerBound) * runStride + row * 16, count, min(16, n - column),
          alpha, beta, c.rowStride, target + column)
      }
    }
  }
}
