import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import Text

extension DatasetRecord {
  /// Changes whenever the record does.
  var entityTag: EntityTag { EntityTag("\(id)-\(revision)") }

  /// The dataset as clients see it.
  func json() -> JSON {
    // The text was JSON when it was stored; a damaged one costs what it says, not the answer.
    let found = description.flatMap { try? JSON.parse($0) }
    var members: [ByteString: JSON] = [
      "name": .string(name), "state": .string(state.rawValue), "job": .optional(job?.text),
      "message": .optional(message), "digest": .optional(digest), "bytes": .optional(bytes),
      "source": .string(source),
      "created_at": .string(SystemClock.rfc3339(unixMilliseconds: createdAtMilliseconds)),
      "skipped": found?["skipped"] ?? [], "skipped_count": found?["skipped_count"] ?? 0,
    ]
    for name in Self.foundMembers { members[name] = found?[name] ?? .null }
    return .object(members)
  }

  /// Members that the import has found.
  private static let foundMembers: [ByteString] = [
    "classes", "counts", "class_counts", "shape", "channels", "mean", "std",
  ]

  /// The dataset in a list: without the files that were left out.
  func listJSON() -> JSON {
    guard var members = json().object else { return .null }
    members["skipped"] = nil
    members["available"] = .bool(state == .ready)
    members["problem"] = state == .ready ? .null : .string(problem)
    return .object(members)
  }

  /// Why it cannot be used.
  package var problem: String {
    let why = message.map { ": \($0)" } ?? ""
    switch state {
    case .ready: return ""
    case .importing:
      return "the dataset \"\(name.shown)\" is still importing"
        + (job.map { " (job \($0)); wait until it is ready" } ?? "")
    case .failed: return "the import of the dataset \"\(name.shown)\" failed\(why)"
    }
  }

  /// What jobs have to know of a dataset that is ready; nil: it is not, or its row is damaged.
  package var summary: DatasetSummary? {
    guard state == .ready, let found = description.flatMap({ try? JSON.parse($0) }),
      let shape = found["shape"]?.array?.compactMap(\.int), shape.count == 3
    else { return nil }
    var counts: [DatasetSelection.Split: Int] = [:]
    for split in DatasetSelection.Split.allCases {
      counts[split] = found["counts"]?[ByteString(split.rawValue)]?.int ?? 0
    }
    let classes = found["classes"]?.array?.compactMap { $0.string?.string } ?? []
    var summary = DatasetSummary(
      name: name.string, classes: classes, counts: counts, shape: shape,
      fingerprint: found["fingerprint"].flatMap(DatasetFingerprint.init(json:)))
    summary.isImported = true
    return summary
  }
}
