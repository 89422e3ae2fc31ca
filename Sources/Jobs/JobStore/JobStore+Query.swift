import JobModel
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

  /// Newest first: jobs that arrived before the cursor (a record's `sequence`), at most `limit`.
  package func list(_ filter: JobFilter = JobFilter(), before cursor: Int? = nil, limit: Int) throws
    -> [JobRecord]
  {
    if let label = filter.label { return try list(filter, label, before: cursor ?? .max, limit: limit) }
    // Each part reads an index from its newest end on, and stops when it has enough.
    let states: [JobState?] = filter.states.isEmpty ? [nil] : Array(Set(filter.states))
    let healths: [HealthState?] = filter.health.isEmpty ? [nil] : Array(Set(filter.health))
    var arguments: [Value] = []
    let parts = states.flatMap { state in healths.map { (state: state, health: $0) } }.map { part in
      var conditions = ["sequence < ?"]
      arguments.append(.integer(cursor ?? .max))
      if let state = part.state {
        conditions.append("state = ?")
        arguments.append(.text(state.rawValue))
      }
      if let health = part.health {
        conditions.append("health = ?")
        arguments.append(.text(health.rawValue))
      }
      if let kind = filter.kind {
        conditions.append("kind = ?")
        arguments.append(.text(kind.rawValue))
      }
      arguments.append(.integer(limit))
      return """
        SELECT * FROM (SELECT \(JobRecord.columns) FROM jobs
          WHERE \(conditions.joined(separator: " AND ")) ORDER BY sequence DESC LIMIT ?)
        """
    }
    let sql = "\(parts.joined(separator: " UNION ALL ")) ORDER BY sequence DESC LIMIT ?"
    return try read { try $0.rows(sql, arguments + [.integer(limit)], JobRecord.init) }
  }

  /// Jobs with a label: those that have it are looked at from the newest on.
  private func list(
    _ filter: JobFilter, _ label: (key: ByteString, value: ByteString?), before cursor: Int, limit: Int
  ) throws -> [JobRecord] {
    var conditions = ["key = ?", "job < ?"]
    var arguments: [Value] = [.text(label.key), .integer(cursor)]
    if let value = label.value {
      conditions.append("value = ?")
      arguments.append(.text(value))
    }
    if !filter.states.isEmpty {
      conditions.append("state IN (\(filter.states.map { _ in "?" }.joined(separator: ", ")))")
      arguments += filter.states.map { .text($0.rawValue) }
    }
    if !filter.health.isEmpty {
      conditions.append("health IN (\(filter.health.map { _ in "?" }.joined(separator: ", ")))")
      arguments += filter.health.map { .text($0.rawValue) }
    }
    if let kind = filter.kind {
      conditions.append("kind = ?")
      arguments.append(.text(kind.rawValue))
    }
    // By a cross join the left table leads.
    let sql = """
      SELECT \(JobRecord.columns) FROM job_labels CROSS JOIN jobs ON sequence = job
      WHERE \(conditions.joined(separator: " AND ")) ORDER BY job DESC LIMIT ?
      """
    return try read { try $0.rows(sql, arguments + [.integer(limit)], JobRecord.init) }
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
