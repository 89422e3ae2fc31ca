import JSONText
import JobModel
import Recipe
import SQLite
import Text

extension JobStore {
  /// The job of that id, if there is one.
  package func job(_ id: JobID) throws -> JobRecord? {
    try read { try record(id, $0) }
  }

  /// What others that name the job have to know of it, if there is one.
  package func standing(of id: JobID) throws -> JobStanding? { try read { try standing(of: id, $0) } }

  /// As above, by a connection that may stand in a transaction.
  func standing(of id: JobID, _ connection: Connection) throws -> JobStanding? {
    try connection.first(
      "SELECT id, sequence, kind, state, reason FROM jobs WHERE id = ?", [.text(id.text)], JobStanding.init)
  }

  /// The revision of the job of that id, if there is one.
  package func revision(_ id: JobID) throws -> Int? {
    try read {
      try $0.first("SELECT revision FROM jobs WHERE id = ?", [.text(id.text)]) { $0.integer("revision") }
    }
  }

  /// The revisions of those of the jobs that there are.
  package func revisions(of ids: [JobID]) throws -> [JobID: Int] {
    let names = JSON.array(ids.map { .string($0.text) }).text
    let rows = try read {
      try $0.rows(
        "SELECT id, revision FROM jobs WHERE id IN (SELECT value FROM json_each(?))", [.text(names)]
      ) { (JobID($0.text("id")), $0.integer("revision")) }
    }
    return rows.reduce(into: [:]) { revisions, row in if let id = row.0 { revisions[id] = row.1 } }
  }

  /// As `job`, by a connection that may stand in a transaction.
  func record(_ id: JobID, _ connection: Connection) throws -> JobRecord? {
    try connection.first(
      "SELECT \(JobRecord.columns) FROM jobs WHERE id = ?", [.text(id.text)], JobRecord.init)
  }

  /// The job of that id, which has to be there.
  ///
  /// - Throws: `JobStoreError.noSuchJob`.
  func existing(_ id: JobID, _ connection: Connection) throws -> JobRecord {
    guard let job = try record(id, connection) else { throw JobStoreError.noSuchJob(id) }
    return job
  }

  /// Jobs of one list in its order, at most `limit`, after a cursor.
  package func list(
    _ filter: JobFilter = JobFilter(), _ order: JobOrder = JobOrder(), after cursor: JobCursor? = nil,
    limit: Int
  ) throws -> [JobRecord] {
    try read {
      try list(filter, order, after: cursor, limit: limit, now: clock(), $0).map(\.job)
    }
  }

  /// As `list`, with the place of the next page and how many jobs there are in all, as of one moment.
  package func page(
    _ filter: JobFilter, _ order: JobOrder, after cursor: JobCursor?, limit: Int
  ) throws -> JobPage {
    try read { connection in
      try connection.snapshot {
        let now = clock()
        let found = try list(filter, order, after: cursor, limit: limit + 1, now: now, connection)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last : nil
        return JobPage(
          jobs: page.map(\.job),
          next: next.map {
            JobCursor(sequence: $0.job.sequence, key: $0.key, moment: cursor?.moment ?? now, order)
          }, total: try total(filter, connection))
      }
    }
  }

  private func list(
    _ filter: JobFilter, _ order: JobOrder, after cursor: JobCursor?, limit: Int, now: Int,
    _ connection: Connection
  ) throws -> [(job: JobRecord, key: ByteString?)] {
    let query = JobPageQuery(filter, order, after: cursor, limit: limit, now: now)
    return try connection.rows(query.sql, query.arguments) { (try JobRecord($0), order.key(of: $0)) }
  }

  /// How many jobs a filter leaves.
  private func total(_ filter: JobFilter, _ connection: Connection) throws -> Int {
    let selection = JobSelection(filter, isInOrder: true)
    // Jobs in each state are counted already.
    let counted = filter.isByStateAlone ? ("sum(jobs)", "job_counts") : ("count(*)", selection.source)
    let sql = "SELECT \(counted.0) AS total FROM \(counted.1) WHERE \(selection.condition)"
    return try connection.first(sql, selection.arguments) { $0.integer("total") } ?? 0
  }

  /// The version of the database library.
  package func libraryVersion() throws -> String? {
    try read { try $0.first("SELECT sqlite_version() AS version") { $0.text("version") } }
  }

  /// How many jobs are in each state.
  package func counts() throws -> [JobState: Int] {
    let rows = try read {
      try $0.rows("SELECT state, jobs FROM job_counts WHERE jobs > 0") {
        (JobState(rawValue: $0.text("state")), $0.integer("jobs"))
      }
    }
    return rows.reduce(into: [:]) { counts, row in if let state = row.0 { counts[state] = row.1 } }
  }

  /// Jobs whose worker may be alive, oldest first: what a starting daemon has to settle.
  package func activeJobs() throws -> [JobRecord] {
    try read {
      try $0.rows(
        """
        SELECT \(JobRecord.columns) FROM jobs
        WHERE state IN ('running', 'pausing', 'cancelling') ORDER BY sequence
        """, [], JobRecord.init)
    }
  }

  /// Changes name, labels, notes and priority by `change`.
  ///
  /// - Parameter check: refuses the job as it was, in the same transaction, if nothing else is wrong.
  /// - Throws: `JobStoreError.noSuchJob`, and what `check` and `change` throw.
  package func relabel(
    _ id: JobID, if check: (JobRecord) throws -> Void = { _ in },
    _ change: (inout JobLabelling) throws -> Void
  ) throws -> JobRecord {
    try write { connection in
      guard let old = try record(id, connection) else { throw JobStoreError.noSuchJob(id) }
      var labelling = old.labelling
      try change(&labelling)
      try check(old)
      if labelling == old.labelling { return old }
      try connection.execute(
        """
        UPDATE jobs SET name = ?, labels = ?, notes = ?, priority = ?, revision = revision + 1 WHERE id = ?
        """,
        [
          .optional(labelling.name), .text(JSON.object(labelling.labels.mapValues { .string($0) }).text),
          .optional(labelling.notes), .integer(labelling.priority), .text(id.text),
        ])
      return try record(id, connection) ?? old
    }
  }

  /// The checkpoints that the job's workers have reported, oldest first. Retention may have removed some
  /// files since.
  package func checkpoints(_ id: JobID) throws -> [CheckpointRecord] {
    try read {
      try $0.rows(
        """
        SELECT checkpoints.name AS name, step, bytes, sha256, checkpoints.created_at_ms AS created_at_ms
        FROM checkpoints JOIN jobs ON job = sequence WHERE id = ? ORDER BY step, checkpoints.name
        """, [.text(id.text)]
      ) {
        CheckpointRecord(
          name: $0.text("name"), step: $0.integer("step"), bytes: $0.integer("bytes"),
          sha256: $0.text("sha256"),
          createdAtMilliseconds: $0.integer("created_at_ms"))
      }
    }
  }
}
