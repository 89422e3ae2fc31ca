import Kernels
import Recipe
import Tensors
import Testing

@testable import NeuralNet

/// The gradients of blocks and stems against central differences of what they compute.
@Suite struct `Residual blocks and stems` {
  private static let images = 4

  /// One planned block with the stem before it, for images of 11 × 11 pixels.
  private struct Planned {
    let bench: Bench
    let stem: EncoderStem
    let block: ResidualBlock
    let input: Floats
    let description: NetworkDescription

    init(_ configuration: EncoderSpecification, views: Int) throws {
      bench = try Bench()
      description = try NetworkDescription(configuration, imageSide: 11)
      let memory = try NetworkMemory(description, images: images, plan: bench.plan)
      stem = try EncoderStem(description, images: images, views: views, memory: memory.stem, plan: bench.plan)
      block = try ResidualBlock(
        description.blocks[0], images: images, views: views, memory: memory.blocks[0], plan: bench.plan)
      try bench.ready()
      input = try bench.floats(
        GoldenGenerator.values(seed: 1, count: images * 3 * 11 * 11, scale: 2))
      for (index, parameter) in bench.plan.parameters.enumerated() {
        let fanIn = Double(parameter.value.count / parameter.shape[0])
        let isWeight = parameter.shape.count > 1
        parameter.value.copy(
          from: GoldenGenerator.values(
            seed: 10 + index, count: parameter.value.count,
            scale: isWeight ? (6 / fanIn).squareRoot() : 0.25,
            offset: !isWeight && parameter.name.hasSuffix("weight") ? 1 : 0))
      }
    }

    func forward() throws -> [Float] {
      let (maps, norm) = stem.forward(input, count: images)
      return try bench.planar(block.forward(maps, norm: norm))
    }

    /// Backward from the gradient `direction` of the block's output.
    func backward(_ direction: [Float]) throws {
      let output = block.output
      let gradient = try bench.activation(images, output.channels, output.height, output.width, direction)
      bench.compute.applyEpilogue(to: gradient, block.backwardEpilogue(images: 0..<images))
      stem.backward(input, through: block, gradient: gradient)
    }
  }

  @Test(
    arguments: [
      EncoderSpecification(architecture: .resnet50, width: 16, stem: .imagenet),
      EncoderSpecification(architecture: .resnet18, width: 16, stem: .imagenet),
      EncoderSpecification(architecture: .resnet50, width: 16, stemPadding: 1),
      EncoderSpecification(architecture: .resnet18, width: 32, stemPadding: 2),
    ], [1, 2])
  func `have gradients that are their central differences`(
    configuration: EncoderSpecification, views: Int
  ) throws {
    let planned = try Planned(configuration, views: views)
    let direction = GoldenGenerator.values(seed: 2, count: try planned.forward().count)
    try planned.backward(direction)
    let gradients = planned.bench.plan.parameters.map(\.gradient.array)
    let largest = gradients.map { dot($0, $0).squareRoot() }.max() ?? 0
    for (parameter, gradient) in zip(planned.bench.plan.parameters, gradients) {
      // A bias in front of a BatchNorm changes nothing.
      let norm = dot(gradient, gradient).squareRoot()
      guard norm > 1e-5 * largest else { continue }
      // Along the gradient, where the slope stands out most from rounding and from the kinks of ReLUs.
      let start = parameter.value.array
      let step = 4e-4 * max(dot(start, start).squareRoot(), 0.1)
      func value(_ step: Double) throws -> Double {
        parameter.value.copy(
          from: zip(start, gradient).map { Float(Double($0) + step * Double($1) / norm) })
        defer { parameter.value.copy(from: start) }
        return try dot(planned.forward(), direction)
      }
      let slope = try (value(step) - value(-step)) / (2 * step)
      #expect(abs(slope / norm - 1) < 0.015, "\(parameter.name): \(slope / norm)")
    }
  }

  @Test(arguments: [
    PoolWindow(kernel: 3, stride: 2, padding: 1), PoolWindow(kernel: 2, stride: 1, padding: 0),
  ])
  func `max-pooling has the gradient that is its central difference`(window: PoolWindow) throws {
    let bench = try Bench()
    try bench.ready()
    let (n, c, side) = (2, 20, 9)
    // All different, and farther apart than the steps.
    let order = (0..<n * c * side * side).sorted {
      GoldenGenerator.bits(seed: 3, index: $0) < GoldenGenerator.bits(seed: 3, index: $1)
    }
    let x = order.map { Float($0) / 64 }
    let outputs = window.outputs(of: side)
    let direction = GoldenGenerator.values(seed: 4, count: n * c * outputs * outputs)
    let output = try bench.activation(n, c, outputs)
    let dInput = try bench.activation(n, c, side)
    let dOutput = try bench.activation(n, c, outputs, outputs, direction)
    bench.compute.maxPoolBackward(
      input: try bench.activation(n, c, side, side, x), window, dOutput: dOutput, into: dInput)
    let error = try differenceError(at: x, gradient: bench.planar(dInput), step: 1.0 / 256) { values in
      bench.compute.maxPool(try bench.activation(n, c, side, side, values), window, into: output)
      return try dot(bench.planar(output), direction)
    }
    #expect(error < 1e-3)
  }
}
