import Datasets
import Recipe
import Text
import Testing

@testable import Training

@Suite("An embedding of a dataset")
struct EmbeddingTests {
  private static let dataset = "synthetic:classes=4,side=16,count=700,seed=3"

  private static func specification(_ layer: EvaluationLayer = .pooled) -> EmbedSpecification {
    EmbedSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      dataset: EvaluationDataset(name: ByteString(dataset)), split: .train, layer: layer)
  }

  private static func checkpoint(fc: Int? = nil) throws -> Checkpoint {
    var specification = Tiny.specification
    specification.encoder.fc = fc
    specification.maxSteps = 2
    let recorder = Recorder()
    _ = try Tiny.training(specification).run(recorder)
    return try Checkpoint(#require(recorder.saved.last).file)
  }

  /// The rows of all images from `first` on.
  private static func rows(
    _ checkpoint: Checkpoint, layer: EvaluationLayer = .pooled, threads: Int = 1, from first: Int = 0,
    _ recorder: Recorder = Recorder()
  ) throws -> (bytes: [UInt8], stop: StopRequest?) {
    let embedding = try DatasetEmbedding(
      specification(layer), checkpoint: checkpoint, dataset: Tiny.open(dataset), threads: threads)
    var bytes: [UInt8] = []
    let stop = try embedding.run(from: first, recorder) { rows, images in
      #expect(rows.count == images * embedding.featureCount * 4)
      bytes += rows
    }
    return (bytes, stop)
  }

  @Test func `has the same bits with any number of threads and from any batch`() throws {
    let checkpoint = try Self.checkpoint()
    let recorder = Recorder()
    let all = try Self.rows(checkpoint, recorder).bytes
    #expect(all.count == 700 * 128 * 4)
    #expect(recorder.figures.map(\.step) == [1, 2, 3])
    #expect(recorder.figures.last?["images"] == 700)
    for threads in [2, 3] { #expect(try Self.rows(checkpoint, threads: threads).bytes == all) }
    #expect(try Self.rows(checkpoint, from: 512).bytes == Array(all.suffix(188 * 128 * 4)))
    #expect(DatasetEmbedding.wholeBatches(700) == 512)
  }

  @Test func `stops between two batches`() throws {
    let checkpoint = try Self.checkpoint()
    let (bytes, stop) = try Self.rows(checkpoint, Recorder(stop: (2, .yield)))
    #expect(stop == .yield && bytes.count == 512 * 128 * 4)
    let (none, early) = try Self.rows(checkpoint, Recorder(stop: (0, .cancelNow)))
    #expect(early == .cancelNow && none.isEmpty)
  }

  @Test func `has the width of its layer, and needs one that is there`() throws {
    let checkpoint = try Self.checkpoint(fc: 24)
    #expect(try Self.rows(checkpoint, layer: .fc).bytes.count == 700 * 24 * 4)
    #expect(try Self.rows(checkpoint, layer: .embedding).bytes.count == 700 * 32 * 4)
    let error = #expect(throws: TrainingError.self) {
      try Self.rows(Self.checkpoint(), layer: .fc)
    }
    #expect(error == .missingLayer("fc"))
  }

  @Test func `has an estimate that grows with the images`() throws {
    func cost(_ count: Int, limit: Int? = nil) throws -> JobCost {
      var specification = Self.specification()
      specification.dataset.limit = limit
      return try JobCost(
        embedding: specification, of: .preset(.small),
        images: .init(count: count, side: 32, planes: 1, classes: 10, isPacked: true), threads: 2)
    }
    let (small, large) = (try cost(10_000), try cost(1_000_000))
    // The images of a large packed dataset stay in their file.
    #expect(try #require(large.memoryBytes) < #require(small.memoryBytes) + (100 << 20))
    #expect(try #require(large.diskBytes) > 2 * 1_000_000 * 128 * 4)
    #expect(try #require(large.work).amount == 100 * #require(small.work).amount)
    #expect(try cost(1_000_000, limit: 10_000).work == small.work)
    #expect(small.work?.kind == "embed" && small.stepImages == 256 && small.epochs == 1)
  }
}
