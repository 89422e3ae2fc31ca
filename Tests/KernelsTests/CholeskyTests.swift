import Kernels
import Parallel
import Tensors
import Testing

@Suite struct CholeskyTests {
  @Test(arguments: [1, 7, 40, 67], [1, 3])
  func `a Cholesky factor solves what it factored`(order n: Int, threads: Int) throws {
    let bench = try Bench(.baseline, threads: 1)
    let (rows, scale, shift) = (3, 0.5, 0.25)
    let root = try bench.normal(n * n, seed: 1).array
    let matrix = try bench.arena.allocate(n * n)
    matrix.copy(
      from: (0..<n * n).map { index in
        (0..<n).reduce(0) { $0 + root[index / n * n + $1] * root[index % n * n + $1] }
      })
    let a = matrix.array
    let solutions = try bench.normal(rows * n, seed: 2).array.map { Double($0) }
    var values = (0..<rows * n).map { index in
      (0..<n).reduce(shift * solutions[index]) {
        $0 + scale * Double(a[index % n * n + $1]) * solutions[index / n * n + $1]
      }
    }
    let factor = try CholeskyFactor(order: n, team: ThreadTeam(threads: threads), arena: bench.arena)
    factor.factor(matrix, scale: scale, shift: shift)
    factor.solve(rows: rows, &values)
    #expect(zip(values, solutions).allSatisfy { abs($0 - $1) < 1e-9 * (1 + abs($1)) })
  }

  @Test(arguments: [1, 7, 40, 67], [1, 3])
  func `the inverse of a Cholesky factor whitens`(order n: Int, threads: Int) throws {
    let bench = try Bench(.baseline, threads: 1)
    let root = try bench.normal(n * n, seed: 3).array
    func gram(_ i: Int, _ j: Int) -> Float {
      (0..<n).reduce(i == j ? 1 : 0) { $0 + root[i * n + $1] * root[j * n + $1] / Float(n) }
    }
    let matrix = try bench.arena.allocate(n * n)
    matrix.copy(from: (0..<n * n).map { gram($0 / n, $0 % n) })
    let a = matrix.array
    let factor = try CholeskyFactor(order: n, team: ThreadTeam(threads: threads), arena: bench.arena)
    factor.factor(matrix, scale: 1, shift: 0.5)
    // It may take the place of the matrix.
    factor.inverse(into: matrix)
    let inverse = matrix.array
    for i in 0..<n {
      #expect((i + 1..<n).allSatisfy { inverse[i * n + $0] == 0 })
      for j in 0...i {
        // L⁻¹ (A + ½) L⁻ᵀ = 1
        var sum = 0.0
        for k in 0...i {
          let image = (0...j).reduce(0.0) {
            $0 + Double(inverse[j * n + $1]) * (Double(a[k * n + $1]) + (k == $1 ? 0.5 : 0))
          }
          sum += Double(inverse[i * n + k]) * image
        }
        #expect(abs(sum - (i == j ? 1 : 0)) < 1e-5, "\(i), \(j): \(sum)")
      }
    }
  }
}
