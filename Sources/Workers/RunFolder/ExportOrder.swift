import Crypto
import JSONText
import Recipe
import Text

/// A file that is to be made of a checkpoint for other programs: what the daemon asks of a process of its
/// own.
package struct ExportOrder: Sendable, Equatable {
  /// Whose checkpoint it is.
  package var job: JobID
  /// Path of the checkpoint's file.
  package var checkpointPath: String
  package var format: ExportFormat
  package var part: ExportPart
  /// Mean and deviation of the images that were trained on, one number per channel; empty: not known.
  package var mean: [Double]
  package var std: [Double]
  /// Side of the dataset's images in pixels; `nil`: not known.
  package var imageSide: Int?
  /// What the file says in addition: of the job, the dataset and the machine.
  package var metadata: [String: String]

  package init(
    job: JobID, checkpointPath: String, format: ExportFormat, part: ExportPart, mean: [Double],
    std: [Double], imageSide: Int?, metadata: [String: String]
  ) {
    self.job = job
    self.checkpointPath = checkpointPath
    self.format = format
    self.part = part
    self.mean = mean
    self.std = std
    self.imageSide = imageSide
    self.metadata = metadata
  }

  /// A SHA-256 in hexadecimal over everything that determines the file's bytes, of which the checkpoint's
  /// path is not a part: its digest stands in the metadata.
  package var digest: String {
    var identity = self
    identity.checkpointPath = ""
    return hexadecimal(SHA256.digest(of: identity.json.utf8))
  }

  /// The order as the process reads it.
  package var json: JSON {
    [
      "job": .string(job.text), "checkpoint": .string(checkpointPath), "format": .string(format.rawValue),
      "part": .string(part.rawValue), "mean": .array(mean.map(JSON.number)),
      "std": .array(std.map(JSON.number)), "image_side": .optional(imageSide),
      "metadata": .object(
        Dictionary(uniqueKeysWithValues: metadata.map { (ByteString($0.key), .string($0.value)) })),
    ]
  }

  /// Reads an order; `nil`: a member is missing or wrong.
  package init?(json: JSON) {
    guard let job = json["job"]?.string.flatMap({ JobID($0) }), let path = json["checkpoint"]?.string,
      let mean = json["mean"]?.array,
      let std = json["std"]?.array, let metadata = json["metadata"]?.object,
      let format = json["format"]?.string.flatMap(ExportFormat.init(bytes:)),
      let part = json["part"]?.string.flatMap(ExportPart.init(bytes:))
    else { return nil }
    let entries = metadata.compactMap { key, value in value.string.map { (key.string, $0.string) } }
    self.init(
      job: job, checkpointPath: path.string, format: format, part: part, mean: mean.compactMap(\.double),
      std: std.compactMap(\.double), imageSide: json["image_side"]?.int,
      metadata: Dictionary(entries, uniquingKeysWith: { first, _ in first }))
  }
}

/// A file that has been made of a checkpoint. It may be removed once newer ones have been made.
package struct ExportedFile: Sendable, Equatable {
  package let path: String
  package let bytes: Int

  package init(path: String, bytes: Int) {
    self.path = path
    self.bytes = bytes
  }
}

/// What came of an order.
package typealias ExportFinding = Result<ExportedFile, OrderProblem>
