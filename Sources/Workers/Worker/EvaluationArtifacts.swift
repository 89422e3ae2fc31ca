import JSONText
import RunFolder
import Training

extension Run {
  /// Writes what an evaluation found that is too much for its result: `confusion.json` and `predictions.npy`.
  func storeArtifacts(_ result: EvaluationResult) throws {
    let confusion: JSON = [
      "classes": .array(result.classes.map { .string($0) }),
      "confusion": EvaluationResult.json(result.confusion),
    ]
    try store("confusion.json", mediaType: "application/json") { try $0(confusion.utf8) }
    try store("predictions.npy", mediaType: "application/x-npy") {
      try $0(NumPyFile.bytes(of: result.predictions))
    }
  }

  /// Writes an artifact, which is in the stream when this returns.
  func store(
    _ name: String, mediaType: String, _ write: (_ sink: ([UInt8]) throws -> Void) throws -> Void
  ) throws {
    let manifest = try folder.artifacts.store(name, mediaType: mediaType, write)
    log.info("artifact \(manifest.name), \(manifest.bytes) bytes")
    try events.append(.artifact(manifest))
  }
}

/// Arrays in NumPy's file format, version 1.0 (numpy.lib.format).
enum NumPyFile {
  /// A file with whole numbers as little-endian `int64`: `[rows, count]`, or `[count]` for a single row. All
  /// rows must have the same count.
  static func bytes(of rows: [[Int]]) -> [UInt8] {
    let count = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == count }, "rows of an array have the same length")
    let shape = rows.count == 1 ? "(\(count),)" : "(\(rows.count), \(count))"
    var header = "{'descr': '<i8', 'fortran_order': False, 'shape': \(shape), }"
    // The data begins at a multiple of 64 bytes, behind a newline.
    let prefixBytes = 10
    while (prefixBytes + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
    bytes += header.utf8
    for value in rows.joined() {
      let word = UInt64(bitPattern: Int64(value))
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) }
    }
    return bytes
  }
}
