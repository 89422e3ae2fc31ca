import Kernels
import Testing

@testable import NeuralNet

@Suite struct `Convolution, linear and pooling layers` {
  @Test func `the generator gives the numbers of its Python twin`() {
    let values = (0..<5).map { GoldenGenerator.uniform(seed: 42, index: $0) }
    #expect(values == Golden.shared.generator)
  }

  @Test(arguments: Golden.shared.convolutions.indices)
  func `a convolution gives PyTorch's output and gradients`(index: Int) throws {
    let golden = Golden.shared.convolutions[index]
    let shape = ConvolutionShape(
      images: golden.n, inputChannels: golden.c, height: golden.h, width: golden.w, outputChannels: golden.k,
      kernel: golden.kernel, stride: golden.stride, padding: golden.padding)
    let bench = try Bench()
    let layer = try Convolution2D("conv", shape, bias: golden.bias, plan: bench.plan)
    try bench.ready()
    fill(layer.weight, layer.bias, seed: golden.seed, fanIn: golden.c * golden.kernel * golden.kernel)
    let x = GoldenGenerator.values(seed: golden.seed + 1, count: golden.n * golden.c * golden.h * golden.w)
    let input = try bench.activation(golden.n, golden.c, golden.h, golden.w, x)
    let (p, q) = (shape.outputHeight, shape.outputWidth)
    let output = try bench.activation(golden.n, golden.k, p, q, zeros(golden.n * golden.k * p * q))
    layer.forward(input, output: output)
    #expect(try golden.output.relativeError(of: bench.planar(output)) <= 1e-5)

    let dOutput = try bench.activation(
      golden.n, golden.k, p, q,
      GoldenGenerator.values(seed: golden.seed + 4, count: golden.n * golden.k * p * q))
    let dInput = try bench.activation(golden.n, golden.c, golden.h, golden.w, x)
    layer.backwardParameters(input: input, dOutput: dOutput)
    layer.backwardInput(dOutput: dOutput, dInput: dInput)
    #expect(try golden.d_input.relativeError(of: bench.planar(dInput)) <= 1e-5)
    #expect(golden.d_weight.relativeError(of: layer.weight.gradient.array) <= 1e-5)
    if let bias = layer.bias {
      #expect(golden.d_bias?.relativeError(of: bias.gradient.array) ?? 1 <= 1e-5)
    }
  }

  @Test(arguments: Golden.shared.convolutions.indices.filter { Golden.shared.convolutions[$0].c == 3 })
  func `the stem gives PyTorch's output and gradients from planar images`(index: Int) throws {
    let golden = Golden.shared.convolutions[index]
    let shape = ConvolutionShape(
      images: golden.n, inputChannels: golden.c, height: golden.h, width: golden.w, outputChannels: golden.k,
      kernel: golden.kernel, stride: golden.stride, padding: golden.padding)
    let bench = try Bench()
    let layer = try Stem("conv", shape, bias: golden.bias, plan: bench.plan)
    try bench.ready()
    fill(layer.weight, layer.bias, seed: golden.seed, fanIn: golden.c * golden.kernel * golden.kernel)
    let images = try bench.floats(
      GoldenGenerator.values(seed: golden.seed + 1, count: golden.n * golden.c * golden.h * golden.w))
    let output = try bench.activation(golden.n, golden.k, shape.outputHeight)
    layer.forward(images, output: output)
    #expect(try golden.output.relativeError(of: bench.planar(output)) <= 1e-5)
    let dOutput = try bench.activation(
      golden.n, golden.k, shape.outputHeight, shape.outputWidth,
      GoldenGenerator.values(seed: golden.seed + 4, count: golden.output.shape.reduce(1, *)))
    layer.backwardParameters(images: images, dOutput: dOutput)
    #expect(golden.d_weight.relativeError(of: layer.weight.gradient.array) <= 1e-5)
    if let bias = layer.bias {
      #expect(golden.d_bias?.relativeError(of: bias.gradient.array) ?? 1 <= 1e-5)
    }
  }

  @Test(arguments: Golden.shared.linears.indices)
  func `a linear layer gives PyTorch's output and gradients`(index: Int) throws {
    let golden = Golden.shared.linears[index]
    let bench = try Bench()
    let layer = try Linear(
      "fc", rows: golden.n, inputs: golden.inputs, outputs: golden.outputs, bias: golden.bias,
      plan: bench.plan)
    try bench.ready()
    fill(layer.weight, layer.bias, seed: golden.seed, fanIn: golden.inputs)
    let x = GoldenGenerator.values(seed: golden.seed + 1, count: golden.n * golden.inputs)
    let input = try bench.activation(golden.n, golden.inputs, 1, 1, x)
    let output = try bench.activation(golden.n, golden.outputs, 1)
    layer.forward(input, output: output)
    let dOutput = try bench.activation(
      golden.n, golden.outputs, 1, 1,
      GoldenGenerator.values(seed: golden.seed + 4, count: golden.n * golden.outputs))
    let dInput = try bench.activation(golden.n, golden.inputs, 1)
    layer.backwardParameters(input: input, dOutput: dOutput)
    layer.backwardInput(dOutput: dOutput, dInput: dInput)
    #expect(try golden.output.relativeError(of: bench.planar(output)) <= 1e-5)
    #expect(try golden.d_input.relativeError(of: bench.planar(dInput)) <= 1e-5)
    #expect(golden.d_weight.relativeError(of: layer.weight.gradient.array) <= 1e-5)
    if let bias = layer.bias {
      #expect(golden.d_bias?.relativeError(of: bias.gradient.array) ?? 1 <= 1e-5)
    }
  }

  @Test(arguments: Golden.shared.pools.indices)
  func `average pooling gives PyTorch's output and gradient`(index: Int) throws {
    let golden = Golden.shared.pools[index]
    let bench = try Bench()
    try bench.ready()
    let x = GoldenGenerator.values(
      seed: golden.seed + 1, count: golden.n * golden.c * golden.side * golden.side)
    let input = try bench.activation(golden.n, golden.c, golden.side, golden.side, x)
    let output = try bench.activation(golden.n, golden.c, 1)
    bench.compute.averagePool(input, into: output)
    #expect(try golden.output.relativeError(of: bench.planar(output)) <= 1e-6)
    let dOutput = try bench.activation(
      golden.n, golden.c, 1, 1, GoldenGenerator.values(seed: golden.seed + 2, count: golden.n * golden.c))
    bench.compute.averagePoolBackward(dOutput: dOutput, into: input)
    #expect(try golden.d_input.relativeError(of: bench.planar(input)) <= 1e-6)
  }

  @Test(arguments: [(3, 1, 1), (3, 2, 1), (1, 2, 0), (5, 1, 2)])
  func `a convolution's gradients are its central differences`(kernel: Int, stride: Int, padding: Int) throws
  {
    let shape = ConvolutionShape(
      images: 2, inputChannels: 16, height: 7, width: 7, outputChannels: 20, kernel: kernel, stride: stride,
      padding: padding)
    let bench = try Bench()
    let layer = try Convolution2D("conv", shape, bias: true, plan: bench.plan)
    try bench.ready()
    fill(layer.weight, layer.bias, seed: 300, fanIn: 16 * kernel * kernel)
    let side = shape.outputHeight
    let x = GoldenGenerator.values(seed: 301, count: 2 * 16 * 49)
    let direction = GoldenGenerator.values(seed: 304, count: 2 * 20 * side * side)
    let input = try bench.activation(2, 16, 7, 7, x)
    let output = try bench.activation(2, 20, side)
    let dInput = try bench.activation(2, 16, 7)
    let dOutput = try bench.activation(2, 20, side, side, direction)
    layer.backwardParameters(input: input, dOutput: dOutput)
    layer.backwardInput(dOutput: dOutput, dInput: dInput)

    // The layer is linear in each argument: a large step is exact but for rounding.
    let byInput = try differenceError(at: x, gradient: bench.planar(dInput), step: 0.5) { values in
      layer.forward(try bench.activation(2, 16, 7, 7, values), output: output)
      return try dot(direction, bench.planar(output))
    }
    #expect(byInput < 1e-3)
    let weight = layer.weight.value.array
    let byWeight = try differenceError(at: weight, gradient: layer.weight.gradient.array, step: 0.5) {
      values in
      layer.weight.value.copy(from: values)
      layer.forward(input, output: output)
      return try dot(direction, bench.planar(output))
    }
    #expect(byWeight < 1e-3)
  }

  @Test func `a linear layer's gradients are its central differences`() throws {
    let (rows, inputs, outputs) = (5, 37, 19)
    let bench = try Bench()
    let layer = try Linear(
      "fc", rows: rows, inputs: inputs, outputs: outputs, bias: true, plan: bench.plan)
    try bench.ready()
    fill(layer.weight, layer.bias, seed: 400, fanIn: inputs)
    let x = GoldenGenerator.values(seed: 401, count: rows * inputs)
    let direction = GoldenGenerator.values(seed: 404, count: rows * outputs)
    let input = try bench.activation(rows, inputs, 1, 1, x)
    let output = try bench.activation(rows, outputs, 1)
    let dInput = try bench.activation(rows, inputs, 1)
    let dOutput = try bench.activation(rows, outputs, 1, 1, direction)
    layer.backwardParameters(input: input, dOutput: dOutput)
    layer.backwardInput(dOutput: dOutput, dInput: dInput)

    let byInput = try differenceError(at: x, gradient: bench.planar(dInput), step: 0.5) { values in
      layer.forward(try bench.activation(rows, inputs, 1, 1, values), output: output)
      return try dot(direction, bench.planar(output))
    }
    #expect(byInput < 1e-3)
    for parameter in [layer.weight, try #require(layer.bias)] {
      let value = parameter.value.array
      let error = try differenceError(at: value, gradient: parameter.gradient.array, step: 0.5) { values in
        parameter.value.copy(from: values)
        layer.forward(input, output: output)
        return try dot(direction, bench.planar(output))
      }
      parameter.value.copy(from: value)
      #expect(error < 1e-3, "\(parameter.name)")
    }
  }

  @Test func `average pooling's gradient is its central difference`() throws {
    let (images, channels, side) = (3, 21, 5)
    let bench = try Bench()
    try bench.ready()
    let x = GoldenGenerator.values(seed: 501, count: images * channels * side * side)
    let direction = GoldenGenerator.values(seed: 504, count: images * channels)
    let output = try bench.activation(images, channels, 1)
    let dInput = try bench.activation(images, channels, side)
    bench.compute.averagePoolBackward(
      dOutput: try bench.activation(images, channels, 1, 1, direction), into: dInput)
    let error = try differenceError(at: x, gradient: bench.planar(dInput), step: 0.5) { values in
      bench.compute.averagePool(try bench.activation(images, channels, side, side, values), into: output)
      return try dot(direction, bench.planar(output))
    }
    #expect(error < 1e-3)
  }

  private func zeros(_ count: Int) -> [Float] { Array(repeating: 0, count: count) }

  private func fill(_ weight: Parameter, _ bias: Parameter?, seed: Int, fanIn: Int) {
    let scale = 1 / Double(fanIn).squareRoot()
    weight.value.copy(from: GoldenGenerator.values(seed: seed + 2, count: weight.value.count, scale: scale))
    bias?.value.copy(from: GoldenGenerator.values(seed: seed + 3, count: bias?.value.count ?? 0))
  }
}
