import JSONText
import Recipe
import SQLite
import Text

/// Whether an imported dataset can be used.
package enum DatasetState: String, Sendable, CaseIterable {
  /// Its import job has not ended.
  case importing
  case ready
  /// Its import job failed or was cancelled.
  case failed

  /// What messages say of a dataset.
  package var phrase: String {
    switch self {
    case .importing: "is still being imported"
    case .ready: "is ready"
    case .failed: "could not be imported"
    }
  }
}

/// An imported dataset as the store has it.
package struct DatasetRecord: Sendable, Equatable {
  /// Names its folder; the id that its import job has or had.
  package let id: JobID
  package let name: ByteString
  package let state: DatasetState
  /// Why it has failed.
  package let message: String?
  /// The import job; nil: it was deleted.
  package let job: JobID?
  /// What it is imported from.
  package let source: ByteString
  /// What the import has found, a JSON object; nil unless it is ready.
  package let description: String?
  package let digest: String?
  /// Bytes of its files.
  package let bytes: Int?
  package let createdAtMilliseconds: Int
  /// Counts the changes.
  package let revision: Int

  static let columns =
    "id, sequence, name, state, message, job, source, description, digest, bytes, created_at_ms, revision"

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    guard let id = JobID(row.text("id")), let state = DatasetState(rawValue: row.text("state")) else {
      throw JobStoreError.unreadableRow(sequence: row.integer("sequence"))
    }
    self.id = id
    self.state = state
    name = ByteString(row.text("name"))
    message = row.optionalText("message")
    job = row.optionalText("job").flatMap { JobID($0) }
    source = ByteString(row.text("source"))
    description = row.optionalText("description")
    digest = row.optionalText("digest")
    bytes = row.optionalInteger("bytes")
    createdAtMilliseconds = row.integer("created_at_ms")
    revision = row.integer("revision")
  }
}
