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
  let compute: Compute

  /// Plans products of at most these sizes.
  package init(m: Int, n: Int, k: Int, compute: Compute) {
    self.m = m
    self.n = n
    self.k = k
    self.compute = compute
  }

  /// Computes the product; `rows` and `depth` may reduce m and k (a short batch). With `beta` 0, C is not read.
  package func run(
    _ a: Matrix, transposeA: Bool = false, _ b: Matrix, transposeB: Bool = false, into c: Matrix,
    rows: Int? = nil, depth: Int? = nil, alpha: Float = 1, beta: Float = 0
  ) {
    for i in 0..<(rows ?? m) {
      for j in 0..<n {
        var sum: Float = 0
        for l in 0..<(depth ?? k) {
          let x = transposeA ? a.floats[l * a.rowStride + i] : a.floats[i * a.rowStride + l]
          let y = transposeB ? b.floats[j * b.rowStride + l] : b.floats[l * b.rowStride + j]
          sum += x * y
        }
        let old = beta == 0 ? 0 : beta * c.floats[i * c.rowStride + j]
        c.floats[i * c.rowStride + j] = alpha * sum + old
      }
    }
  }
}
