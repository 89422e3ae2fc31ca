import Datasets
import Platform
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

  @Test func `is searched in a file as it would be in memory`() throws {
    let checkpoint = try Self.checkpoint()
    let images = try Tiny.open(Self.dataset)
    let extractor = try FeatureExtractor(
      of: checkpoint.specification, .pooled, storedSide: images.side, threads: 2)
    try extractor.load(checkpoint)
    let path = "\(FileSystem.temporaryDirectory)/vicregd-bank-\(UInt64.random(in: 0 ... .max))"
    // What is left in the temporary folder harms nobody.
    defer { try? FileSystem.remove(path) }
    let file = try AtomicFile(path)
    try FeatureBank.write(images, by: extractor) { try file.write($0) }
    try file.commit()
    let bank = try FeatureBank(path: path)
    #expect(bank.count == 700 && bank.featureCount == 128)
    #expect(try bank.label(of: 699) == images.labels?[699])
    let rows = try Self.rows(checkpoint).bytes
    let queries = Array(rows[(300 * 512)..<(303 * 512)])
    let found = try extractor.neighbours(of: queries, in: bank, k: 5)
    #expect(found.map { $0.first?.index } == [300, 301, 302])
    #expect(found.allSatisfy { abs(($0.first?.similarity ?? 0) - 1) < 1e-6 && $0.count == 5 })
    let all = try extractor.neighbours(of: queries, in: bank, k: 1_000)
    #expect(all.allSatisfy { Set($0.map(\.index)) == Set(0..<700) })
    #expect(all.map { Array($0.prefix(5)) } == found)
    #expect(found[1].map(\.label) == found[1].map { images.labels?[$0.index] })
    // Exact cosines of one query in double precision.
    let unit = Self.unitRows(rows)
    let cosines = unit.map { row -> Double in zip(row, unit[301]).reduce(0.0) { $0 + $1.0 * $1.1 } }
    for neighbour in all[1] {
      #expect(abs(Double(neighbour.similarity) - cosines[neighbour.index]) < 1e-5)
    }
    try AtomicFile.write(Array("not features".utf8), to: path)
    #expect(throws: FeatureBankError.self) { try FeatureBank(path: path) }
  }

  /// Rows of 128 floats divided by their norm.
  private static func unitRows(_ bytes: [UInt8]) -> [[Double]] {
    let values = stride(from: 0, to: bytes.count, by: 4).map { place in
      Double(
        Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }))
    }
    return stride(from: 0, to: values.count, by: 128).map { start in
      let row = Array(values[start..<(start + 128)])
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { $0 / norm }
    }
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
