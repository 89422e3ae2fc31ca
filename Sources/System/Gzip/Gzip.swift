/// gzip (RFC 1952) for whole buffers and files; `GzipCompressor` and `GzipFileReader` do it in pieces.
package enum Gzip {
  /// The compression level that zlib itself takes by default: 1 is fastest, 9 smallest.
  package static let defaultLevel = 6

  /// Bytes that come out of one compressed byte at most: a deflate block codes 258 bytes in two bits.
  package static let expansionMax = 1_032

  /// One gzip member holding `bytes`. The same bytes and level always give the same result: the header
  /// carries neither time nor name nor the operating system.
  package static func compress(_ bytes: [UInt8], level: Int = defaultLevel) -> [UInt8] {
    var compressor = GzipCompressor(level: level)
    var output = compressor.compress(bytes)
    output += compressor.finish()
    return output
  }

  /// The contents of all members of the gzip file at `path`.
  ///
  /// Throws `GzipError`, also when more than `limitBytes` would come out.
  package static func decompressFile(_ path: String, limitBytes: Int) throws(GzipError) -> [UInt8] {
    let reader = try GzipFileReader(path: path)
    var output: [UInt8] = []
    while true {
      let chunk = try reader.read(upTo: 1 << 20)
      if chunk.isEmpty { return output }
      guard chunk.count <= limitBytes - output.count else {
        throw .tooLarge(file: path, limitBytes: limitBytes)
      }
      output += chunk
    }
  }
}
