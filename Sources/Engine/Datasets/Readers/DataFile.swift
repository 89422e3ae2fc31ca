import Gzip
import Platform

/// A binary file, plain or gzipped, that is read from front to end by a format that knows what must come
/// next.
struct DataFile {
  private let reader: GzipFileReader

  /// Opens the first of `names` that is there in one of `folders`, as it is or with `.gz` behind; `hint` says
  /// what to do if none is.
  ///
  /// - Parameter roots: below which the file must lie, links followed; `nil`: anywhere.
  init(folders: [String], names: [String], below roots: RootFolders?, hint: String) throws(DatasetError) {
    let candidates = Self.candidates(folders: folders, names: names)
    let path = try Self.first(of: candidates, below: roots)
    guard let path else { throw .missingFile(file: candidates[0], hint: hint) }
    do {
      reader = try GzipFileReader(path: path, allowsPlain: true)
    } catch {
      throw .unreadable(error)
    }
    // What was opened counts: a link may have been put there since.
    if let roots, !roots.hold(descriptor: reader.descriptor) { throw .outsideRoots(areSet: true) }
  }

  /// The paths at which a file is looked for, in order.
  static func candidates(folders: [String], names: [String]) -> [String] {
    folders.flatMap { folder in names.flatMap { ["\(folder)/\($0)", "\(folder)/\($0).gz"] } }
  }

  private static func first(
    of candidates: [String], below roots: RootFolders?
  ) throws(DatasetError) -> String? {
    guard let roots else { return candidates.first { FileSystem.exists($0) } }
    for candidate in candidates {
      switch roots.place(of: candidate) {
      case .inside(let path): return path
      case .missing: continue
      case .outside: throw .outsideRoots(areSet: true)
      }
    }
    return nil
  }

  /// The file's path.
  var path: String { reader.path }
  /// Bytes of content read so far.
  var offset: Int { reader.bytesOut }

  /// The next `count` bytes; `what` names them in the error if the file ends before.
  func take(_ count: Int, _ what: String) throws(DatasetError) -> [UInt8] {
    let start = offset
    let bytes = try read(count)
    guard bytes.count == count else {
      throw .malformed(
        file: path, offset: start, expected: "\(count) bytes of \(what)",
        found: "the end of the file after \(bytes.count)")
    }
    return bytes
  }

  /// The next number: four bytes, highest first.
  func takeNumber(_ what: String) throws(DatasetError) -> Int {
    try take(4, what).reduce(0) { $0 << 8 | Int($1) }
  }

  /// Makes sure that nothing follows.
  func expectEnd() throws(DatasetError) {
    let start = offset
    guard try read(1).isEmpty else {
      throw .malformed(file: path, offset: start, expected: "the end of the file", found: "more bytes")
    }
  }

  /// Makes sure that the file can hold `count` more items of `itemBytes` each, as its header says: a plain
  /// file by its size, which must be exactly that, a gzipped one by what a file of that size can unpack to.
  ///
  /// - Parameter place: where the header says how many there are, in bytes from 0.
  func expectRoom(
    for count: Int, _ itemBytes: Int, _ what: String, saidAt place: Int
  ) throws(DatasetError) {
    let room = max(0, min(reader.bytesTotalMax, DatasetLimit.contentBytesMax) - offset)
    let countMax = max(1, min(room / itemBytes, DatasetLimit.imagesMax))
    guard (1...countMax).contains(count) else {
      throw .malformed(
        file: path, offset: place, expected: "1 to \(countMax) \(what), as many as the file can hold",
        found: "\(count)")
    }
    let end = offset + count * itemBytes
    if let known = reader.knownBytesTotal, known > end {
      throw .malformed(
        file: path, offset: end, expected: "the end of the file", found: Self.more(known - end))
    }
  }

  private static func more(_ count: Int) -> String { count == 1 ? "1 more byte" : "\(count) more bytes" }

  /// Bytes of the whole content; unpacks a gzipped file to find out.
  ///
  /// - Throws: also for a file with more than `bytesMax`, which is unpacked no further.
  func contentBytes(atMost bytesMax: Int) throws(DatasetError) -> Int {
    var total = reader.knownBytesTotal ?? 0
    if reader.knownBytesTotal == nil {
      while offset <= bytesMax, try !read(1 << 20).isEmpty {}
      total = offset
    }
    guard total <= bytesMax else {
      throw .malformed(
        file: path, offset: bytesMax, expected: "the end of the file: it may have at most \(bytesMax) bytes",
        found: "more bytes")
    }
    return total
  }

  private func read(_ count: Int) throws(DatasetError) -> [UInt8] {
    do {
      return try reader.read(upTo: count)
    } catch {
      throw .unreadable(error)
    }
  }
}
