import Gzip
import Platform

/// A file of numbers, plain or gzipped, read from front to end; errors name it as the user knows it.
final class NumberFile {
  /// The path as the archive or folder has it.
  let name: String
  private let reader: GzipFileReader

  /// Opens a file, which must lie below one of the roots; nil: anywhere.
  init(path: String, name: String, below roots: RootFolders?) throws(ImportError) {
    self.name = name
    do throws(GzipError) {
      reader = try GzipFileReader(path: path, allowsPlain: true)
    } catch {
      throw .unreadable(error)
    }
    if let roots, !roots.hold(descriptor: reader.descriptor) { throw .outsideRoots }
  }

  /// Bytes of content read so far.
  var offset: Int { reader.bytesOut }

  /// The next bytes, all of them; `what` names them if the file ends before.
  func take(_ count: Int, _ what: String) throws(ImportError) -> [UInt8] {
    let start = offset
    let bytes = try takeSome(count)
    guard bytes.count == count else {
      throw problem("at byte \(start): must have \(count) bytes of \(what), got \(bytes.count)")
    }
    return bytes
  }

  /// The next bytes; fewer only at the end of the file.
  func takeSome(_ countMax: Int) throws(ImportError) -> [UInt8] {
    do throws(GzipError) {
      return try reader.read(upTo: countMax)
    } catch {
      throw .unreadable(error)
    }
  }

  /// The next four bytes, the highest first.
  func takeNumber(_ what: String) throws(ImportError) -> Int {
    try take(4, what).reduce(0) { $0 << 8 | Int($1) }
  }

  /// Checks that the file has room for the elements that its header announces, and, where its size is known,
  /// that nothing follows them.
  func expectRoom(for count: Int, each itemBytes: Int, _ what: String) throws(ImportError) {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: itemBytes)
    guard !overflow, bytes <= reader.bytesTotalMax - offset else {
      throw problem("says \(count) \(what) of \(itemBytes) bytes, which it is too short for")
    }
    if let known = reader.knownBytesTotal, known - offset > bytes {
      throw problem("has \(known - offset - bytes) bytes after its \(count) \(what)")
    }
  }

  /// What is wrong with the file.
  func problem(_ text: String) -> ImportError { .array(file: name, problem: text) }
}
