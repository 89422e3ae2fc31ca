import JobModel
import Recipe
import SQLite

/// A deletion has three steps: the rows go and a note of the files comes, in one transaction; the files go;
/// the note goes. A daemon that starts finishes what an earlier one has begun.
extension JobStore {
  /// Whether a row is that of a training whose list of evaluations has the job of that sequence.
  static let isEvaluatedByJob =
    "kind = 'train' AND sequence IN (SELECT needs FROM job_dependencies WHERE job = ?)"

  /// Removes a finished job with everything that it has told, and notes that its files have to go.
  ///
  /// - Parameter check: refuses the job as it is, in the same transaction.
  /// - Throws: `JobStoreError`: `noSuchJob`, `wrongState`, `isNeeded` by unfinished jobs, `isOfSweep` that
  /// has
  ///   not finished; what `check` throws.
  package func delete(_ id: JobID, if check: (JobRecord) throws -> Void = { _ in }) throws {
    try write { connection in
      let job = try existing(id, connection)
      guard job.state.isFinished else {
        throw JobStoreError.wrongState(
          id, state: job.state, operation: "delete", allowed: JobState.allCases.filter(\.isFinished))
      }
      let dependents = try connection.rows(
        """
        SELECT id FROM jobs JOIN job_dependencies ON job = sequence
        WHERE needs = ? AND state NOT IN ('succeeded', 'failed', 'cancelled') ORDER BY sequence
        """, [.integer(job.sequence)]
      ) { JobID($0.text("id")) }.compactMap(\.self)
      if !dependents.isEmpty { throw JobStoreError.isNeeded(id, by: dependents) }
      if let place = job.place, try sweep(place.sweep, connection)?.state.isFinished == false {
        throw JobStoreError.isOfSweep(id, place.sweep)
      }
      try check(job)
      try connection.execute(
        "UPDATE jobs SET revision = revision + 1 WHERE \(JobStore.isEvaluatedByJob)",
        [.integer(job.sequence)])
      try connection.execute(
        "INSERT INTO deletions (id, deleted_at_ms) VALUES (?, ?)", [.text(id.text), .integer(clock())])
      try connection.execute("DELETE FROM jobs WHERE sequence = ?", [.integer(job.sequence)])
    }
  }

  /// Jobs whose rows are gone and whose files may not be.
  package func unfinishedDeletions() throws -> [JobID] {
    try read {
      try $0.rows("SELECT id FROM deletions ORDER BY id") { JobID($0.text("id")) }.compactMap(\.self)
    }
  }

  /// The files of a deleted job are gone as well.
  package func finishDeletion(_ id: JobID) throws {
    try write { _ = try $0.execute("DELETE FROM deletions WHERE id = ?", [.text(id.text)]) }
  }
}
