import Parallel
import Platform
import TensorElements
import Tensors

/// The factor L of a symmetric positive definite matrix, `A = L Lᵀ`, in double precision, and solutions of
/// `A x = b` by it.
///
/// Made for preconditioners: where rounding has made the matrix indefinite, the factor is that of a nearby
/// positive definite one. The sums are taken in a fixed order, whatever the number of threads.
package final class CholeskyFactor {
  /// Rows and columns, n.
  package let order: Int
  private let team: ThreadTeam
  private let memory: Floats
  /// `[n][n]`, row-major; the lower triangle is used.
  private let l: UnsafeMutablePointer<Double>

  /// Rows of a task.
  private static let rowsOfTask = 32
  /// Pivots are at least this share of what is added to the diagonal.
  private static let pivotShareMin = 0.1

  /// Takes memory for matrices of `order` rows. Throws `SystemError` without memory.
  package init(order: Int, team: ThreadTeam, arena: Arena) throws(SystemError) {
    precondition(order >= 1, "a matrix has a row")
    self.order = order
    self.team = team
    memory = try arena.allocate(CholeskyFactor.floats(order: order))
    l = UnsafeMutableRawPointer(memory.pointer).assumingMemoryBound(to: Double.self)
  }

  /// Floats of memory for matrices of `order` rows.
  package static func floats(order: Int) -> Int { 2 * order * order }

  /// Factors `scale · matrix + shift · 1`, with `shift` > 0; reads the lower triangle of `matrix`, `[n][n]`.
  ///
  /// Overwrites the factor of the last call. Each element's sum goes over the columns in eight interleaved
  /// parts, whatever the threads.
  ///
  /// Reference: `a Cholesky factor solves what it factored`
  package func factor(_ matrix: Floats, scale: Double, shift: Double) {
    precondition(matrix.count >= order * order, "the matrix is smaller than planned")
    precondition(shift > 0, "what is added to the diagonal is positive")
    let n = order
    let l = self.l
    let source = matrix.pointer
    for j in 0..<n {
      let row = l + j * n
      let dot = CholeskyFactor.dot(row, row, j)
      let pivot = scale * Double(source[j * n + j]) + shift - dot
      let root = max(pivot, shift * CholeskyFactor.pivotShareMin).squareRoot()
      row[j] = root
      let rest = n - j - 1
      team.run(tasks: (rest + CholeskyFactor.rowsOfTask - 1) / CholeskyFactor.rowsOfTask) { task in
        let first = j + 1 + task * CholeskyFactor.rowsOfTask
        for i in first..<min(first + CholeskyFactor.rowsOfTask, n) {
          let sum = CholeskyFactor.dot(l + i * n, row, j)
          l[i * n + j] = (scale * Double(source[i * n + j]) - sum) / root
        }
      }
    }
  }

  /// Replaces each of the first `rows` rows of n numbers by the solution with that right-hand side.
  ///
  /// `values` is `[rows][n]`; one task per row, so a row's bits do not depend on the others.
  ///
  /// Reference: `a Cholesky factor solves what it factored`
  package func solve(rows: Int, _ values: inout [Double]) {
    precondition(values.count >= rows * order, "there are not enough right-hand sides")
    let n = order
    let l = self.l
    values.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      team.run(tasks: rows) { task in
        let x = start + task * n
        for i in 0..<n {
          x[i] = (x[i] - CholeskyFactor.dot(l + i * n, x, i)) / l[i * n + i]
        }
        for i in stride(from: n - 1, through: 0, by: -1) {
          let row = l + i * n
          let value = x[i] / row[i]
          x[i] = value
          for k in 0..<i { x[k] -= value * row[k] }
        }
      }
    }
  }

  /// Writes L⁻¹ to `target`, `[n][n]` row-major, with zeros above the diagonal.
  ///
  /// One task per column, so its bits do not depend on the threads.
  ///
  /// Reference: `the inverse of a Cholesky factor whitens`
  package func inverse(into target: Floats) {
    precondition(target.count >= order * order, "the inverse is as large as the matrix")
    let n = order
    let l = self.l
    let inverse = target.pointer
    team.run(tasks: n) { j in
      // From row j on: what is above the diagonal is 0.
      var column = Array(repeating: 0.0, count: n - j)
      column.withUnsafeMutableBufferPointer { buffer in
        guard let y = buffer.baseAddress else { return }
        for i in j..<n {
          let sum = i == j ? -1 : CholeskyFactor.dot(l + i * n + j, y, i - j)
          y[i - j] = -sum / l[i * n + i]
        }
        for i in 0..<j { inverse[i * n + j] = 0 }
        for i in j..<n { inverse[i * n + j] = Float(y[i - j]) }
      }
    }
  }

  /// Σ a b over `count` elements.
  @inline(__always)
  private static func dot(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int
  ) -> Double {
    var sums = SIMD8<Double>()
    let (x, y) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    let whole = count / 8 * 8
    for k in stride(from: 0, to: whole, by: 8) {
      let offset = k * MemoryLayout<Double>.stride
      sums +=
        x.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        * y.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
    }
    var sum = 0.0
    for lane in 0..<8 { sum += sums[lane] }
    for k in whole..<count { sum += a[k] * b[k] }
    return sum
  }
}
