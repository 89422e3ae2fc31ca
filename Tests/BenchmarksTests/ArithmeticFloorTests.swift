import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors
import Testing

@testable import Benchmarks

@Suite struct ArithmeticFloorTests {
  /// The floor of a specification's step; nothing is computed.
  private func floor(
    _ preset: Preset, side: Int, batch: Int, _ change: (inout TrainSpecification) -> Void = { _ in }
  ) throws -> ArithmeticFloor {
    var specification = TrainSpecification.preset(preset)
    change(&specification)
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: 10), imageSide: side, batchSize: batch,
      team: try ThreadTeam(threads: 1), convolutions: .automatic, arena: .counting())
    return ArithmeticFloor(layers: model.layers)
  }

  @Test func `seed at batch 256 needs 461 GFLOP of convolutions and 12 of Linears`() throws {
    let floor = try floor(.seed, side: 32, batch: 256)
    #expect((floor.convolutionGigaflop * 10).rounded() == 4610)
    #expect((floor.linearGigaflop * 10).rounded() == 121)
    #expect(abs(floor.seconds(atGigaflops: 100) - floor.gigaflop / 100) < 1e-12)
  }

  @Test func `the floor grows with the batch alone`() throws {
    let (one, two) = (try floor(.seed, side: 32, batch: 8), try floor(.seed, side: 32, batch: 16))
    #expect(abs(two.gigaflop - 2 * one.gigaflop) < 1e-9)
  }

  @Test func `a moving average adds one direction`() throws {
    let without = try floor(.simclrCIFAR, side: 32, batch: 4)
    let with = try floor(.byolCIFAR, side: 32, batch: 4)
    // The first convolution has two directions, the others three; an average has one of each. Eight views of
    // 34 × 34 outputs: the stem has a padding of 2.
    let first = 2.0 * 64 * 27 * 34 * 34 * 8 / 1e9
    let oneDirection = (without.convolutionGigaflop - 2 * first) / 3 + first
    #expect(abs(with.convolutionGigaflop - without.convolutionGigaflop - oneDirection) < 1e-9)
  }

  @Test(arguments: [
    (kernel: 3, stride: 1, products: 4 * 64), (3, 2, 49 + 2 * 42 + 36), (1, 1, 144), (1, 2, 36),
    (7, 2, 36 * 49),
  ])
  func `a map of 12 × 12 takes the cheapest algorithm`(kernel: Int, stride: Int, products: Int) {
    let shape = ConvolutionShape(
      images: 1, inputChannels: 5, height: 12, width: 12, outputChannels: 3, kernel: kernel, stride: stride,
      padding: kernel / 2)
    #expect(ArithmeticFloor.fewestProducts(shape) == 15 * products)
  }
}
