import Kernels
import NeuralNet
import Parallel
import Recipe
import Testing

@testable import Benchmarks

@Suite struct BenchmarkTests {
  private func network(
    _ preset: Preset, side: Int = 16, _ change: (inout TrainSpecification) -> Void = { _ in }
  ) -> BenchmarkNetwork {
    var specification = TrainSpecification.preset(preset)
    specification.batchSize = 4
    specification.encoder.width = 16
    change(&specification)
    return BenchmarkNetwork(specification, imageSide: side, threads: 2)
  }

  @Test func `the median of an even count lies between the two in the middle`() {
    #expect(Timing.median([4, 1, 3, 2]) == 2.5)
    #expect(Timing.median([9, 1, 5]) == 5)
  }

  @Test(arguments: [Preset.small, .byolCIFAR, .supervised], StepBenchmark.Images.allCases)
  func `steps of every kind of method are timed`(preset: Preset, images: StepBenchmark.Images) throws {
    let result = try StepBenchmark(network(preset), steps: 2, images: images)
    #expect(result.seconds.count == 2 && result.seconds.allSatisfy { $0 > 0 })
    #expect((result.medianWaitSeconds != nil) == (images == .augmented))
    #expect(result.peakGigaflops > 0 && result.floor.gigaflop > 0)
    #expect(abs(result.shareOfFloor * result.medianSeconds - result.floorSeconds) < 1e-12)
  }

  @Test func `ResNet-50 has rows for its stem, its max-pool and its 1×1 convolutions`() throws {
    let network = network(.paper, side: 64) {
      $0.encoder.architecture = .resnet50
      $0.encoder.stem = .imagenet
      $0.projector.widths = [32, 32]
    }
    let model = try network.training().model
    let kinds = try LayerBenchmark.kinds(of: model)
    let names = kinds.map(\.name)
    #expect(names.prefix(2) == ["7×7/2 3→16 64", "max-pool 3×3/2 16 32"])
    #expect(names.contains("1×1 16→64 16") && names.contains("1×1 64→16 16"))
    #expect(names.last == "covariance 32")
    // All layers with a weight, the max-pool and a covariance matrix for each view.
    #expect(kinds.reduce(0) { $0 + $1.count } == model.layers.count + 3)
    var measured: [String] = []
    try LayerBenchmark.measure(kinds, compute: Compute(team: try ThreadTeam(threads: 2)), rounds: 1) {
      measured.append($0.operation)
      #expect($0.seconds > 0)
    }
    #expect(measured.prefix(4) == ["forward", "dW", "forward", "dX"])
  }

  @Test func `the memory of all purposes is the total`() throws {
    let purposes = try MemoryBenchmark(network(.byolCIFAR)).purposes
    #expect(purposes.dropLast().reduce(0) { $0 + $1.bytes } == purposes.last?.bytes)
    #expect(purposes.allSatisfy { $0.bytes > 0 })
  }

  @Test func `a profile has the operations of a step, the longest first`() throws {
    let profile = try ProfileBenchmark(network(.small), steps: 1)
    #expect(profile.entries.contains { $0.name.hasSuffix("dW, direct") })
    #expect(zip(profile.entries, profile.entries.dropFirst()).allSatisfy { $0.nanoseconds >= $1.nanoseconds })
  }
}
