import Datasets
import Images
import Platform
import Recipe
import Text

/// Reads the entries of an archive or folder: decodes images as they come, keeps files of numbers, and then
/// puts what there is in order.
final class EntryImport {
  private let session: ImportSession
  private let source: any EntrySource
  private let spool: Spool
  /// Of the images in the spool.
  private var paths: [EntryPath] = []
  private var planes: [UInt8] = []
  /// Images that are not decoded yet.
  private var pending: [(path: EntryPath, bytes: [UInt8])] = []
  private var pendingBytes = 0
  private var arrays: [ArrayFile] = []

  /// Bytes that are read at a time.
  private static let pieceBytes = 1 << 18
  /// Images between two questions whether to stop while they are written.
  private static let writtenBetweenChecks = 1_000

  init(_ session: ImportSession, _ source: any EntrySource) throws {
    self.session = session
    self.source = source
    spool = try Spool(path: "\(session.work)/spool", side: session.specification.side)
  }

  /// Reads everything and writes the dataset.
  ///
  /// - Throws: `ImportError`, `ImportSession.Stopped`, `SystemError`, and what the observer throws.
  func run() throws -> PackedDataset {
    while let entry = try source.next() {
      try session.countEntry()
      switch entry {
      case .nothing: break
      case .refused(let path, let reason): session.skip(path, reason)
      case .file(let path): try take(path)
      }
      try session.checkStop()
    }
    try decodePending()
    try spool.flush()
    if !paths.isEmpty {
      for array in arrays {
        session.skip(array.path.text.string, "is a file of numbers, and there are images")
      }
      return try writeImages()
    }
    guard !arrays.isEmpty else {
      throw ImportError.noImages(skipped: session.skipped.listed, count: session.skipped.count)
    }
    return try ArrayImport(session).run(arrays)
  }

  private func take(_ path: EntryPath) throws {
    do {
      if let name = ArrayName(path.name) {
        try keep(path, name)
      } else {
        try takeImage(path)
      }
    } catch let error as BadEntry {
      try session.bad(path.text.string, error.reason)
    }
  }

  /// Takes a file of numbers where it lies, or copies it into the work folder under a name of our own.
  private func keep(_ path: EntryPath, _ name: ArrayName) throws {
    if let location = source.filePath {
      arrays.append(ArrayFile(path: path, name: name, location: location))
      return
    }
    let location = "\(session.work)/array-\(arrays.count)"
    let file = try File(location, .createNew, links: .refused)
    while case let piece = try source.read(countMax: Self.pieceBytes), !piece.isEmpty {
      try file.write(piece)
      session.countBytes(piece.count)
      try session.checkStop()
    }
    arrays.append(ArrayFile(path: path, name: name, location: location))
  }

  /// Endings of files that are meant to be images, whatever they hold.
  private static let imageEndings: [ByteString] = [
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm",
    ".avif",
    ".heic",
  ]

  private func takeImage(_ path: EntryPath) throws {
    let limit = session.specification.limits.imageBytes
    let name = path.name.lowercasedASCII
    let isMeant = Self.imageEndings.contains { name.hasSuffix($0) }
    var bytes = try source.read(countMax: min(Self.pieceBytes, limit + 1))
    session.countBytes(bytes.count)
    guard isMeant || ImageFormat(bytes) != nil else {
      session.skip(path.text.string, Self.reason(bytes))
      return
    }
    while bytes.count <= limit, !bytes.isEmpty {
      let piece = try source.read(countMax: min(Self.pieceBytes, limit + 1 - bytes.count))
      if piece.isEmpty { break }
      bytes += piece
      session.countBytes(piece.count)
    }
    guard bytes.count <= limit else {
      throw BadEntry(
        reason: "the file has more bytes than the \(limit) that the limit \"image_bytes\" allows")
    }
    if pendingBytes + bytes.count > DecodingPool.batchBytes { try decodePending() }
    pending.append((path, bytes))
    pendingBytes += bytes.count
    if pending.count >= session.pool.batchCount { try decodePending() }
  }

  /// Why a file is not taken for an image.
  private static func reason(_ bytes: [UInt8]) -> String {
    let archives: [[UInt8]] = [
      [0x50, 0x4B, 3, 4], [0x1F, 0x8B], [0xFD, 0x37, 0x7A, 0x58, 0x5A], Array("Rar!".utf8), Array("7z".utf8),
    ]
    let isTar = bytes.count >= 262 && bytes[257..<262].elementsEqual("ustar".utf8)
    return isTar || archives.contains { bytes.starts(with: $0) }
      ? "is an archive itself; only the outer one is read" : "is not a PNG, JPEG or WebP image"
  }

  private func decodePending() throws {
    let outputs = session.pool.decode(pending.map { .file($0.bytes) })
    var decoded = 0
    for (image, output) in zip(pending, outputs) {
      switch output {
      case .success(let result):
        try spool.append(result.bytes)
        paths.append(image.path)
        planes.append(UInt8(result.count))
        decoded += 1
      case .failure(let error): try session.bad(image.path.text.string, error.description)
      }
    }
    pending.removeAll(keepingCapacity: true)
    pendingBytes = 0
    try session.countImages(decoded)
  }

  private func writeImages() throws -> PackedDataset {
    let specification = session.specification
    let arrangement = Arrangement(paths, testShare: specification.testShare, seed: specification.seed)
    for stray in arrangement.strays { session.skip(paths[stray.index].text.string, stray.reason) }
    guard arrangement.places.contains(where: { $0.split == .train }) else {
      throw ImportError.noTrainingImages
    }
    let planeCount = arrangement.places.allSatisfy { planes[$0.index] == 1 } ? 1 : 3
    let writer = try PackedWriter(
      folder: session.packedFolder, side: specification.side, planes: planeCount,
      classes: arrangement.classes?.map(\.string))
    for (number, place) in arrangement.places.enumerated() {
      let image = try spool.read(place.index, storedPlanes: Int(planes[place.index]), planes: planeCount)
      try writer.append(image, label: place.label, path: paths[place.index].text, to: place.split)
      if number % Self.writtenBetweenChecks == 0 { try session.checkStop() }
      try session.countWritten(1)
    }
    return try session.finish(writer)
  }
}
