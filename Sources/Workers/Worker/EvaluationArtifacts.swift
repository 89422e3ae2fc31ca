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
    // A row for each seed; with one seed, the row alone.
    let rows = result.predictions
    let count = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == count }, "rows of an array have the same length")
    try store("predictions.npy", mediaType: NumPyHeader.mediaType) {
      try $0(NumPyHeader.bytes(.int64, shape: rows.count == 1 ? [count] : [rows.count, count]))
      try $0(NumPyHeader.bytes(of: rows.joined()))
    }
  }

  /// Writes an artifact and reports it.
  func store(
    _ name: String, mediaType: String, _ write: (_ sink: ([UInt8]) throws -> Void) throws -> Void
  ) throws {
    let manifest = try folder.artifacts.store(name, mediaType: mediaType, write)
    log.info("artifact \(manifest.name), \(manifest.bytes) bytes")
    try events.append(.artifact(manifest))
  }
}
