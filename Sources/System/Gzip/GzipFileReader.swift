import CZlib
import Platform

/// Reads a gzip file in pieces: all its members, one after the other (RFC 1952, section 2.2). Zeros after a
/// member are skipped, as `gunzip` does: tapes and block devices pad with them.
///
/// With `allowsPlain`, a file that does not begin with gzip's magic bytes is read as it is. Memory grows with
/// what comes, not with what is asked for.
/// Owned by one thread at a time.
package final class GzipFileReader {
  /// The path as the caller gave it.
  package let path: String
  /// Whether the file is read as it is.
  package let isPlain: Bool
  /// Bytes that came out so far.
  package private(set) var bytesOut = 0

  private let file: File
  /// The descriptor of the open file.
  package var descriptor: Int32 { file.descriptor }
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableBufferPointer<UInt8>
  /// Bytes of the file that were taken from the descriptor so far.
  private var fileBytesRead = 0
  private var isInsideMember = true
  private var isAtEnd = false

  /// Bytes of the file that are in memory at a time.
  private static let inputBytes = 1 << 16
  /// Bytes that come out at a time.
  private static let pieceBytes = 1 << 20

  /// Opens the file, which must be a regular one, and looks at its first bytes.
  package init(path: String, allowsPlain: Bool = false) throws(GzipError) {
    self.path = path
    let first: [UInt8]
    do throws(SystemError) {
      file = try File(path, .read)
    } catch {
      throw .cannotOpen(error)
    }
    do throws(SystemError) {
      first = try file.read(at: 0, countMax: Self.inputBytes)
    } catch {
      throw .cannotRead(error, offset: 0)
    }
    let isGzip = first.count >= 2 && first[0] == 0x1f && first[1] == 0x8b
    isPlain = !isGzip
    guard isGzip || allowsPlain else { throw .notGzip(file: path) }
    input = .allocate(capacity: Self.inputBytes)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib could not start: out of memory or another library version")
    supply(first)
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Where reading stands in the file, in bytes from 0.
  package var fileOffset: Int { fileBytesRead - Int(stream.pointee.avail_in) }

  /// Bytes of the whole content where that is known without unpacking it: for a plain file.
  package var knownBytesTotal: Int? {
    // A file whose size cannot be asked for is read to its end.
    isPlain ? try? file.size() : nil
  }

  /// Bytes that the whole content can have at most, by the size of the file.
  package var bytesTotalMax: Int {
    // As above: what cannot be known limits nothing.
    guard let bytes = try? file.size() else { return .max }
    if isPlain { return bytes }
    let (total, overflow) = bytes.multipliedReportingOverflow(by: Gzip.expansionMax)
    return overflow ? .max : total
  }

  /// The next bytes, `count` of them unless the file ends before; empty at the end.
  package func read(upTo count: Int) throws(GzipError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, !isAtEnd {
      let piece = try readPiece(upTo: min(count - bytes.count, Self.pieceBytes))
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
    return bytes
  }

  private func readPiece(upTo count: Int) throws(GzipError) -> [UInt8] {
    var failure: GzipError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      do throws(GzipError) {
        while written < count, !isAtEnd {
          let rest = UnsafeMutableBufferPointer(rebasing: buffer[written...])
          written += isPlain ? try copy(into: rest) : try unpack(into: rest)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    bytesOut += bytes.count
    return bytes
  }

  private func copy(into output: UnsafeMutableBufferPointer<UInt8>) throws(GzipError) -> Int {
    guard try refillIfEmpty() else {
      isAtEnd = true
      return 0
    }
    let count = min(output.count, Int(stream.pointee.avail_in))
    for index in 0..<count { output[index] = stream.pointee.next_in[index] }
    stream.pointee.next_in += count
    stream.pointee.avail_in -= UInt32(count)
    return count
  }

  private func unpack(into output: UnsafeMutableBufferPointer<UInt8>) throws(GzipError) -> Int {
    if !isInsideMember {
      guard try findMember() else {
        isAtEnd = true
        return 0
      }
      inflateReset(stream)
      isInsideMember = true
    }
    // zlib may hold finished bytes that had no room before, so an empty input is the end only after a member.
    let hasInput = try refillIfEmpty()
    let room = min(output.count, 1 << 30)
    stream.pointee.next_out = output.baseAddress
    stream.pointee.avail_out = UInt32(room)
    let status = inflate(stream, Z_NO_FLUSH)
    let written = room - Int(stream.pointee.avail_out)
    switch status {
    case Z_OK: break
    case Z_BUF_ERROR: if !hasInput { throw .truncated(file: path, offset: fileOffset) }
    case Z_STREAM_END: isInsideMember = false
    default:
      let detail = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
      throw .corrupt(file: path, offset: fileOffset, detail: detail)
    }
    return written
  }

  /// Skips zeros to the next member; false at the end of the file.
  ///
  /// - Throws: `GzipError.trailingBytes` for anything else.
  private func findMember() throws(GzipError) -> Bool {
    while try refillIfEmpty() {
      let first = stream.pointee.next_in[0]
      if first != 0 {
        let second = stream.pointee.avail_in > 1 ? stream.pointee.next_in[1] : try byte(at: fileBytesRead)
        if first == 0x1f, second == 0x8b { return true }
        // A file whose size cannot be asked for has at least this byte too many.
        let size = (try? file.size()) ?? 0
        throw .trailingBytes(file: path, offset: fileOffset, count: max(1, size - fileOffset))
      }
      stream.pointee.next_in += 1
      stream.pointee.avail_in -= 1
    }
    return false
  }

  /// A byte of the file; `nil` behind its end.
  private func byte(at offset: Int) throws(GzipError) -> UInt8? {
    do throws(SystemError) {
      return try file.read(at: offset, countMax: 1).first
    } catch {
      throw .cannotRead(error, offset: offset)
    }
  }

  /// Makes input available; false at the end of the file.
  private func refillIfEmpty() throws(GzipError) -> Bool {
    if stream.pointee.avail_in > 0 { return true }
    let next: [UInt8]
    do throws(SystemError) {
      next = try file.read(at: fileBytesRead, countMax: Self.inputBytes)
    } catch {
      throw .cannotRead(error, offset: fileBytesRead)
    }
    supply(next)
    return !next.isEmpty
  }

  /// Lays the next bytes of the file where zlib takes them from.
  private func supply(_ bytes: [UInt8]) {
    _ = input.update(fromContentsOf: bytes)
    fileBytesRead += bytes.count
    stream.pointee.next_in = input.baseAddress
    stream.pointee.avail_in = UInt32(bytes.count)
  }
}
