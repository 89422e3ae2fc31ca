/// The eigenvalues of a real symmetric matrix in double precision: Householder's reduction to tridiagonal
/// form, then QL with implicit shifts. The same input gives the same bits.
///
/// Works on doubles of its own on the host, not on tensors: a diagnostic of some small matrices, with no use
/// for a second backend.
///
/// Source: Golub and Van Loan, "Matrix Computations", 4th edition, sections 8.3.1 and 8.3.3.
package struct SymmetricEigenvalues {
  /// Shifts that are tried for one eigenvalue before giving up; two or three are usual.
  private static let iterationsMax = 60

  private var matrix: [Double]
  private var diagonal: [Double]
  private var offDiagonal: [Double]

  /// Takes memory for matrices of at most `order` rows.
  package init(order: Int) {
    matrix = Array(repeating: 0, count: order * order)
    diagonal = Array(repeating: 0, count: order)
    offDiagonal = Array(repeating: 0, count: order)
  }

  /// The eigenvalues, in no order, of the matrix whose lower triangle is at the start of `values`
  /// (row-major, `order` columns); `nil` if it holds anything that is not finite.
  package mutating func ofLowerTriangle(_ values: [Double], order: Int) -> ArraySlice<Double>? {
    precondition(order >= 1 && order <= diagonal.count && values.count >= order * order, "planned for less")
    for i in 0..<order {
      for j in 0...i {
        guard values[i * order + j].isFinite else { return nil }
        matrix[i * order + j] = values[i * order + j]
      }
    }
    tridiagonalize(order)
    for l in 0..<order where !converge(l, order) { return nil }
    return diagonal[0..<order]
  }

  /// Reduces the lower triangle from the last row up: row i becomes one element beside the diagonal.
  private mutating func tridiagonalize(_ n: Int) {
    for i in stride(from: n - 1, through: 1, by: -1) {
      var norm = 0.0
      for k in 0..<i { norm += matrix[i * n + k] * matrix[i * n + k] }
      norm = norm.squareRoot()
      let last = matrix[i * n + i - 1]
      let reflected = last > 0 ? -norm : norm
      offDiagonal[i] = reflected
      // v = row − reflected · e; H = 1 − v vᵀ / h with h = vᵀv / 2.
      let h = norm * norm - last * reflected
      guard h > 0 else { continue }
      matrix[i * n + i - 1] = last - reflected
      reflect(i, h: h, n)
    }
    for i in 0..<n { diagonal[i] = matrix[i * n + i] }
    offDiagonal[0] = 0
  }

  /// `A ← H A H` for the leading i × i part, with v in row i of the matrix.
  private mutating func reflect(_ i: Int, h: Double, _ n: Int) {
    // p = A v / h, kept in `diagonal`; row by row so that both halves of the triangle are read in order.
    for j in 0..<i { diagonal[j] = 0 }
    for j in 0..<i {
      let vj = matrix[i * n + j]
      var sum = matrix[j * n + j] * vj
      for k in 0..<j {
        let a = matrix[j * n + k]
        sum += a * matrix[i * n + k]
        diagonal[k] += a * vj
      }
      diagonal[j] += sum
    }
    var product = 0.0
    for j in 0..<i {
      diagonal[j] /= h
      product += diagonal[j] * matrix[i * n + j]
    }
    // q = p − (vᵀp / 2h) v; A ← A − v qᵀ − q vᵀ.
    let half = product / (2 * h)
    for j in 0..<i { diagonal[j] -= half * matrix[i * n + j] }
    for j in 0..<i {
      let vj = matrix[i * n + j]
      let qj = diagonal[j]
      for k in 0...j { matrix[j * n + k] -= vj * diagonal[k] + qj * matrix[i * n + k] }
    }
  }

  /// Rotates until the element beside eigenvalue `l` has gone; false if that takes too long.
  private mutating func converge(_ l: Int, _ n: Int) -> Bool {
    for _ in 0..<SymmetricEigenvalues.iterationsMax {
      var m = l
      while m + 1 < n, !isNegligible(m) { m += 1 }
      if m == l { return true }
      sweep(from: l, to: m, n)
    }
    return false
  }

  /// Whether the element between rows m and m + 1 is lost in rounding.
  private func isNegligible(_ m: Int) -> Bool {
    let size = abs(diagonal[m]) + abs(diagonal[m + 1])
    return abs(offDiagonal[m + 1]) <= size * .ulpOfOne || size == 0 && offDiagonal[m + 1] == 0
  }

  /// One QL step with Wilkinson's shift on rows l…m.
  private mutating func sweep(from l: Int, to m: Int, _ n: Int) {
    let e = offDiagonal[l + 1]
    let ratio = (diagonal[l + 1] - diagonal[l]) / (2 * e)
    let root = (ratio * ratio + 1).squareRoot()
    var g = diagonal[m] - diagonal[l] + e / (ratio + (ratio >= 0 ? root : -root))
    var (sine, cosine, moved) = (1.0, 1.0, 0.0)
    if m + 1 < n { offDiagonal[m + 1] = 0 }
    for i in stride(from: m - 1, through: l, by: -1) {
      let f = sine * offDiagonal[i + 1]
      let b = cosine * offDiagonal[i + 1]
      let radius = (f * f + g * g).squareRoot()
      if i + 2 <= m { offDiagonal[i + 2] = radius }
      if radius == 0 {
        // The matrix has split by underflow: the next sweep starts again below.
        diagonal[i + 1] -= moved
        return
      }
      sine = f / radius
      cosine = g / radius
      g = diagonal[i + 1] - moved
      let t = (diagonal[i] - g) * sine + 2 * cosine * b
      moved = sine * t
      diagonal[i + 1] = g + moved
      g = cosine * t - b
    }
    diagonal[l] -= moved
    offDiagonal[l + 1] = g
  }
}
