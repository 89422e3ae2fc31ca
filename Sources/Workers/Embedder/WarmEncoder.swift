import Datasets
import Importing
import Platform
import RunFolder
import Training

/// An encoder in memory with everything that turns files of images into features.
final class WarmEncoder {
  private let extractor: FeatureExtractor

  /// Shares of the memory that the encoder may take: images and searches need room as well.
  private static let memoryShare = 2

  /// Reads the encoder of a checkpoint.
  ///
  /// - Throws: `CheckpointError`, `TrainingError` for a layer that it lacks, `SystemError` without memory.
  init(_ order: EncoderOrder, memoryBytes: Int, threads: Int) throws {
    let checkpoint = try Checkpoint(path: order.checkpointPath) { !$0.hasPrefix("optimizer.") }
    let training = checkpoint.specification
    let layer = try order.layer.encoderLayer(of: training)
    let batchSize = try FeatureExtractor.batchSize(
      of: training, layer, storedSide: order.storedSide, threads: threads,
      bytesMax: memoryBytes / Self.memoryShare)
    extractor = try FeatureExtractor(
      of: training, layer, storedSide: order.storedSide, batchSize: batchSize, threads: threads)
    try extractor.load(checkpoint)
  }

  /// Numbers that describe an image, D.
  var featureCount: Int { extractor.featureCount }

  /// Decodes images and describes them, or finds their neighbours.
  ///
  /// - Throws: `OrderProblem` for images that cannot be decoded, `SystemError`, `FeatureBankError`.
  func answer(_ order: EmbedOrder) throws -> ImageEmbeddings {
    let side = order.side ?? extractor.imageSide
    let images = ImageDataset(
      pixels: try pixels(order, side: side), side: side,
      statistics: ChannelStatistics(mean: order.mean, std: order.std))
    var rows: [UInt8] = []
    try extractor.features(of: images) { features, _ in
      rows += features.littleEndianBytes
      return true
    }
    guard let search = order.search else { return ImageEmbeddings(dimension: featureCount, rows: rows) }
    let bank = try FeatureBank(path: search.bankPath)
    let found = try extractor.neighbours(of: rows, in: bank, k: search.k).map { list in
      list.map {
        ImageEmbeddings.Neighbour(
          index: $0.index, label: $0.label, similarity: Double($0.similarity))
      }
    }
    return ImageEmbeddings(dimension: featureCount, neighbours: found)
  }

  /// The images as squares, `[n][3][side][side]`.
  private func pixels(_ order: EmbedOrder, side: Int) throws -> [UInt8] {
    let file = try File(order.path, .read, links: .refused)
    let inputs = try order.parts.map { part -> DecodingPool.Input in
      .file(try file.read(at: part.lowerBound, countMax: part.count))
    }
    let pool = DecodingPool(side: side, fit: .cover, pixelsMax: order.pixelsMax, team: extractor.team)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(inputs.count * 3 * side * side)
    var problems: [OrderProblem.Part] = []
    for (index, output) in pool.decode(inputs).enumerated() {
      switch output {
      case .success(let planes): pixels += planes.three
      case .failure(let error): problems.append(.init(number: index + 1, message: "\(error)"))
      }
    }
    if let first = problems.first { throw OrderProblem(.images, first.message, parts: problems) }
    return pixels
  }
}

extension OrderProblem {
  /// The problem of an error that ended the work.
  init(behind error: any Error) {
    switch error {
    case let error as OrderProblem: self = error
    case let error as SystemError: self.init(behind: error)
    case let error as CheckpointError: self.init(.unreadable, "\(error)")
    case is DatasetError, is FeatureBankError: self.init(.dataset, "\(error)")
    default: self.init(.failed, "\(error)")
    }
  }
}
