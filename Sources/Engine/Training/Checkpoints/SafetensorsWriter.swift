import JSONText

/// Writes the safetensors format: the header's length in 8 bytes, little-endian, the header as JSON, the
/// data.
///
/// The same file always gives the same bytes: keys are sorted, tensors follow each other by falling element
/// size (so that each is aligned to its elements) and then by name, and the header is padded with spaces to a
/// multiple of 8.
package enum SafetensorsWriter {
  /// Bytes handed to the sink at a time.
  private static let chunkBytes = 1 << 20

  /// Passes the bytes of `file` to `sink`, in order, in pieces of at most 1 MiB (the header in one piece).
  package static func write(_ file: TensorFile, to sink: ([UInt8]) throws -> Void) rethrows {
    try write(metadata: file.metadata, file.tensors.map { TensorSource($0.key, $0.value) }, to: sink)
  }

  /// The same of tensors that are read where they lie, piece by piece.
  static func write(
    metadata: [String: String], _ tensors: [TensorSource], to sink: ([UInt8]) throws -> Void
  ) rethrows {
    let ordered = tensors.sorted { a, b in
      a.type.bytes != b.type.bytes ? a.type.bytes > b.type.bytes : a.name < b.name
    }
    try sink(header(metadata: metadata, ordered))
    for tensor in ordered {
      let step = chunkBytes / tensor.type.bytes
      for start in stride(from: 0, to: tensor.count, by: step) {
        try sink(tensor.bytes(start..<min(start + step, tensor.count)))
      }
    }
  }

  /// Length and JSON of the header.
  private static func header(metadata: [String: String], _ ordered: [TensorSource]) -> [UInt8] {
    var entries: [String: JSON] = [:]
    if !metadata.isEmpty { entries["__metadata__"] = .object(metadata.mapValues { .string($0) }) }
    var offset = 0
    for tensor in ordered {
      let end = offset + tensor.byteCount
      entries[tensor.name] = .object([
        "dtype": .string(tensor.type.rawValue),
        "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": .array([.integer(offset), .integer(end)]),
      ])
      offset = end
    }
    var text = Array(JSON.object(entries).text.utf8)
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    let length = UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) } + text
  }
}
