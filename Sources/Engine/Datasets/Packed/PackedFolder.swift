import Crypto
import Platform
import Recipe
import Text

/// A packed dataset as the catalog opens it.
struct PackedFolder: Sendable {
  let folder: String
  /// Below which its files must lie; nil: anywhere.
  var roots: RootFolders?

  /// Bytes of paths that are read at a time.
  private static let pieceBytes = 1 << 20

  /// The paths of its files.
  var candidates: [String] {
    let parts = DatasetSelection.Split.allCases.flatMap { split in
      PackedFormat.Part.allCases.map { PackedFormat.fileName(split, $0) }
    }
    return ([PackedFormat.manifestName] + parts).map { "\(folder)/\($0)" }
  }

  /// Reads the description.
  func read() throws(DatasetError) -> PackedDataset { try PackedDataset.read(folder: folder) }

  /// Opens a split: small ones are read, large ones mapped.
  ///
  /// - Throws: `DatasetError`, also where a file is not the one that was written and has other content.
  func open(
    _ name: String, _ split: DatasetSelection.Split, limit: Int?
  ) throws(DatasetError) -> ImageDataset {
    let dataset = try read()
    let imageBytes = dataset.planes * dataset.side * dataset.side
    guard let part = dataset.splits[split] else {
      return ImageDataset(
        name: name, split: split, classes: dataset.classes ?? [], side: dataset.side, planes: dataset.planes,
        images: ImageStore([], imageBytes: imageBytes), labels: dataset.classes == nil ? nil : [],
        statistics: dataset.statistics, whole: nil)
    }
    try verify(dataset, split)
    let count = min(part.count, limit ?? .max)
    let file = try file(split, .images)
    let store: ImageStore
    do throws(SystemError) {
      if count * imageBytes > ImageStore.memoryBytesMax {
        store = ImageStore(try MappedFile(file), imageBytes: imageBytes, count: count)
      } else {
        store = ImageStore(try file.read(at: 0, countMax: count * imageBytes), imageBytes: imageBytes)
      }
    } catch {
      throw .unreadable(.cannotRead(error, offset: 0))
    }
    return ImageDataset(
      name: name, split: split, classes: dataset.classes ?? [], side: dataset.side, planes: dataset.planes,
      images: store, labels: try labels(dataset, split, count), statistics: dataset.statistics,
      whole: ImageDataset.WholeSplit(count: part.count, digest: part.digest))
  }

  /// Makes sure that the files of a split are those that the description names: by size, inode and time, or
  /// else by their content.
  func verify(_ dataset: PackedDataset, _ split: DatasetSelection.Split) throws(DatasetError) {
    for part in [PackedFormat.Part.images, .labels] where !dataset.isUnchanged(split, part, folder: folder) {
      try verify(dataset, split, part)
    }
  }

  /// Makes sure, by its content, that a file of a split is the one that the description names.
  func verify(
    _ dataset: PackedDataset, _ split: DatasetSelection.Split, _ part: PackedFormat.Part
  ) throws(DatasetError) {
    guard let known = dataset.splits[split], known.files[part] != nil else { return }
    let expected: String =
      switch part {
      case .images: known.digest.pixels
      case .labels: known.digest.labels
      case .paths: known.pathsDigest
      }
    let file = try file(split, part)
    let found: String
    do throws(SystemError) {
      found = try SHA256.hexadecimal(of: file)
    } catch {
      throw .unreadable(.cannotRead(error, offset: 0))
    }
    guard found == expected else {
      throw .malformed(
        file: file.path, offset: 0, expected: "content with the SHA-256 \(expected), as it was imported",
        found: found)
    }
  }

  private func file(_ split: DatasetSelection.Split, _ part: PackedFormat.Part) throws(DatasetError) -> File {
    let file: File
    do throws(SystemError) {
      file = try File("\(folder)/\(PackedFormat.fileName(split, part))", .read, links: .refused)
    } catch {
      throw .unreadable(.cannotOpen(error))
    }
    if let roots, !roots.hold(descriptor: file.descriptor) { throw .outsideRoots(areSet: true) }
    return file
  }

  /// The first labels of a split; nil: it has none.
  private func labels(
    _ dataset: PackedDataset, _ split: DatasetSelection.Split, _ count: Int
  ) throws(DatasetError) -> [Int]? {
    guard dataset.splits[split]?.files[.labels] != nil else { return nil }
    let file = try file(split, .labels)
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try file.read(at: 0, countMax: count * PackedFormat.labelBytes)
    } catch {
      throw .unreadable(.cannotRead(error, offset: 0))
    }
    let classCount = dataset.classes?.count ?? 0
    var labels: [Int] = []
    labels.reserveCapacity(count)
    for start in stride(from: 0, to: bytes.count, by: PackedFormat.labelBytes) {
      var label = 0
      for place in 0..<PackedFormat.labelBytes { label |= Int(bytes[start + place]) << (8 * place) }
      guard label < classCount else {
        throw .malformed(
          file: file.path, offset: start, expected: "a label of 0 to \(classCount - 1)", found: "\(label)")
      }
      labels.append(label)
    }
    return labels
  }

  /// Hands out the paths of the first images of a split.
  func readPaths(
    _ split: DatasetSelection.Split, countMax: Int, _ take: (ByteString) throws -> Void
  ) throws {
    let file = try file(split, .paths)
    var (offset, count) = (0, 0)
    var rest: [UInt8] = []
    while count < countMax {
      let piece = try file.read(at: offset, countMax: Self.pieceBytes)
      guard !piece.isEmpty else {
        throw DatasetError.malformed(
          file: file.path, offset: offset, expected: "\(countMax) lines", found: "\(count)")
      }
      offset += piece.count
      let lines = (rest + piece).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      for line in lines.dropLast() where count < countMax {
        try take(ByteString(decoding: Array(line)))
        count += 1
      }
      rest = Array(lines.last ?? [])
    }
  }
}
