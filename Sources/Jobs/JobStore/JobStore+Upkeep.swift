import JSONText
import JobModel
import Platform
import Recipe
import SQLite

/// What is done to a database as a whole, also beside a daemon that uses it.
extension JobStore {
  /// Those of some ids that no job has.
  package func unknown(of ids: [JobID]) throws -> [JobID] {
    let known = try read { try Set($0.rows("SELECT id FROM jobs") { $0.text("id") }) }
    return ids.filter { !known.contains($0.text) }
  }

  /// Those of some ids whose jobs have not finished.
  package func unfinished(of ids: [JobID]) throws -> Set<JobID> {
    let list = JSON.array(ids.map { .string($0.text) }).text
    let found = try read {
      try $0.rows(
        """
        SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?))
          AND state NOT IN ('succeeded', 'failed', 'cancelled')
        """, [.text(list)]
      ) { JobID($0.text("id")) }
    }
    return Set(found.compactMap(\.self))
  }

  /// Queues a job again that the database has lost (it is a copy from before, or was damaged), from what its
  /// run folder says. What the run has told is read anew; names, labels and limits are lost.
  ///
  /// - Parameter attempt: the last one.
  package func restore(_ id: JobID, attempt: Int, _ specification: JobSpecification) throws {
    let now = clock()
    try write { connection in
      _ = try connection.execute(
        """
        INSERT INTO jobs (id, kind, labels, priority, state, message, spec, attempt, created_at_ms,
          changed_at_ms, changed_by, event_sequence, dataset_name, method)
        VALUES (?, ?, '{}', ?, 'queued', ?, ?, ?, ?, ?, 'daemon', 1, ?, ?)
        """,
        [
          .text(id.text), .text(specification.kind.rawValue), .integer(JobLabelling().priority),
          .text("the database had lost it; it is restored from its run folder"),
          .text(specification.jsonText), .integer(attempt), .integer(id.unixMilliseconds), .integer(now),
          .optional(specification.datasetName), .optional(try methodName(of: specification, connection)),
        ])
    }
  }

  /// Writes a copy of a database, as it is at one moment, to a file that appears whole and durable or not at
  /// all.
  ///
  /// - Throws: `SQLiteError`, `SystemError`.
  package static func backUp(_ path: String, to target: String) throws {
    try backUp(Connection(path: path, access: .read), to: target)
  }

  /// As above, of the database that a connection has open.
  static func backUp(_ connection: Connection, to target: String) throws {
    let temporary = "\(target).unfinished"
    let file: File
    do throws(SystemError) {
      try FileSystem.remove(temporary)
      // SQLite fills an empty file, which is the owner's alone from its first byte on.
      file = try File(temporary, .createNew)
    } catch {
      throw SystemError(operation: "write", subject: target, errno: error.errno)
    }
    do {
      try connection.copy(to: temporary)
      try file.sync()
      try FileSystem.rename(temporary, to: target)
    } catch {
      // The first error says what is wrong; a rest that cannot be removed either is replaced by the next try.
      try? FileSystem.remove(temporary)
      throw (error as? SQLiteError)?.ofCopy(to: target) ?? error
    }
    try FileSystem.syncDirectory(FileSystem.parent(of: target))
  }

  /// The models that a database knows, the oldest first; one of an older schema knows none.
  ///
  /// - Throws: `SQLiteError`, `JobStoreError.unreadableRow`.
  package static func models(in path: String) throws -> [ModelRecord] {
    try rows(of: "models", ModelRecord.columns, in: path, ModelRecord.init)
  }

  /// The same of imported datasets.
  package static func datasets(in path: String) throws -> [DatasetRecord] {
    try rows(of: "datasets", DatasetRecord.columns, in: path, DatasetRecord.init)
  }

  private static func rows<Record>(
    of table: String, _ columns: String, in path: String, _ read: (Row) throws -> Record
  ) throws -> [Record] {
    let connection = try Connection(path: path, access: .read)
    let isThere = try connection.first(
      "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [.text(table)]
    ) { _ in true }
    guard isThere == true else { return [] }
    return try connection.rows("SELECT \(columns) FROM \(table) ORDER BY sequence", [], read)
  }

  /// What SQLite finds wrong with a database, and rows that refer to none; empty: nothing.
  ///
  /// - Throws: `SQLiteError`, also for a file that is no database.
  package static func problems(of path: String) throws -> [String] {
    let connection = try Connection(path: path, access: .read)
    let found = try connection.rows("PRAGMA integrity_check") { $0.text("integrity_check") }
    let orphans = try connection.rows("PRAGMA foreign_key_check") {
      "a row of \($0.text("table")) refers to a row of \($0.text("parent")) that is not there"
    }
    return found.filter { $0 != "ok" } + orphans
  }
}
