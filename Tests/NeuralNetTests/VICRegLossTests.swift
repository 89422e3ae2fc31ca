import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `VICReg loss` {
  @Test(arguments: Golden.shared.losses.indices)
  func `gives PyTorch's terms, diagnostics and gradient in every variant`(index: Int) throws {
    let golden = Golden.shared.losses[index]
    let bench = try Bench()
    let loss = try VICRegLoss(
      LossSpecification(golden.settings), batchSize: golden.n + 3, dimension: golden.d, plan: bench.plan)
    try bench.ready()
    let z = try bench.activation(2 * golden.n, golden.d, 1, 1, embedding(golden))
    let (parts, gradient) = loss.evaluate(z, diagnostics: true)
    #expect(isClose(parts.loss, golden.loss))
    #expect(isClose(parts.inv, golden.inv))
    #expect(isClose(parts.var, golden.var))
    #expect(isClose(parts.cov, golden.cov))
    #expect(isClose(parts.stdMean, golden.std_mean))
    #expect(isClose(parts.stdMin, golden.std_min))
    if let corr = golden.corr { #expect(isClose(parts.corr ?? -1, corr)) }
    if let rankMe = golden.rankme { #expect(isClose(parts.rankMe ?? -1, rankMe)) }
    let values = try bench.planar(gradient)
    #expect(golden.d_z1.relativeError(of: Array(values[..<(golden.n * golden.d)])) <= 1e-5)
    #expect(golden.d_z2.relativeError(of: Array(values[(golden.n * golden.d)...])) <= 1e-5)
  }

  @Test(arguments: [LossSpecification.Variance.sum, .mean], [0, 1e-4])
  func `its gradient is its central difference`(variance: LossSpecification.Variance, epsilon: Double) throws
  {
    let bench = try Bench()
    let configuration = LossSpecification(epsilon: epsilon, variance: variance)
    let loss = try VICRegLoss(configuration, batchSize: 12, dimension: 24, plan: bench.plan)
    try bench.ready()
    let z = GoldenGenerator.values(seed: 501, count: 24 * 24, scale: 1.2)
    let (_, gradient) = loss.evaluate(try bench.activation(24, 24, 1, 1, z), diagnostics: false)
    let error = try differenceError(at: z, gradient: bench.planar(gradient), step: 2e-3) { values in
      loss.evaluate(try bench.activation(24, 24, 1, 1, values), diagnostics: false).0.loss
    }
    #expect(error < 2e-3)
  }

  @Test func `a collapsed embedding has std 0, effective rank 1 and no gradient`() throws {
    let bench = try Bench()
    let loss = try VICRegLoss(LossSpecification(), batchSize: 6, dimension: 32, plan: bench.plan)
    try bench.ready()
    let z = try bench.activation(12, 32, 1, 1, Array(repeating: 0.25, count: 12 * 32))
    let (parts, gradient) = loss.evaluate(z, diagnostics: true)
    #expect(parts.stdMin == 0 && parts.stdMean == 0 && parts.var == 2 && parts.corr == 0)
    #expect(abs((parts.rankMe ?? 0) - 1) < 1e-3)
    #expect(try bench.planar(gradient).allSatisfy { $0 == 0 })
  }

  @Test func `an embedding that is not finite gives a loss that is not finite`() throws {
    let bench = try Bench()
    let loss = try VICRegLoss(LossSpecification(), batchSize: 4, dimension: 16, plan: bench.plan)
    try bench.ready()
    var values = GoldenGenerator.values(seed: 1, count: 8 * 16)
    values[5] = .nan
    let (parts, _) = loss.evaluate(try bench.activation(8, 16, 1, 1, values), diagnostics: true)
    #expect(!parts.isFinite)
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

extension LossSpecification {
  /// The settings of a golden case.
  init(_ settings: Golden.LossSettings) {
    self.init(
      inv: settings.inv, var: settings.var, cov: settings.cov, gamma: settings.gamma,
      epsilon: settings.epsilon,
      variance: settings.variance == "mean" ? .mean : .sum,
      batchNorm: settings.per_view ? .perView : .concatenated)
  }
}
