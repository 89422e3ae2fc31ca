import Parallel
import Platform
import TensorElements
import Tensors

// Operations on the elements of square matrices: covariances, correlations and similarities. Sums are in
// double precision, each row by one task.
extension Compute {
  /// Copies the first `diagonal.count` elements of the diagonal.
  ///
  /// Overwrites `diagonal`.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func takeDiagonal(_ matrix: Matrix, into diagonal: Doubles) {
    let (source, target) = (matrix.floats, diagonal.pointer)
    for i in 0..<diagonal.count { target[i] = Double(source[i * (matrix.rowStride + 1)]) }
  }

  /// Overwrites the first `diagonal.count` elements of the diagonal.
  ///
  /// Rounds each to single precision.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func setDiagonal(_ matrix: Matrix, from diagonal: Doubles) {
    let (target, source) = (matrix.floats, diagonal.pointer)
    for i in 0..<diagonal.count { target[i * (matrix.rowStride + 1)] = Float(source[i]) }
  }

  /// Sets the first `order` elements of the diagonal to `value`.
  ///
  /// The rest of the matrix is left.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func setDiagonal(_ matrix: Matrix, order: Int, to value: Float) {
    for i in 0..<order { matrix.floats[i * (matrix.rowStride + 1)] = value }
  }

  /// `a_ij = a_ji = factor (a_ij + a_ji)` for the first `order` rows and columns, then a diagonal with which
  /// each row sums to 0. The diagonal that was there counts as 0.
  ///
  /// In place; each row's sum goes over its columns in their order.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func symmetrize(_ matrix: Matrix, order: Int, factor: Float) {
    precondition(
      matrix.rowStride >= order && matrix.floats.count >= order * matrix.rowStride, "the matrix is too small")
    let (a, stride) = (matrix.floats.pointer, matrix.rowStride)
    eachRow(order) { i in
      a[i * stride + i] = 0
      for j in 0..<i {
        let value = factor * (a[i * stride + j] + a[j * stride + i])
        a[i * stride + j] = value
        a[j * stride + i] = value
      }
    }
    eachRow(order) { i in
      var sum = 0.0
      for j in 0..<order { sum += Double(a[i * stride + j]) }
      a[i * stride + i] = Float(-sum)
    }
  }

  /// What rows of similarities say of their positives.
  package struct Contrast: Sendable, Equatable {
    /// Mean of `−log(e^{s_ip/T} / Σ_{j≠i} e^{s_ij/T})`.
    package var loss: Double
    /// Mean similarity of a row and its positive.
    package var positive: Double
    /// Share of the rows whose positive is the most similar.
    package var top1: Double
  }

  /// The contrastive cross-entropy of similarities `[M, M]`, where the positive of row i is row `(i + M/2)
  /// mod M`, and the gradient of the mean by `s / T` in their place; its diagonal is 0.
  ///
  /// The gradient of the positive is minus the sum of the others, so a row's gradient sums to 0 however near
  /// to 1 the probability of its positive is.
  ///
  /// - Parameter rows: scratch of at least 3M doubles.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func contrast(_ similarities: Matrix, order m: Int, temperature: Double, rows: Doubles) -> Contrast
  {
    precondition(
      m.isMultiple(of: 2) && similarities.rowStride >= m && rows.count >= 3 * m
        && similarities.floats.count >= m * similarities.rowStride, "sizes must agree")
    let (a, stride, results) = (similarities.floats.pointer, similarities.rowStride, rows.pointer)
    eachRow(m) { i in
      let s = a + i * stride
      let positive = (i + m / 2) % m
      var highest = s[positive]
      for j in 0..<m where j != i && s[j] > highest { highest = s[j] }
      let own = Double(s[positive])
      let share = Mathematics.exponential((own - Double(highest)) / temperature)
      var others = 0.0
      for j in 0..<m where j != i && j != positive {
        others += Mathematics.exponential((Double(s[j]) - Double(highest)) / temperature)
      }
      let sum = others + share
      results[i] = Mathematics.logarithm(sum) - (own - Double(highest)) / temperature
      results[m + i] = own
      results[2 * m + i] = s[positive] == highest ? 1 : 0
      let factor = 1 / (sum * Double(m))
      for j in 0..<m where j != i && j != positive {
        s[j] = Float(Mathematics.exponential((Double(s[j]) - Double(highest)) / temperature) * factor)
      }
      s[positive] = Float(-others * factor)
      s[i] = 0
    }
    let count = Double(m)
    return Contrast(
      loss: rows.sum(0..<m) / count, positive: rows.sum(m..<2 * m) / count,
      top1: rows.sum(2 * m..<3 * m) / count)
  }
}
