/// Reads the safetensors format from a stream and refuses whatever deviates from it.
///
/// Stricter than the reference in one thing only: element types other than `F32` and `I64` are refused,
/// because nothing here writes them.
package enum SafetensorsReader {
  /// The longest header that is read. Ours have some 60 KB; the reference implementation accepts 100 MB, of
  /// which the parsed form would take a gigabyte.
  package static let headerBytesMax = 8 << 20

  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - source: gives the next bytes, at least one and at most as many as asked for; none at the end.
  ///   - isKept: whether the tensor of that name is wanted; others are passed over.
  /// - Throws: `SafetensorsError`, and what `source` throws.
  package static func read(
    from source: @escaping (Int) throws -> [UInt8], keeping isKept: (String) -> Bool = { _ in true }
  ) throws -> TensorFile { try read(from: source, types: SafetensorsHeader.ElementType.own, keeping: isKept) }

  /// The same of tensors that may have other types.
  static func read(
    from source: @escaping (Int) throws -> [UInt8], types: [SafetensorsHeader.ElementType],
    keeping isKept: (String) -> Bool
  ) throws -> TensorFile {
    var stream = ByteStream(source: source)
    let length = try headerLength(try stream.take(8, part: "the header's length"), max: headerBytesMax)
    let header = try SafetensorsHeader(try stream.take(length, part: "the header"), types: types)
    var tensors: [String: TensorValue] = [:]
    for entry in header.entries {
      let part = "tensor \"\(entry.name)\""
      guard isKept(entry.name) else {
        try stream.skip(entry.byteCount, part: part)
        continue
      }
      let bytes = try stream.take(entry.byteCount, part: part)
      tensors[entry.name] = TensorValue(shape: entry.shape, entry.type.elements(of: bytes))
    }
    guard try stream.isAtEnd() else { throw SafetensorsError.trailingBytes(offset: stream.offset) }
    return TensorFile(metadata: header.metadata, tensors: tensors)
  }

  /// The length of the header that the first 8 bytes of a file give.
  static func headerLength(_ bytes: [UInt8], max: Int) throws(SafetensorsError) -> Int {
    let length = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length >= 2, length <= UInt64(max) else {
      throw .headerLength(Int(clamping: length), limit: max)
    }
    return Int(length)
  }
}

/// Counts what it takes from a source, so that an error can say where.
private struct ByteStream {
  let source: (Int) throws -> [UInt8]
  var offset = 0

  /// Exactly `count` bytes.
  mutating func take(_ count: Int, part: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = try source(count - bytes.count)
      guard !more.isEmpty else {
        throw SafetensorsError.truncated(
          part: part, offset: offset + bytes.count, expectedBytes: count - bytes.count)
      }
      if bytes.isEmpty { bytes = more } else { bytes += more }
    }
    offset += count
    return bytes
  }

  /// Passes `count` bytes over, of which a piece is in memory at a time.
  mutating func skip(_ count: Int, part: String) throws {
    var rest = count
    while rest > 0 {
      rest -= try take(min(rest, Self.skippedBytesMax), part: part).count
    }
  }

  private static let skippedBytesMax = 1 << 20

  /// Whether no byte is left. Takes one to find out.
  func isAtEnd() throws -> Bool { try source(1).isEmpty }
}
