import JobModel
import JobStore
import Synchronization

/// Jobs as clients see them, kept until they change: to look at the revision costs less than to write the
/// whole job anew.
final class JobTexts: Sendable {
  private struct Entry: Sendable {
    let revision: Int
    let bytes: [UInt8]
  }

  private let entries = Mutex<[JobID: Entry]>([:])

  /// Jobs that are kept; beyond that all are forgotten.
  private static let entriesMax = 1_000

  /// The text of a job, with its line's end, if it is kept in this revision.
  func text(_ id: JobID, revision: Int) -> [UInt8]? {
    entries.withLock { entries in
      guard let entry = entries[id], entry.revision == revision else { return nil }
      return entry.bytes
    }
  }

  /// Writes the text of a job, and keeps it.
  func write(_ record: JobRecord) -> [UInt8] {
    let bytes = Array(record.jsonText.utf8) + [UInt8(ascii: "\n")]
    entries.withLock { entries in
      if entries.count >= JobTexts.entriesMax { entries = [:] }
      entries[record.id] = Entry(revision: record.revision, bytes: bytes)
    }
    return bytes
  }
}
