import Parallel
import Tensors
import Testing

@testable import Datasets

@Suite struct BatchStreamTests {
  /// 40 images in batches of 16, 16 and 8.
  private static let batchSize = 16
  private static let stepsPerEpoch = 3

  private func order(_ epoch: Int) -> EpochOrder {
    EpochOrder(
      count: 40, batchSize: Self.batchSize, shuffle: true, dropLast: false, seed: 5, epoch: epoch)
  }

  private func loader(threads: Int) throws -> BatchLoader {
    try BatchLoader(
      dataset: DatasetCatalog().open("synthetic:side=16,count=40", split: .train),
      views: [.random(.seed), .random(.seed)], seed: 5, team: ThreadTeam(threads: threads))
  }

  private func stream(threads: Int, steps: Range<Int>) throws -> BatchStream {
    try BatchStream(loader: loader(threads: threads), batchSize: Self.batchSize, steps: steps, order: order)
  }

  /// The views of a step as the loader makes them at once.
  private func expected(step: Int) throws -> [Float] {
    let loader = try loader(threads: 1)
    let batch = order(step / Self.stepsPerEpoch).batch(step % Self.stepsPerEpoch)
    let output = try Arena().allocate(loader.viewFloats(batch.count))
    loader.load(batch, epoch: step / Self.stepsPerEpoch, into: output)
    return output.array
  }

  @Test(arguments: [(1, 0..<8), (2, 0..<8), (5, 0..<8), (2, 4..<7), (2, 2..<3)])
  func `gives every step the views that the loader makes, across the ends of epochs`(
    threads: Int, steps: Range<Int>
  ) throws {
    let stream = try stream(threads: threads, steps: steps)
    for step in steps {
      let batch = stream.next()
      #expect(batch.epoch == step / Self.stepsPerEpoch)
      #expect(batch.count == (step % Self.stepsPerEpoch == 2 ? 8 : 16))
      let views = try expected(step: step)
      #expect(batch.views.slice(0, views.count).array == views, "step \(step)")
    }
  }

  @Test func `leaves the views of a step alone until the next one is asked for`() throws {
    let stream = try stream(threads: 2, steps: 0..<6)
    for step in 0..<6 {
      let batch = stream.next()
      let views = try expected(step: step)
      // Long enough for the views of the next step to be made meanwhile.
      for _ in 0..<20 { #expect(batch.views.slice(0, views.count).array == views) }
    }
  }

  @Test(arguments: [0, 1, 3]) func `can go while views are being made`(taken: Int) throws {
    for _ in 0..<20 {
      let stream = try stream(threads: 2, steps: 0..<100)
      for _ in 0..<taken { _ = stream.next() }
    }
  }

  @Test func `waits for nothing when there are no steps`() throws {
    #expect(try stream(threads: 2, steps: 3..<3).waitedNanoseconds == 0)
  }
}
