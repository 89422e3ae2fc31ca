import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `VICReg loss` {
  @Test(arguments: Golden.shared.losses.indices)
  func `gives PyTorch's terms, diagnostics and gradient in every variant`(index: Int) throws {
    let golden = Golden.shared.losses[index]
    let bench = try Bench()
    let shape = EmbeddingShape(views: 2, batchSize: golden.n + 3, dimension: golden.d)
    let method = VICReg(golden.settings)
    let objective = try method.objective(shape, plan: bench.plan)
    let diagnostics = try EmbeddingDiagnostics(method.diagnosed, shape, plan: bench.plan)
    try bench.ready()
    let z = try bench.activation(2 * golden.n, golden.d, 1, 1, embedding(golden))
    let (loss, gradient) = objective.evaluate(BranchOutputs(embedding: z))
    #expect(isClose(loss, golden.loss))
    let figures = objective.figures + diagnostics.figures(z)
    for (name, expected) in [
      ("inv", golden.inv), ("var", golden.var), ("cov", golden.cov), ("std_mean", golden.std_mean),
      ("std_min", golden.std_min), ("corr", golden.corr), ("rankme", golden.rankme),
    ] {
      if let expected { #expect(isClose(try #require(figures[name]), expected), "\(name)") }
    }
    let values = try bench.planar(gradient)
    #expect(golden.d_z1.relativeError(of: Array(values[..<(golden.n * golden.d)])) <= 1e-5)
    #expect(golden.d_z2.relativeError(of: Array(values[(golden.n * golden.d)...])) <= 1e-5)
  }

  @Test(arguments: [VICReg.Variance.sum, .mean], [0, 1e-4])
  func `its gradient is its central difference`(variance: VICReg.Variance, epsilon: Double) throws {
    let bench = try Bench()
    let configuration = VICReg(epsilon: epsilon, variance: variance)
    let objective = try configuration.objective(
      EmbeddingShape(views: 2, batchSize: 12, dimension: 24), plan: bench.plan)
    try bench.ready()
    let z = GoldenGenerator.values(seed: 501, count: 24 * 24, scale: 1.2)
    func evaluate(_ values: [Float]) throws -> (loss: Double, gradient: Activation) {
      objective.evaluate(BranchOutputs(embedding: try bench.activation(24, 24, 1, 1, values)))
    }
    let gradient = try bench.planar(evaluate(z).gradient)
    let error = try differenceError(at: z, gradient: gradient, step: 2e-3) { try evaluate($0).loss }
    #expect(error < 2e-3)
  }

  @Test func `a collapsed embedding has std 0, effective rank 1 and no gradient`() throws {
    let bench = try Bench()
    let shape = EmbeddingShape(views: 2, batchSize: 6, dimension: 32)
    let objective = try VICReg().objective(shape, plan: bench.plan)
    let diagnostics = try EmbeddingDiagnostics(.raw(epsilon: 0), shape, plan: bench.plan)
    try bench.ready()
    let z = try bench.activation(12, 32, 1, 1, Array(repeating: 0.25, count: 12 * 32))
    let (_, gradient) = objective.evaluate(BranchOutputs(embedding: z))
    let figures = objective.figures + diagnostics.figures(z)
    for (name, expected) in [("std_min", 0.0), ("std_mean", 0), ("var", 2), ("corr", 0)] {
      #expect(figures[name] == expected, "\(name)")
    }
    #expect(abs((figures["rankme"] ?? 0) - 1) < 1e-3)
    #expect(try bench.planar(gradient).allSatisfy { $0 == 0 })
  }

  @Test func `an embedding that is not finite gives a loss that is not finite`() throws {
    let bench = try Bench()
    let objective = try VICReg().objective(
      EmbeddingShape(views: 2, batchSize: 4, dimension: 16), plan: bench.plan)
    try bench.ready()
    var values = GoldenGenerator.values(seed: 1, count: 8 * 16)
    values[5] = .nan
    let (loss, _) = objective.evaluate(BranchOutputs(embedding: try bench.activation(8, 16, 1, 1, values)))
    #expect(!loss.isFinite)
  }

  @Test(arguments: [1, 2, 3, 17, 64])
  func `eigenvalues have the right power sums`(order: Int) throws {
    var matrix = Array(repeating: 0.0, count: order * order)
    for i in 0..<order {
      for j in 0...i {
        let value = GoldenGenerator.uniform(seed: 600 + order, index: i * order + j)
        matrix[i * order + j] = value
        matrix[j * order + i] = value
      }
    }
    var solver = SymmetricEigenvalues(order: order)
    let found = solver.ofLowerTriangle(matrix, order: order)
    let values = try #require(found)
    // tr A, tr A² and tr A⁴ of the matrix are the sums of powers of its eigenvalues.
    var square = matrix
    for i in 0..<order {
      for j in 0..<order {
        square[i * order + j] = (0..<order).reduce(0) { $0 + matrix[i * order + $1] * matrix[$1 * order + j] }
      }
    }
    let trace = (0..<order).reduce(0) { $0 + matrix[$1 * order + $1] }
    let second = matrix.reduce(0) { $0 + $1 * $1 }
    let fourth = square.reduce(0) { $0 + $1 * $1 }
    #expect(abs(values.reduce(0, +) - trace) < 1e-12 * (1 + second))
    #expect(abs(values.reduce(0) { $0 + $1 * $1 } - second) < 1e-12 * (1 + second))
    #expect(abs(values.reduce(0) { $0 + $1 * $1 * $1 * $1 } - fourth) < 1e-11 * (1 + fourth))
  }

  private func embedding(_ golden: Golden.LossCase) -> [Float] {
    let count = golden.n * golden.d
    var one = GoldenGenerator.values(seed: golden.seed + 1, count: count, scale: 1.6)
    let noise = GoldenGenerator.values(seed: golden.seed + 2, count: count, scale: 0.7)
    let two = zip(one, noise).map { Float(Double($0) + Double($1)) }
    if golden.constant {
      for row in 0..<golden.n { one[row * golden.d + 3] = 0.5 }
    }
    return one + two
  }

  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 2e-6 * max(1, abs(expected))
  }
}

extension VICReg {
  /// The settings of a golden case.
  init(_ settings: Golden.LossSettings) {
    self.init(
      inv: settings.inv, var: settings.var, cov: settings.cov, gamma: settings.gamma,
      epsilon: settings.epsilon,
      variance: settings.variance == "mean" ? .mean : .sum,
      batchNorm: settings.per_view ? .perView : .concatenated)
  }
}
