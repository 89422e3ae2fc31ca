import JSONText
import JobModel
import Platform
import Text

/// What a job has left besides figures and checkpoints, by name, as its workers have reported it.
struct ArtifactList {
  private var entries: [ByteString: JSON] = [:]

  /// Artifacts of one job; a report of a further one counts as malformed. A worker leaves a handful.
  static let countMax = 100
  private static let nameBytesMax = 100
  private static let mediaTypeBytesMax = 100

  /// Reads a list that was stored; of a damaged one, what can be read.
  init(stored text: String) {
    // What is not JSON has no entries.
    let list = (try? JSON.parse(text))?.array ?? []
    for entry in list { _ = add(entry) }
  }

  /// As a JSON array, which clients see as it is.
  var text: String { JSON.array(entries.sorted { $0.key < $1.key }.map(\.value)).text }

  /// Takes an `artifact` event, in place of an earlier one with its name.
  ///
  /// - Returns: whether it is one that a worker writes.
  mutating func add(_ event: JSON) -> Bool {
    guard let name = event["name"]?.string, (1...Self.nameBytesMax).contains(name.count),
      let mediaType = event["media_type"]?.string, mediaType.count <= Self.mediaTypeBytesMax,
      let bytes = event["bytes"]?.int(in: RecordedRange.bytes),
      let sha256 = event["sha256"]?.string, CheckpointRecord.isDigest(sha256),
      let createdAt = event["created_at"]?.string,
      SystemClock.unixMilliseconds(rfc3339: createdAt.bytes) != nil,
      entries.count < Self.countMax || entries[name] != nil
    else { return false }
    entries[name] = [
      "name": .string(name), "media_type": .string(mediaType), "bytes": .integer(bytes),
      "sha256": .string(sha256), "created_at": .string(createdAt),
    ]
    return true
  }
}
