import CZlib

/// Compresses a stream of buffers into one gzip member with a fixed header (no time, no name, unknown
/// system): equal calls give equal bytes.
package struct GzipCompressor: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>
  private let header: UnsafeMutablePointer<gz_header>

  /// `level` 1 (fastest) to 9 (smallest); 0 only stores.
  package init(level: Int = Gzip.defaultLevel) {
    precondition((0...9).contains(level), "gzip levels are 0 to 9")
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    header = .allocate(capacity: 1)
    header.initialize(to: gz_header())
    header.pointee.os = 255
    // 15 bits of window, + 16 for the gzip wrapper; 8 is zlib's default memory level.
    let status = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib could not start: out of memory or another library version")
    deflateSetHeader(stream, header)
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
    header.deallocate()
  }

  /// Takes `bytes` in; gives what is ready to be written, often nothing.
  package mutating func compress(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    bytes.withUnsafeBytes { run($0, flush: Z_NO_FLUSH, into: &output) }
    return output
  }

  /// The rest of the member. Nothing may be compressed afterwards.
  package consuming func finish() -> [UInt8] {
    var output: [UInt8] = []
    run(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH, into: &output)
    return output
  }

  private func run(_ input: UnsafeRawBufferPointer, flush: Int32, into output: inout [UInt8]) {
    // zlib counts in 32 bits; larger buffers go in by pieces.
    let pieceBytesMax = 1 << 30
    var position = 0
    repeat {
      let piece = min(input.count - position, pieceBytesMax)
      let start = input.baseAddress.map { $0.advanced(by: position).assumingMemoryBound(to: UInt8.self) }
      stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
      stream.pointee.avail_in = UInt32(piece)
      position += piece
      drain(flush: flush, into: &output)
    } while position < input.count
  }

  /// Calls `deflate` until it leaves room in its output, that is, until it has taken all input.
  private func drain(flush: Int32, into output: inout [UInt8]) {
    let chunkBytes = 1 << 16
    var room = 0
    repeat {
      let chunk = [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
        stream.pointee.next_out = buffer.baseAddress
        stream.pointee.avail_out = UInt32(chunkBytes)
        let status = deflate(stream, flush)
        precondition(status != Z_STREAM_ERROR, "a gzip stream was used after its end")
        room = Int(stream.pointee.avail_out)
        count = chunkBytes - room
      }
      output += chunk
    } while room == 0
  }
}
