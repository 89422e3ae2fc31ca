import Gzip

/// How a tensor file lies on disk: safetensors inside one gzip member.
package enum CheckpointFormat {
  /// Written into each file; a reader refuses every other one.
  package static let version = "1"
  /// Trained weights are noise to a compressor: its fastest level saves nearly as much as its slowest.
  private static let level = 1

  /// Passes the bytes of the compressed file to `sink`, in order. Equal files give equal bytes.
  package static func write(_ file: TensorFile, to sink: ([UInt8]) throws -> Void) throws {
    var compressor = GzipCompressor(level: level)
    try SafetensorsWriter.write(file) { piece in
      let ready = compressor.compress(piece)
      if !ready.isEmpty { try sink(ready) }
    }
    try sink(compressor.finish())
  }

  /// Reads the compressed file at `path`.
  ///
  /// - Throws: `CheckpointError.unreadable`, with the words of `GzipError` or `SafetensorsError`.
  package static func read(path: String) throws(CheckpointError) -> TensorFile {
    do {
      let reader = try GzipFileReader(path: path)
      return try SafetensorsReader.read { try reader.read(upTo: $0) }
    } catch {
      throw .unreadable(path: path, "\(error)")
    }
  }
}

/// Looks entries of a file's metadata up and refuses what is not there or not of the right kind.
struct CheckpointMetadata {
  let entries: [String: String]

  /// Checks the version, which every file of ours has.
  init(_ entries: [String: String]) throws(CheckpointError) {
    self.entries = entries
    let version = try text("version")
    guard version == CheckpointFormat.version else { throw .version(version) }
  }

  /// The text under `key`.
  func text(_ key: String) throws(CheckpointError) -> String {
    guard let text = entries[key] else { throw .metadata(key: key, "is missing") }
    return text
  }

  /// The integer ≥ 0 under `key`.
  func natural(_ key: String) throws(CheckpointError) -> Int {
    let text = try text(key)
    guard let number = Int(text), number >= 0 else {
      throw .metadata(key: key, "is \"\(text)\", not a natural number")
    }
    return number
  }
}
