import Platform
import Recipe

/// A folder of four IDX files as MNIST's: grey images and labels for training and test, plain or gzipped.
///
/// Format: http://yann.lecun.com/exdb/mnist, "the IDX file format". Images are centred on a black square of
/// at least 32 × 32 pixels.
struct IDXFolder: DatasetSource {
  let folder: String
  /// Names of the classes; `nil`: as many as the training labels use, named by their numbers.
  let classes: [String]?
  let knownStatistics: ChannelStatistics?
  /// What to do if a file is missing.
  let hint: String
  /// Below which its files must lie; `nil`: anywhere.
  var roots: RootFolders?

  /// The smallest side that images are padded to.
  private static let sideMin = 32
  /// The largest height or width accepted.
  private static let extentMax = 1024
  /// Labels that are read at a time.
  private static let labelsPerPiece = 64 << 10

  private struct Header {
    var count: Int
    var height: Int
    var width: Int
  }

  /// Reads the four headers and all labels.
  func layout() throws(DatasetError) -> DatasetLayout {
    let (_, train) = try openImages(.train)
    let (_, test) = try openImages(.test)
    let classes = try classNames()
    try checkLabels(.train, count: train.count, allowed: classes.count)
    try checkLabels(.test, count: test.count, allowed: classes.count)
    let side = Self.side(train)
    guard Self.side(test) == side else {
      throw .wrongParameter(name: folder, problem: "training and test images have different sizes")
    }
    return DatasetLayout(
      classes: classes, counts: [.train: train.count, .test: test.count], side: side, planes: 1)
  }

  /// The images padded; labels out of range are refused, and so is anything after the last image or label.
  func read(
    _ split: DatasetSelection.Split, limit: Int, pieceMax: Int, _ take: (LabelledPixels) -> Void
  ) throws(DatasetError) {
    let (images, header) = try openImages(split)
    let allowed = try classNames().count
    let labels = try openLabels(split, count: header.count)
    let side = Self.side(header)
    var start = 0
    while start < min(header.count, limit) {
      let count = min(pieceMax, min(header.count, limit) - start)
      let bytes = try images.take(
        count * header.height * header.width, "images \(start) to \(start + count - 1)")
      take(
        LabelledPixels(
          pixels: Self.padded(bytes, count: count, header, side: side),
          labels: try Self.takeLabels(labels, count, allowed: allowed).map { Int($0) }))
      start += count
    }
    if limit >= header.count {
      try images.expectEnd()
      try labels.expectEnd()
    }
  }

  private static func side(_ header: Header) -> Int { max(header.height, header.width, sideMin) }

  private func open(_ split: DatasetSelection.Split, _ kind: String) throws(DatasetError) -> DataFile {
    try DataFile(folders: [folder], names: Self.names(split, kind), below: roots, hint: hint)
  }

  private static func names(_ split: DatasetSelection.Split, _ kind: String) -> [String] {
    let prefix = split == .train ? "train" : "t10k"
    return ["\(prefix)-\(kind)-ubyte", "\(prefix)-\(kind.replacingFirstDash)-ubyte"]
  }

  var candidates: [String] {
    DataFile.candidates(
      folders: [folder],
      names: DatasetSelection.Split.allCases.flatMap { split in
        [Self.imagesKind, Self.labelsKind].flatMap { Self.names(split, $0) }
      })
  }

  private static let imagesKind = "images-idx3"
  private static let labelsKind = "labels-idx1"

  private func openImages(_ split: DatasetSelection.Split) throws(DatasetError) -> (DataFile, Header) {
    let file = try open(split, Self.imagesKind)
    try Self.expectMagic(file, dimensions: 3)
    let count = try file.takeNumber("the number of images")
    let height = try file.takeNumber("the number of rows")
    let width = try file.takeNumber("the number of columns")
    for (offset, value) in [(8, height), (12, width)] {
      guard (1...Self.extentMax).contains(value) else {
        throw .malformed(
          file: file.path, offset: offset, expected: "a height and width of 1 to \(Self.extentMax)",
          found: "\(value)")
      }
    }
    try file.expectRoom(for: count, height * width, "images", saidAt: 4)
    return (file, Header(count: count, height: height, width: width))
  }

  /// The file of labels after its header, which has to say as many as the image file.
  private func openLabels(
    _ split: DatasetSelection.Split, count expected: Int
  ) throws(DatasetError) -> DataFile {
    let file = try open(split, Self.labelsKind)
    try Self.expectMagic(file, dimensions: 1)
    let count = try file.takeNumber("the number of labels")
    if count != expected {
      throw .malformed(
        file: file.path, offset: 4, expected: "\(expected) labels, one per image", found: "\(count)")
    }
    try file.expectRoom(for: count, 1, "labels", saidAt: 4)
    return file
  }

  /// The next labels, one byte each.
  private static func takeLabels(
    _ file: DataFile, _ count: Int, allowed: Int
  ) throws(DatasetError) -> [UInt8] {
    let start = file.offset
    let labels = try file.take(count, "labels")
    if let wrong = labels.firstIndex(where: { $0 >= allowed }) {
      throw .malformed(
        file: file.path, offset: start + wrong, expected: "a label of 0 to \(allowed - 1)",
        found: "\(labels[wrong])")
    }
    return labels
  }

  private func classNames() throws(DatasetError) -> [String] {
    if let classes { return classes }
    let count = try openImages(.train).1.count
    let highest = try checkLabels(.train, count: count, allowed: 256)
    return (0...Int(highest)).map { "\($0)" }
  }

  /// Reads all labels of a split, which has to have so many, each below `allowed`.
  ///
  /// - Returns: the highest.
  @discardableResult
  private func checkLabels(
    _ split: DatasetSelection.Split, count: Int, allowed: Int
  ) throws(DatasetError) -> UInt8 {
    let file = try openLabels(split, count: count)
    var left = count
    var highest: UInt8 = 0
    while left > 0 {
      let labels = try Self.takeLabels(file, min(left, Self.labelsPerPiece), allowed: allowed)
      highest = max(highest, labels.max() ?? 0)
      left -= labels.count
    }
    try file.expectEnd()
    return highest
  }

  /// Two zero bytes, 8 for unsigned bytes, the number of dimensions.
  private static func expectMagic(_ file: DataFile, dimensions: UInt8) throws(DatasetError) {
    let magic = try file.take(4, "the magic number")
    guard magic == [0, 0, 8, dimensions] else {
      throw .malformed(
        file: file.path, offset: 0, expected: "the bytes 0 0 8 \(dimensions) of an IDX file of bytes",
        found: magic.map { "\($0)" }.joined(separator: " "))
    }
  }

  private static func padded(_ bytes: [UInt8], count: Int, _ header: Header, side: Int) -> [UInt8] {
    guard header.height < side || header.width < side else { return bytes }
    var pixels = [UInt8](repeating: 0, count: count * side * side)
    let top = (side - header.height) / 2
    let left = (side - header.width) / 2
    for image in 0..<count {
      for row in 0..<header.height {
        let from = (image * header.height + row) * header.width
        let to = (image * side + top + row) * side + left
        for column in 0..<header.width { pixels[to + column] = bytes[from + column] }
      }
    }
    return pixels
  }
}

extension String {
  /// `images-idx3` as `images.idx3`, the other spelling in use.
  fileprivate var replacingFirstDash: String {
    let parts = split(separator: "-", maxSplits: 1)
    return parts.joined(separator: ".")
  }
}
