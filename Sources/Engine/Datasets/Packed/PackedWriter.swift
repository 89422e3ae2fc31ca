import Crypto
import Platform
import Recipe
import Text

/// Writes a packed dataset into a folder of its own, image by image; the description comes last, when every
/// file is on the disk.
///
///     let writer = try PackedWriter(folder: work, side: 64, planes: 3, classes: ["cat", "dog"])
///     try writer.append(pixels, label: 1, path: "train/dog/7.png", to: .train)
///     let dataset = try writer.finish(name: "pets", source: "pets.zip", skipped: [], skippedCount: 0)
///     try FileSystem.rename(work, to: final)
///
/// Owned by one thread at a time.
package final class PackedWriter {
  private let folder: String
  private let side: Int
  private let planes: Int
  private let classes: [String]?
  private var splits: [DatasetSelection.Split: SplitWriter] = [:]
  private var statistics: StatisticsAccumulator

  /// Starts files in a folder, which is made; it must not have any of them.
  ///
  /// - Parameters:
  ///   - planes: of a stored image: 1 (grey) or 3.
  ///   - classes: nil: no image has a label.
  /// - Throws: `SystemError`.
  package init(folder: String, side: Int, planes: Int, classes: [String]?) throws(SystemError) {
    precondition(planes == 1 || planes == 3, "images have one plane or three")
    try FileSystem.makeDirectories(folder)
    self.folder = folder
    self.side = side
    self.planes = planes
    self.classes = classes
    statistics = StatisticsAccumulator(planes: planes)
  }

  /// Adds an image at the end of a split. Either all images of a split have labels, or none.
  ///
  /// - Parameters:
  ///   - image: `[planes][side][side]`.
  ///   - label: an index into the classes.
  ///   - path: where the image came from; has no line end.
  package func append(
    _ image: [UInt8], label: Int?, path: ByteString, to split: DatasetSelection.Split
  ) throws(SystemError) {
    precondition(image.count == planes * side * side, "pixels do not fit the shape")
    let classCount = classes?.count ?? 0
    precondition(label.map((0..<classCount).contains) ?? true, "a label is the index of a class")
    let writer: SplitWriter
    if let known = splits[split] {
      writer = known
    } else {
      writer = try SplitWriter(folder: folder, split, classCount: label == nil ? nil : classCount)
      splits[split] = writer
    }
    try writer.append(image, label: label, path: path)
    if split == .train { statistics.add(image, area: side * side) }
  }

  /// Makes everything durable and writes the description. There must be training images.
  package consuming func finish(
    name: String, source: String, skipped: [SkippedFile], skippedCount: Int
  ) throws(SystemError) -> PackedDataset {
    precondition(splits[.train] != nil, "a dataset has training images")
    var finished: [DatasetSelection.Split: PackedDataset.Split] = [:]
    for (name, writer) in splits { finished[name] = try writer.finish() }
    let bytes = finished.values.reduce(0) { $0 + $1.files.values.reduce(0) { $0 + $1.bytes } }
    let dataset = PackedDataset(
      name: name, classes: classes, splits: finished, side: side, planes: planes,
      statistics: statistics.statistics, bytes: bytes, skipped: skipped, skippedCount: skippedCount,
      source: source)
    try AtomicFile.write(dataset.json.utf8, to: "\(folder)/\(PackedFormat.manifestName)")
    return dataset
  }
}

/// The growing files of one split.
private final class SplitWriter {
  private let images: HashedFile
  private let labels: HashedFile?
  private let paths: HashedFile
  private var count = 0
  private var classCounts: [Int]?

  init(folder: String, _ split: DatasetSelection.Split, classCount: Int?) throws(SystemError) {
    func path(_ part: PackedFormat.Part) -> String { "\(folder)/\(PackedFormat.fileName(split, part))" }
    images = try HashedFile(path(.images))
    labels = classCount == nil ? nil : try HashedFile(path(.labels))
    paths = try HashedFile(path(.paths))
    classCounts = classCount.map { [Int](repeating: 0, count: $0) }
  }

  func append(_ image: [UInt8], label: Int?, path: ByteString) throws(SystemError) {
    precondition((label != nil) == (labels != nil), "either all images of a split have labels, or none")
    precondition(path.allSatisfy { $0 != 0x0A }, "a path has no line end")
    try images.append(image)
    if let label, let labels {
      try labels.append((0..<PackedFormat.labelBytes).map { UInt8(truncatingIfNeeded: label >> (8 * $0)) })
      classCounts?[label] += 1
    }
    try paths.append(Array(path.bytes) + [0x0A])
    count += 1
  }

  func finish() throws(SystemError) -> PackedDataset.Split {
    var stamps: [PackedFormat.Part: PackedDataset.FileStamp] = [:]
    let pixels = try images.finish()
    let labelled = try labels?.finish()
    let named = try paths.finish()
    stamps[.images] = pixels.stamp
    stamps[.labels] = labelled?.stamp
    stamps[.paths] = named.stamp
    let noLabels = hexadecimal(SHA256.digest(of: []))
    return PackedDataset.Split(
      count: count, classCounts: classCounts,
      digest: SplitDigest(pixels: pixels.digest, labels: labelled?.digest ?? noLabels),
      pathsDigest: named.digest, files: stamps)
  }
}

/// A new file that is written from front to end in large pieces, with the digest of its content.
private final class HashedFile {
  private let file: File
  private var hash: SHA256? = SHA256()
  private var pending: [UInt8] = []

  private static let pieceBytes = 1 << 20

  init(_ path: String) throws(SystemError) { file = try File(path, .createNew, links: .refused) }

  func append(_ bytes: [UInt8]) throws(SystemError) {
    pending += bytes
    if pending.count >= Self.pieceBytes { try flush() }
  }

  private func flush() throws(SystemError) {
    hash?.update(pending)
    try file.write(pending)
    pending.removeAll(keepingCapacity: true)
  }

  /// Makes the content durable. Nothing may be appended afterwards.
  func finish() throws(SystemError) -> (digest: String, stamp: PackedDataset.FileStamp) {
    try flush()
    try file.sync()
    guard let digest = hash.take()?.finish() else { preconditionFailure("a file is finished once") }
    let identity = try FileIdentity(of: file)
    return (
      hexadecimal(digest),
      PackedDataset.FileStamp(bytes: identity.bytes, inode: identity.inode, modified: identity.modified)
    )
  }
}
