import Gzip
import Platform

/// A binary file, plain or gzipped, that is read from front to end by a format that knows what must come
/// next.
struct DataFile {
  private let reader: GzipFileReader

  /// Opens the first of `names` that is there in one of `folders`, as it is or with `.gz` behind; `hint` says
  /// what to do if none is.
  init(folders: [String], names: [String], hint: String) throws(DatasetError) {
    let candidates = folders.flatMap { folder in
      names.flatMap { ["\(folder)/\($0)", "\(folder)/\($0).gz"] }
    }
    guard let path = candidates.first(where: { FileSystem.exists($0) }) else {
      throw .missingFile(file: candidates[0], hint: hint)
    }
    do {
      reader = try GzipFileReader(path: path, allowsPlain: true)
    } catch {
      throw .unreadable(error)
    }
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

  /// Makes sure that the file can hold `count` more items of `itemBytes` each, as its header says: by its
  /// size, or by what a gzipped file of that size can unpack to.
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
  }

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
