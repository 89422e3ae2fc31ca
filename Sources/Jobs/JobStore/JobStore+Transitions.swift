import JobModel
import Recipe
import SQLite

/// A step of a job's life that has been made.
package struct TransitionRecord: Sendable, Equatable {
  /// Rises over all jobs; a reader goes on behind the last one that it has seen.
  package let id: Int
  package let job: JobID
  package let atMilliseconds: Int
  /// `nil`: the job was queued.
  package let from: JobState?
  package let to: JobState
  package let reason: Reason?
  package let message: String?
  package let initiator: Actor
  package let attempt: Int

  static let columns = """
    transitions.id AS id, jobs.id AS job_id, at_ms, from_state, to_state, transitions.reason AS reason,
    transitions.message AS message, actor, transitions.attempt AS attempt
    """

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    guard let job = JobID(row.text("job_id")), let to = JobState(rawValue: row.text("to_state")),
      let initiator = Actor(rawValue: row.text("actor"))
    else { throw JobStoreError.unreadableRow(sequence: row.integer("id")) }
    id = row.integer("id")
    self.job = job
    atMilliseconds = row.integer("at_ms")
    from = row.optionalText("from_state").flatMap(JobState.init)
    self.to = to
    reason = row.optionalText("reason").flatMap(Reason.init)
    message = row.optionalText("message")
    self.initiator = initiator
    attempt = row.integer("attempt")
  }
}

extension JobStore {
  /// The steps of one job's life, or of all jobs', after the one with that id; oldest first.
  package func transitions(of job: JobID? = nil, after id: Int = 0, limit: Int) throws -> [TransitionRecord] {
    let condition = job == nil ? "" : "AND jobs.id = ?3"
    return try read {
      try $0.rows(
        """
        SELECT \(TransitionRecord.columns) FROM transitions JOIN jobs ON job = sequence
        WHERE transitions.id > ?1 \(condition) ORDER BY transitions.id LIMIT ?2
        """, [.integer(id), .integer(limit)] + (job.map { [.text($0.text)] } ?? []), TransitionRecord.init)
    }
  }
}
