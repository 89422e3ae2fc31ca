import Kernels
import Tensors
import Testing

@Suite struct MatrixProductTests {
  /// m, n, k.
  static let sizes = [
    [1, 1, 1], [5, 17, 3], [97, 33, 16], [130, 70, 600], [16, 16, 16], [200, 290, 50],
    [32, 48, 32], [1, 40, 15], [40, 1, 33], [17, 31, 47],
  ]

  @Test(arguments: InstructionSet.available, sizes)
  func `a product agrees with a double precision reference`(_ set: InstructionSet, _ size: [Int]) throws {
    for transposes in 0..<4 {
      let results = try (1...3).map { try MatrixProductTests.run(set, size, threads: $0, transposes) }
      let expected = try MatrixProductTests.reference(size, transposes)
      #expect(relativeError(results[0], expected) < 2e-6)
      #expect(results[0] == results[1] && results[0] == results[2], "bits depend on the threads")
    }
  }

  private static func matrices(_ bench: Bench, _ size: [Int]) throws -> (a: Floats, b: Floats, c: Floats) {
    let (m, n, k) = (size[0], size[1], size[2])
    return (
      try bench.normal((m + 3) * (k + 3), seed: 1), try bench.normal((n + 3) * (k + 3), seed: 2),
      try bench.normal((m + 3) * (n + 3), seed: 3)
    )
  }

  static func run(_ set: InstructionSet, _ size: [Int], threads: Int, _ transposes: Int) throws -> [Float] {
    let (m, n, k) = (size[0], size[1], size[2])
    let bench = try Bench(set, threads: threads)
    let (a, b, c) = try matrices(bench, size)
    let product = MatrixProduct(m: m, n: n, k: k, compute: bench.compute)
    try bench.compute.allocate(from: bench.arena)
    let transposeA = transposes & 1 == 1
    let transposeB = transposes & 2 == 2
    product.run(
      Matrix(a, rowStride: (transposeA ? m : k) + 2), transposeA: transposeA,
      Matrix(b, rowStride: (transposeB ? k : n) + 2), transposeB: transposeB,
      into: Matrix(c, rowStride: n + 1),
      alpha: 0.5, beta: transposeA ? 0 : 2)
    return c.array
  }

  private static func reference(_ size: [Int], _ transposes: Int) throws -> [Double] {
    let (m, n, k) = (size[0], size[1], size[2])
    let (a, b, c) = try matrices(try Bench(.baseline, threads: 1), size)
    let transposeA = transposes & 1 == 1
    let transposeB = transposes & 2 == 2
    var result = c.array.map { Double($0) }
    for i in 0..<m {
      for j in 0..<n {
        var sum = 0.0
        for l in 0..<k {
          let x = transposeA ? a[l * (m + 2) + i] : a[i * (k + 2) + l]
          let y = transposeB ? b[j * (k + 2) + l] : b[l * (n + 2) + j]
          sum += Double(x) * Double(y)
        }
        result[i * (n + 1) + j] = 0.5 * sum + (transposeA ? 0 : 2) * result[i * (n + 1) + j]
      }
    }
    return result
  }
}
