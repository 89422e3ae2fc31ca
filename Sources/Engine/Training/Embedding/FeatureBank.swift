import Datasets
import JSONText
import Platform
import TensorElements
import Tensors

/// The features of all images of a split in a file, among which neighbours are looked for.
///
/// The file begins with a description of `headerBytes` bytes: JSON with `count`, `dimension` and `labelled`,
/// and spaces. Then come the features, `[count][D]` little-endian floats, and of a labelled split four bytes
/// for each label, the lowest first.
package final class FeatureBank {
  /// Number of images.
  package let count: Int
  /// Numbers that describe an image, D.
  package let featureCount: Int
  private let isLabelled: Bool
  private let file: File

  private static let headerBytes = 4096
  private static let labelBytes = 4
  /// Labels that are written at a time.
  private static let pieceLabels = 64 << 10

  /// Opens a file that `write` has made.
  ///
  /// - Throws: `SystemError` where it cannot be read, `FeatureBankError` for another file.
  package init(path: String) throws {
    file = try File(path, .read, links: .refused)
    let header = try file.read(at: 0, countMax: Self.headerBytes)
    guard header.count == Self.headerBytes, let json = try? JSON.parse(header),
      let count = json["count"]?.int(in: 0...1 << 40),
      let dimension = json["dimension"]?.int(in: 1...1 << 20),
      let isLabelled = json["labelled"]?.bool
    else { throw FeatureBankError(path: path) }
    self.count = count
    featureCount = dimension
    self.isLabelled = isLabelled
    let rowBytes = dimension * MemoryLayout<Float>.stride + (isLabelled ? Self.labelBytes : 0)
    guard try file.size() == Self.headerBytes + count * rowBytes else { throw FeatureBankError(path: path) }
  }

  /// Computes the features of a split and passes the bytes of the file on, in order.
  ///
  /// - Throws: `TrainingError.featuresNotFinite`, and what the sink throws.
  package static func write(
    _ dataset: ImageDataset, by extractor: FeatureExtractor, to sink: ([UInt8]) throws -> Void
  ) throws {
    let description: JSON = [
      "count": .integer(dataset.count), "dimension": .integer(extractor.featureCount),
      "labelled": .bool(dataset.labels != nil),
    ]
    let text = description.utf8
    try sink(text + [UInt8](repeating: UInt8(ascii: " "), count: headerBytes - text.count))
    try extractor.features(of: dataset) { features, _ in
      guard features.array.allSatisfy(\.isFinite) else {
        throw TrainingError.featuresNotFinite
      }
      try sink(features.littleEndianBytes)
      return true
    }
    guard let labels = dataset.labels else { return }
    for start in stride(from: 0, to: labels.count, by: pieceLabels) {
      var bytes: [UInt8] = []
      for label in labels[start..<min(start + pieceLabels, labels.count)] {
        for place in 0..<labelBytes { bytes.append(UInt8(truncatingIfNeeded: label >> (8 * place))) }
      }
      try sink(bytes)
    }
  }

  /// Reads the features of consecutive images to the front of `target`.
  func read(_ images: Range<Int>, into target: Floats) throws(SystemError) {
    precondition(images.lowerBound >= 0 && images.upperBound <= count, "images must be rows of the bank")
    let rowBytes = featureCount * MemoryLayout<Float>.stride
    let bytes = try file.read(
      at: Self.headerBytes + images.lowerBound * rowBytes, countMax: images.count * rowBytes)
    guard bytes.count == images.count * rowBytes else { throw shortened }
    target.slice(0, images.count * featureCount).copy(fromLittleEndian: bytes)
  }

  /// The label of an image; `nil`: it has none.
  func label(of image: Int) throws(SystemError) -> Int? {
    guard isLabelled else { return nil }
    let start = Self.headerBytes + count * featureCount * MemoryLayout<Float>.stride
    let bytes = try file.read(at: start + image * Self.labelBytes, countMax: Self.labelBytes)
    guard bytes.count == Self.labelBytes else { throw shortened }
    return bytes.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  }

  /// Where it is.
  var path: String { file.path }

  private var shortened: SystemError {
    .tooLarge("read", file.path, "the file has become shorter")
  }
}

/// A file is not what features are kept in.
package struct FeatureBankError: Error, CustomStringConvertible {
  package let path: String

  package var description: String { "\(path) is not a file of features" }
}

extension FeatureExtractor {
  /// An image of a bank that is similar to another one.
  package struct Neighbour: Sendable, Equatable {
    /// Its place in the bank.
    package let index: Int
    /// Its class; `nil`: it has no label.
    package let label: Int?
    /// The cosine of the angle between the features.
    package let similarity: Float
  }

  /// Looks for the nearest neighbours of images in a bank, by comparing each with all of it.
  ///
  /// - Parameters:
  ///   - rows: features of the images, `[n][D]`, as bytes of little-endian floats.
  ///   - k: neighbours of each; all, where there are fewer.
  /// - Returns: for each image, the most similar first; of equally similar ones, the one that comes first.
  /// - Throws: `FeatureBankError` for a bank of other features, `SystemError`.
  package func neighbours(of rows: [UInt8], in bank: FeatureBank, k: Int) throws -> [[Neighbour]] {
    guard bank.featureCount == featureCount else { throw FeatureBankError(path: bank.path) }
    let count = rows.count / (featureCount * MemoryLayout<Float>.stride)
    guard count > 0, bank.count > 0 else { return Array(repeating: [], count: count) }
    let arena = try Arena()
    let queries = try arena.allocate(count * featureCount)
    queries.copy(fromLittleEndian: rows)
    let search = try NeighbourSearch(
      featureCount: featureCount, bankCount: bank.count, queryCount: count, k: k, team: team, arena: arena)
    var found: [[(index: Int, similarity: Float)]] = []
    try search.run(.table(queries), Array(0..<count), in: .init(bank)) {
    } found: {
      found.append($1)
    } counted: { _ in
    }
    return try found.map { list in
      try list.map {
        Neighbour(index: $0.index, label: try bank.label(of: $0.index), similarity: $0.similarity)
      }
    }
  }
}
