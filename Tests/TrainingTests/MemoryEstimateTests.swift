import Platform
import Recipe
import Testing

@testable import Training

@Suite("Estimates of memory")
struct MemoryEstimateTests {
  private func bytes(_ change: (inout TrainSpecification) -> Void) throws -> Int {
    var specification = TrainSpecification.preset(.small)
    change(&specification)
    return try MemoryEstimate.bytes(
      training: specification, images: .init(count: 60_000, side: 32, planes: 1, classes: 10), threads: 1)
  }

  private func evaluation(
    _ choice: EvaluationProtocol, side: Int = 32, count: Int = 60_000, baselines: Bool = true,
    layer: EvaluationLayer? = nil
  ) throws -> Int {
    let images = MemoryEstimate.Images(count: count, side: side, planes: 1, classes: 10)
    let specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      protocol: choice, features: .cached, dataset: EvaluationDataset(name: "fashion-mnist"),
      baselines: baselines, epochs: 50, seed: 0, layer: layer)
    return try MemoryEstimate.bytes(
      evaluation: specification, of: .preset(.small), train: images, test: images, classes: 10, threads: 2)
  }

  @Test func `grow with the batch, the network, the optimiser's state and the dataset`() throws {
    let standard = try bytes { _ in }
    #expect(standard > 60_000 * 32 * 32)
    #expect(try bytes { $0.batchSize = 256 } > standard)
    #expect(try bytes { $0.encoder.width = 64 } > standard)
    #expect(try bytes { $0.optimizer.name = .lars } < standard)
    #expect(try bytes { $0.dataset.limit = 1_000 } < standard)
  }

  @Test func `grow with the side of the images, the planes and the threads`() throws {
    func bytes(side: Int = 32, planes: Int = 3, threads: Int = 1, count: Int = 100) throws -> Int {
      try MemoryEstimate.bytes(
        training: .preset(.seed), images: .init(count: count, side: side, planes: planes, classes: 10),
        threads: threads)
    }
    let standard = try bytes()
    #expect(try bytes(side: 64) > 2 * standard)
    #expect(try bytes(side: 128) > 2 * bytes(side: 64))
    #expect(try bytes(threads: 16) > standard)
    #expect(try bytes(count: 10_000) - bytes(planes: 1, count: 10_000) == 10_000 * 2 * 32 * 32)
  }

  @Test func `of evaluations grow with the images, the features and the baselines`() throws {
    let logistic = try evaluation(.logistic)
    // Features of both splits: 128 numbers for each image.
    #expect(try logistic - evaluation(.logistic, count: 30_000) > 2 * 30_000 * 128 * 4)
    #expect(try evaluation(.logistic, layer: .fc) > logistic)
    #expect(try evaluation(.logistic, side: 64) > logistic)
    #expect(try evaluation(.linear) > evaluation(.linear, baselines: false) - 1)
  }

  @Test func `take no memory, whatever they plan`() throws {
    let before = ProcessMemory.peakResidentBytes
    for side in [256, 512] {
      let planned = try MemoryEstimate.bytes(
        training: .preset(.paper), images: .init(count: 1_000_000, side: side, planes: 3, classes: 10),
        threads: 64)
      #expect(planned > 1_000_000 * 3 * side * side)
    }
    _ = try evaluation(.logistic, side: 512, count: 1_000_000)
    // Other tests run meanwhile; what is planned here is hundreds of gigabytes.
    #expect(ProcessMemory.peakResidentBytes - before < 4 << 30)
  }

  @Test func `are more than any machine has where a network does not fit into the address space`() throws {
    let huge = try bytes {
      $0.batchSize = 60_000
      $0.encoder.width = 512
    }
    #expect(huge >= 256 << 30)
  }
}
