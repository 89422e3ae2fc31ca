import CZlib
import Glibc

/// Reads a gzip file in pieces: all its members, one after the other (RFC 1952, section 2.2).
///
/// With `allowsPlain`, a file that does not begin with gzip's magic bytes is read as it is.
/// Owned by one thread at a time.
package final class GzipFileReader {
  /// The path as the caller gave it.
  package let path: String
  /// Whether the file is read as it is.
  package let isPlain: Bool
  /// Bytes that came out so far.
  package private(set) var bytesOut = 0

  /// The open file.
  package let descriptor: Int32
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableBufferPointer<UInt8>
  /// Bytes of the file that were taken from the descriptor so far.
  private var fileBytesRead = 0
  private var isInsideMember = true
  private var isAtEnd = false

  /// Opens the file and looks at its first bytes.
  package init(path: String, allowsPlain: Bool = false) throws(GzipError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotOpen(file: path, errno: errno) }
    self.descriptor = descriptor
    input = .allocate(capacity: 1 << 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    stream.pointee.next_in = input.baseAddress
    let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib could not start: out of memory or another library version")
    let first: Int
    do {
      first = try Self.fill(input, from: descriptor, file: path, offset: 0)
    } catch {
      Self.release(descriptor, stream, input)
      throw error
    }
    fileBytesRead = first
    stream.pointee.avail_in = UInt32(first)
    let isGzip = first >= 2 && input[0] == 0x1f && input[1] == 0x8b
    isPlain = !isGzip
    guard isGzip || allowsPlain else { throw .notGzip(file: path) }
  }

  deinit { Self.release(descriptor, stream, input) }

  /// Where reading stands in the file, in bytes from 0.
  package var fileOffset: Int { fileBytesRead - Int(stream.pointee.avail_in) }

  /// Bytes of the whole content where that is known without unpacking it: for a plain file.
  package var knownBytesTotal: Int? {
    var status = stat()
    guard isPlain, fstat(descriptor, &status) == 0 else { return nil }
    return Int(status.st_size)
  }

  /// The next bytes, `count` of them unless the file ends before; empty at the end.
  package func read(upTo count: Int) throws(GzipError) -> [UInt8] {
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
    // zlib may hold finished bytes that had no room before, so an empty input is the end only after a member.
    let hasInput = try refillIfEmpty()
    if !isInsideMember {
      guard hasInput else {
        isAtEnd = true
        return 0
      }
      inflateReset(stream)
      isInsideMember = true
    }
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

  /// Makes input available; false at the end of the file.
  private func refillIfEmpty() throws(GzipError) -> Bool {
    if stream.pointee.avail_in > 0 { return true }
    let count = try Self.fill(input, from: descriptor, file: path, offset: fileBytesRead)
    fileBytesRead += count
    stream.pointee.next_in = input.baseAddress
    stream.pointee.avail_in = UInt32(count)
    return count > 0
  }

  private static func fill(
    _ buffer: UnsafeMutableBufferPointer<UInt8>, from descriptor: Int32, file: String, offset: Int
  ) throws(GzipError) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .cannotRead(file: file, offset: offset, errno: errno) }
    }
  }

  private static func release(
    _ descriptor: Int32, _ stream: UnsafeMutablePointer<z_stream>, _ input: UnsafeMutableBufferPointer<UInt8>
  ) {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
    close(descriptor)
  }
}
