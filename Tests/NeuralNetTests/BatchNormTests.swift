import Kernels
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `Batch normalisation` {
  @Test(arguments: Golden.shared.batch_norms.indices)
  func `gives PyTorch's output, gradients, running statistics and eval mode`(index: Int) throws {
    let golden = Golden.shared.batch_norms[index]
    let bench = try Bench()
    let layer = try layer(golden, bench)
    let (n, c, side) = (golden.n, golden.c, golden.side)
    let count = n * c * side * side
    func activation(_ seed: Int, _ scale: Double = 1, _ offset: Double = 0) throws -> Activation {
      try bench.activation(
        n, c, side, side,
        GoldenGenerator.values(seed: golden.seed + seed, count: count, scale: scale, offset: offset))
    }
    let input = try activation(1, 1.5, 0.3)
    let residual = golden.residual ? try activation(5) : nil
    let output = try bench.activation(n, c, side)
    layer.forward(input, residual: residual, relu: golden.relu, output: output, on: bench.compute)
    #expect(try golden.output.relativeError(of: bench.planar(output)) <= 1e-5)
    let buffers = bench.plan.buffers
    #expect(golden.running_mean.relativeError(of: buffers[0].value.array) <= 1e-5)
    #expect(golden.running_var.relativeError(of: buffers[1].value.array) <= 1e-5)
    #expect(buffers[2].value[0] == (golden.per_view ? 2 : 1))
    let evaluated = try bench.activation(n, c, side)
    layer.evaluate(input, output: evaluated, on: bench.compute)
    #expect(try golden.evaluated.relativeError(of: bench.planar(evaluated)) <= 1e-5)

    let dOutput = try activation(4)
    let mask: ReLUMask = golden.relu ? (golden.residual ? .output(output) : .recomputed) : .none
    // In place, as the blocks of a network do it.
    layer.backward(input: input, dOutput: dOutput, mask: mask, dInput: input, on: bench.compute)
    #expect(try golden.d_input.relativeError(of: bench.planar(input)) <= 1e-5)
    #expect(golden.d_weight.relativeError(of: bench.plan.parameters[0].gradient.array) <= 1e-5)
    #expect(golden.d_bias.relativeError(of: bench.plan.parameters[1].gradient.array) <= 1e-5)
    if let expected = golden.d_identity {
      #expect(try expected.relativeError(of: bench.planar(dOutput)) <= 1e-5)
    }
  }

  @Test(arguments: [1, 2])
  func `its gradients are its central differences`(views: Int) throws {
    let bench = try Bench()
    let layer = try BatchNorm("bn", channels: 20, views: views, plan: bench.plan)
    try bench.ready()
    let (weight, bias) = (bench.plan.parameters[0], bench.plan.parameters[1])
    weight.value.copy(from: GoldenGenerator.values(seed: 401, count: 20, scale: 0.5, offset: 1))
    bias.value.copy(from: GoldenGenerator.values(seed: 402, count: 20))
    let count = 6 * 20 * 9
    let x = GoldenGenerator.values(seed: 403, count: count, scale: 2)
    let direction = GoldenGenerator.values(seed: 404, count: count)
    let input = try bench.activation(6, 20, 3, 3, x)
    let output = try bench.activation(6, 20, 3)
    let dInput = try bench.activation(6, 20, 3)
    func value() throws -> Double {
      layer.forward(input, relu: false, output: output, on: bench.compute)
      return try dot(direction, bench.planar(output))
    }
    _ = try value()
    layer.backward(
      input: input, dOutput: try bench.activation(6, 20, 3, 3, direction), mask: .none, dInput: dInput,
      on: bench.compute)
    let byInput = try differenceError(at: x, gradient: bench.planar(dInput), step: 0.02) { values in
      bench.compute.blocked(planar: try bench.floats(values), into: input)
      return try value()
    }
    #expect(byInput < 2e-3)
    bench.compute.blocked(planar: try bench.floats(x), into: input)
    for parameter in [weight, bias] {
      let start = parameter.value.array
      let error = try differenceError(at: start, gradient: parameter.gradient.array, step: 0.5) { values in
        parameter.value.copy(from: values)
        return try value()
      }
      #expect(error < 1e-3)
      parameter.value.copy(from: start)
    }
  }

  @Test func `the gradients through residual add and ReLU are their central differences`() throws {
    let bench = try Bench()
    let layer = try BatchNorm("bn", channels: 20, views: 1, plan: bench.plan)
    try bench.ready()
    bench.plan.parameters[0].value.copy(
      from: GoldenGenerator.values(seed: 411, count: 20, scale: 0.5, offset: 1))
    let count = 6 * 20 * 9
    let x = GoldenGenerator.values(seed: 413, count: count, scale: 2)
    let r = GoldenGenerator.values(seed: 414, count: count)
    let direction = GoldenGenerator.values(seed: 415, count: count)
    let input = try bench.activation(6, 20, 3, 3, x)
    let residual = try bench.activation(6, 20, 3, 3, r)
    let output = try bench.activation(6, 20, 3)
    let dInput = try bench.activation(6, 20, 3)
    let dResidual = try bench.activation(6, 20, 3, 3, direction)
    func value(_ target: Activation, _ values: [Float]) throws -> Double {
      bench.compute.blocked(planar: try bench.floats(values), into: target)
      layer.forward(input, residual: residual, relu: true, output: output, on: bench.compute)
      return try dot(direction, bench.planar(output))
    }
    _ = try value(input, x)
    layer.backward(
      input: input, dOutput: dResidual, mask: .output(output), dInput: dInput, on: bench.compute)
    // A step carries few values over the kink, where the slope is not defined; each counts by half of it.
    let byInput = try differenceError(at: x, gradient: bench.planar(dInput), step: 0.002) {
      try value(input, $0)
    }
    #expect(byInput < 0.01)
    _ = try value(input, x)
    let byResidual = try differenceError(at: r, gradient: bench.planar(dResidual), step: 0.002) {
      try value(residual, $0)
    }
    #expect(byResidual < 0.01)
  }

  private func layer(_ golden: Golden.BatchNormCase, _ bench: Bench) throws -> BatchNorm {
    let layer = try BatchNorm("bn", channels: golden.c, views: golden.per_view ? 2 : 1, plan: bench.plan)
    try bench.ready()
    bench.plan.parameters[0].value.copy(
      from: GoldenGenerator.values(seed: golden.seed + 2, count: golden.c, scale: 0.25, offset: 1))
    bench.plan.parameters[1].value.copy(
      from: GoldenGenerator.values(seed: golden.seed + 3, count: golden.c, scale: 0.25))
    return layer
  }
}

// The layer on its own, without neighbours that do a part of its work on their way.
extension BatchNorm {
  /// Statistics of the batch, running statistics, and the normalised batch.
  fileprivate func forward(
    _ input: Activation, residual: Activation? = nil, relu: Bool, output: Activation, on compute: Compute
  ) {
    compute.takeStatistics(of: input, normalization)
    updateRunning(by: input)
    normalize(input, residual: residual, relu: relu, output: output)
  }

  /// The batch normalised by running statistics.
  fileprivate func evaluate(_ input: Activation, output: Activation, on compute: Compute) {
    let frozen = frozen(relu: false)
    compute.normalize(
      input, statistics: frozen.statistics, parameters: frozen.parameters, relu: frozen.relu, output: output)
  }

  /// `dOutput` becomes the gradient behind the ReLU: that of a residual.
  fileprivate func backward(
    input: Activation, dOutput: Activation, mask: ReLUMask, dInput: Activation, on compute: Compute
  ) {
    compute.applyEpilogue(to: dOutput, backwardEpilogue(input: input, mask: mask))
    backward(input: input, gradient: dOutput, dInput: dInput)
  }
}
