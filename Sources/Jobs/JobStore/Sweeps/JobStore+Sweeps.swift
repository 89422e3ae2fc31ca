import JSONText
import JobModel
import Recipe
import SQLite
import Sweeps
import Text

/// A sweep that is to be added.
package struct NewSweep: Sendable {
  package var id: JobID
  package var labelling: JobLabelling
  package var specification: SweepSpecification

  package init(id: JobID, labelling: JobLabelling, specification: SweepSpecification) {
    self.id = id
    self.labelling = labelling
    self.specification = specification
  }
}

extension JobStore {
  /// Adds a sweep, which asks for its first trials when it is looked at. The answer is kept under the key; if
  /// another request has used that, its answer is given and nothing is added.
  package func add(
    _ sweep: NewSweep, under key: IdempotencyKey? = nil, describe: (SweepRecord) -> StoredAnswer
  ) throws -> (answer: StoredAnswer, isRepeated: Bool) {
    try write { connection in
      if let key, let known = try answer(to: key, connection) { return (known, true) }
      try connection.execute(
        """
        INSERT INTO sweeps (id, name, notes, labels, priority, state, spec, created_at_ms)
        VALUES (?, ?, ?, ?, ?, 'running', ?, ?)
        """,
        [
          .text(sweep.id.text), .optional(sweep.labelling.name), .optional(sweep.labelling.notes),
          .text(Self.text(sweep.labelling.labels)), .integer(sweep.labelling.priority),
          .text(sweep.specification.jsonText), .integer(clock()),
        ])
      let answer = describe(try existingSweep(sweep.id, connection))
      if let key { try keep(answer, under: key, connection) }
      return (answer, false)
    }
  }

  private static func text(_ labels: [ByteString: ByteString]) -> String {
    JSON.object(labels.mapValues { .string($0) }).text
  }

  /// The sweep of that id; nil: there is none.
  package func sweep(_ id: JobID) throws -> SweepRecord? { try read { try sweep(id, $0) } }

  /// As above, by a connection that may stand in a transaction.
  func sweep(_ id: JobID, _ connection: Connection) throws -> SweepRecord? {
    try connection.first(
      "SELECT \(SweepRecord.columns) FROM sweeps WHERE id = ?", [.text(id.text)], SweepRecord.init)
  }

  /// The sweep of that id, which has to be there.
  ///
  /// - Throws: `JobStoreError.noSuchSweep`.
  func existingSweep(_ id: JobID, _ connection: Connection) throws -> SweepRecord {
    guard let sweep = try sweep(id, connection) else { throw JobStoreError.noSuchSweep(id) }
    return sweep
  }

  /// The sweep with its trials and jobs; nil: there is none.
  ///
  /// - Parameter trial: the only one that is wanted; nil: all.
  package func standing(ofSweep id: JobID, trial: Int? = nil) throws -> SweepStanding? {
    try read { connection in try connection.snapshot { try standing(ofSweep: id, trial: trial, connection) } }
  }

  /// As above, in a transaction.
  func standing(ofSweep id: JobID, trial: Int? = nil, _ connection: Connection) throws -> SweepStanding? {
    guard let record = try sweep(id, connection) else { return nil }
    let (only, number) = trial.map { (true, $0) } ?? (false, 0)
    let trials = try connection.rows(
      """
      SELECT \(TrialRecord.columns) FROM trials
      WHERE sweep = ? \(only ? "AND number = ?" : "") ORDER BY number
      """, [.integer(record.sequence)] + (only ? [.integer(number)] : []), TrialRecord.init)
    let jobs = try connection.rows(
      """
      SELECT \(TrialJob.columns) FROM jobs WHERE sweep = ? \(only ? "AND trial = ?" : "") ORDER BY sequence
      """, [.text(id.text)] + (only ? [.integer(number)] : []), TrialJob.init)
    return SweepStanding(record: record, trials: trials, jobs: jobs)
  }

  /// Changes name, labels, notes and priority by `change`; the priority is that of the sweep's jobs as well,
  /// as long as they wait.
  ///
  /// - Parameter check: refuses the sweep as it was, in the same transaction.
  /// - Throws: `JobStoreError.noSuchSweep`, and what `check` and `change` throw.
  package func relabelSweep(
    _ id: JobID, if check: (SweepRecord) throws -> Void, _ change: (inout JobLabelling) throws -> Void
  ) throws -> SweepRecord {
    try write { connection in
      let old = try existingSweep(id, connection)
      var labelling = old.labelling
      try change(&labelling)
      try check(old)
      if labelling == old.labelling { return old }
      try connection.execute(
        """
        UPDATE sweeps SET name = ?, notes = ?, labels = ?, priority = ?, revision = revision + 1
        WHERE sequence = ?
        """,
        [
          .optional(labelling.name), .optional(labelling.notes), .text(Self.text(labelling.labels)),
          .integer(labelling.priority), .integer(old.sequence),
        ])
      if labelling.priority != old.labelling.priority {
        try connection.execute(
          """
          UPDATE jobs SET priority = min(?, ? + trial_rung), revision = revision + 1
          WHERE sweep = ? AND state IN ('blocked', 'queued', 'paused')
          """,
          [.integer(JobLabelling.priorityMax), .integer(labelling.priority), .text(id.text)])
      }
      return try existingSweep(id, connection)
    }
  }

  /// Removes a finished sweep with its trials. Its jobs stay, and belong to no sweep then.
  ///
  /// - Parameter check: refuses the sweep as it is, in the same transaction.
  /// - Throws: `JobStoreError`: `noSuchSweep`, `wrongSweepState`; what `check` throws.
  package func deleteSweep(_ id: JobID, if check: (SweepRecord) throws -> Void) throws {
    try write { connection in
      let sweep = try existingSweep(id, connection)
      guard sweep.state.isFinished else {
        throw JobStoreError.wrongSweepState(
          id, state: sweep.state, operation: "delete",
          allowed: SweepRecord.State.allCases.filter(\.isFinished))
      }
      try check(sweep)
      try connection.execute(
        """
        UPDATE jobs SET sweep = NULL, trial = NULL, trial_rung = NULL, trial_seed = NULL,
          revision = revision + 1
        WHERE sweep = ?
        """, [.text(id.text)])
      try connection.execute("DELETE FROM sweeps WHERE sequence = ?", [.integer(sweep.sequence)])
    }
  }
}
