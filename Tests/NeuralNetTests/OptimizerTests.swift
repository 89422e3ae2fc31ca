import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `Optimizers` {
  @Test(arguments: Golden.shared.optimizers.indices)
  func `six steps give the parameters of PyTorch or of the published formula`(index: Int) throws {
    let golden = Golden.shared.optimizers[index]
    let bench = try Bench()
    let parameters = try parameters(golden, bench)
    let optimizer = try Optimizer(
      configuration(golden), parameters: parameters, compute: bench.compute, arena: bench.arena)
    try bench.ready()
    for (step, rate) in golden.rates.enumerated() {
      setGradients(parameters, step: step)
      optimizer.step(learningRate: rate)
    }
    for (parameter, expected) in zip(parameters, golden.parameters) {
      #expect(expected.relativeError(of: parameter.value.array) <= 2e-5)
    }
    #expect(optimizer.stepCount == golden.rates.count)
  }

  @Test(arguments: Golden.shared.optimizers.indices)
  func `goes on bit for bit from its saved state`(index: Int) throws {
    let golden = Golden.shared.optimizers[index]
    let bench = try Bench()
    try bench.ready()
    let whole = try parameters(golden, bench)
    let split = try parameters(golden, bench)
    let straight = try Optimizer(
      configuration(golden), parameters: whole, compute: bench.compute, arena: bench.arena)
    var part = try Optimizer(
      configuration(golden), parameters: split, compute: bench.compute, arena: bench.arena)
    for (step, rate) in golden.rates.enumerated() {
      setGradients(whole, step: step)
      setGradients(split, step: step)
      straight.step(learningRate: rate)
      if step == 3 {
        let resumed = try Optimizer(
          configuration(golden), parameters: split, compute: bench.compute, arena: bench.arena)
        for (target, source) in zip(resumed.state, part.state) { target.value.copy(from: source.value) }
        resumed.stepCount = part.stepCount
        part = resumed
      }
      part.step(learningRate: rate)
    }
    for (one, two) in zip(whole, split) { #expect(one.value.array == two.value.array) }
  }

  @Test(arguments: MethodGolden.shared.optimizers.indices)
  func `ten steps with Nesterov's momentum, decoupled decay and a constant rate give PyTorch's parameters`(
    index: Int
  ) throws {
    let golden = MethodGolden.shared.optimizers[index]
    let bench = try Bench()
    let parameters = try golden.shapes.enumerated().map { index, shape in
      bench.plan.rate = golden.name == "constant-rate" && index >= 2 ? .constant : .scheduled
      let parameter = try bench.plan.parameter("p\(index)", shape, .weight)
      parameter.value.copy(from: GoldenGenerator.values(seed: 5000 + index, count: parameter.value.count))
      return parameter
    }
    let configuration: OptimizerSpecification =
      golden.name == "adamw"
      ? OptimizerSpecification(name: .adamw, weightDecay: golden.weight_decay)
      : OptimizerSpecification(
        name: .sgd, weightDecay: golden.weight_decay, nesterov: golden.name == "sgd-nesterov")
    let optimizer = try Optimizer(
      configuration, parameters: parameters, compute: bench.compute, arena: bench.arena)
    try bench.ready()
    for (step, rate) in golden.rates.enumerated() {
      setGradients(parameters, step: step)
      optimizer.step(learningRate: rate, constantRate: 0.05)
    }
    for (parameter, expected) in zip(parameters, golden.parameters) {
      #expect(expected.relativeError(of: parameter.value.array) <= 2e-5, "\(golden.name)")
    }
  }

  @Test func `state tensors are named after their parameters`() throws {
    let bench = try Bench()
    let weight = try bench.plan.parameter("encoder.conv1.weight", [2, 3, 1, 1], .weight)
    let names = try [
      (OptimizerSpecification.Name.adam, 0.9), (.sgd, 0.9), (.sgd, 0),
    ].map { name, momentum in
      try Optimizer(
        OptimizerSpecification(name: name, momentum: momentum), parameters: [weight],
        compute: bench.compute, arena: bench.arena
      ).state.map(\.name)
    }
    #expect(
      names == [
        ["optimizer.exp_avg.encoder.conv1.weight", "optimizer.exp_avg_sq.encoder.conv1.weight"],
        ["optimizer.momentum_buffer.encoder.conv1.weight"], [],
      ])
  }

  private func configuration(_ golden: Golden.OptimizerCase) -> OptimizerSpecification {
    OptimizerSpecification(
      name: OptimizerSpecification.Name(rawValue: golden.name) ?? .adam, betas: golden.betas ?? [],
      epsilon: golden.eps ?? 0, weightDecay: golden.weight_decay, momentum: golden.momentum ?? 0,
      trust: golden.trust ?? 0, clip: golden.clip ?? false, excludeBiasAndNorm: golden.exclude ?? false)
  }

  private func parameters(_ golden: Golden.OptimizerCase, _ bench: Bench) throws -> [Parameter] {
    try golden.shapes.enumerated().map { index, shape in
      let parameter = try bench.plan.parameter("p\(index)", shape, shape.count > 1 ? .weight : .bias)
      let values = GoldenGenerator.values(seed: 5000 + index, count: parameter.value.count)
      // The last one starts at zero, where LARS has no ratio to adapt by.
      parameter.value.copy(from: index == 3 ? values.map { _ in 0 } : values)
      return parameter
    }
  }

  private func setGradients(_ parameters: [Parameter], step: Int) {
    for (index, parameter) in parameters.enumerated() {
      parameter.gradient.copy(
        from: GoldenGenerator.values(
          seed: 6000 + 10 * step + index, count: parameter.gradient.count, scale: 0.3))
    }
  }
}
