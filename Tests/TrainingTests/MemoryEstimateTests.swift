import JobModel
import Testing

@testable import Training

@Suite("Estimates of memory")
struct MemoryEstimateTests {
  private func bytes(_ change: (inout TrainSpecification) -> Void) throws -> Int {
    var specification = TrainSpecification.preset(.small)
    change(&specification)
    return try MemoryEstimate.bytes(specification, imageCount: 60_000, imageSide: 32, threads: 1)
  }

  @Test func `grow with the batch, the network, the optimiser's state and the data set`() throws {
    let standard = try bytes { _ in }
    #expect(standard > 60_000 * 3 * 32 * 32)
    #expect(try bytes { $0.batchSize = 256 } > standard)
    #expect(try bytes { $0.encoder.width = 64 } > standard)
    #expect(try bytes { $0.optimizer.name = .lars } < standard)
    #expect(try bytes { $0.dataset.limit = 1_000 } < standard)
  }

  @Test func `are more than any machine has where a network does not fit into the address space`() throws {
    let huge = try bytes {
      $0.batchSize = 60_000
      $0.encoder.width = 512
    }
    #expect(huge >= 256 << 30)
  }
}
