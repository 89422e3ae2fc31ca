import JSONText
import JobModel
import Recipe
import SQLite
import Sweeps

/// What users ask of sweeps. Asking twice is harmless. A `check` sees the sweep as it was, in the same
/// transaction, and refuses the request by throwing.
extension JobStore {
  /// Asks a sweep to rest: its queued jobs are paused at once, those that run write a checkpoint first.
  ///
  /// - Throws: `JobStoreError`: `noSuchSweep`, `wrongSweepState` for one that has finished or is cancelling.
  package func pauseSweep(_ id: JobID, if check: (SweepRecord) throws -> Void) throws -> SweepRecord {
    try request(.pause, of: id, "pause", allowed: [.running, .pausing, .paused], check) { sweep, connection in
      try pauseJobs(of: sweep, connection)
    }
  }

  /// Lets a sweep go on that rests or was asked to, with its jobs.
  ///
  /// - Throws: as `pauseSweep`.
  package func resumeSweep(_ id: JobID, if check: (SweepRecord) throws -> Void) throws -> SweepRecord {
    try request(.run, of: id, "resume", allowed: [.running, .pausing, .paused], check) { sweep, connection in
      for job in try jobs(of: sweep, in: [.paused, .pausing], connection) {
        try move(job, to: Step(job.state == .paused ? .queued : .running, by: .user), connection)
      }
    }
  }

  /// Asks a sweep to end, and its jobs with it; a finished one is left alone.
  ///
  /// - Throws: `JobStoreError.noSuchSweep`.
  package func cancelSweep(_ id: JobID, if check: (SweepRecord) throws -> Void) throws -> SweepRecord {
    try write { connection in
      let sweep = try existingSweep(id, connection)
      try check(sweep)
      if sweep.state.isFinished || sweep.request == .cancel { return sweep }
      try write(.cancel, of: sweep, connection)
      try cancelJobs(of: sweep, by: .user, message: nil, connection)
      return try settle(id, connection)
    }
  }

  /// Gives a sweep more trials; one that has succeeded goes on.
  ///
  /// - Parameter change: makes the new specification of the old one, or throws.
  /// - Throws: `JobStoreError`: `noSuchSweep`, `wrongSweepState` for one that was cancelled or has failed.
  package func extendSweep(
    _ id: JobID, if check: (SweepRecord) throws -> Void,
    _ change: (SweepRecord, _ trials: Int) throws -> SweepSpecification
  ) throws -> SweepRecord {
    let allowed: [SweepRecord.State] = [.running, .pausing, .paused, .succeeded]
    return try request(nil, of: id, "extend", allowed: allowed, check) { sweep, connection in
      let trials = try connection.first(
        "SELECT count(*) AS trials FROM trials WHERE sweep = ?", [.integer(sweep.sequence)]
      ) { $0.integer("trials") }
      let specification = try change(sweep, trials ?? 0)
      let state = sweep.state == .succeeded ? SweepRecord.State.running : sweep.state
      try connection.execute(
        """
        UPDATE sweeps SET spec = ?, state = ?, reason = NULL, message = NULL, finished_at_ms = NULL
        WHERE sequence = ?
        """, [.text(specification.jsonText), .text(state.rawValue), .integer(sweep.sequence)])
    }
  }

  private func request(
    _ request: SweepState.Request?, of id: JobID, _ operation: String, allowed: [SweepRecord.State],
    _ check: (SweepRecord) throws -> Void, _ body: (SweepRecord, Connection) throws -> Void
  ) throws -> SweepRecord {
    try write { connection in
      let sweep = try existingSweep(id, connection)
      guard allowed.contains(sweep.state) else {
        throw JobStoreError.wrongSweepState(id, state: sweep.state, operation: operation, allowed: allowed)
      }
      try check(sweep)
      try write(request ?? sweep.request, of: sweep, connection)
      try body(sweep, connection)
      return try settle(id, connection)
    }
  }

  private func write(
    _ request: SweepState.Request, of sweep: SweepRecord, _ connection: Connection
  ) throws {
    try connection.execute(
      "UPDATE sweeps SET request = ?, wanted = wanted + 1, revision = revision + 1 WHERE sequence = ?",
      [.text(request.rawValue), .integer(sweep.sequence)])
  }

  /// Brings the state of a sweep to what was asked of it, as far as its jobs have come.
  private func settle(_ id: JobID, _ connection: Connection) throws -> SweepRecord {
    guard let standing = try standing(ofSweep: id, connection) else { throw JobStoreError.noSuchSweep(id) }
    let isRunning = standing.record.request == .run
    let phase = try isRunning ? .running : standing.decision(asksMax: 1, now: clock()).phase
    try write(phase, of: standing.record, connection)
    return try existingSweep(id, connection)
  }

  /// Pauses the jobs of a sweep that are queued or run.
  func pauseJobs(of sweep: SweepRecord, _ connection: Connection) throws {
    for job in try jobs(of: sweep, in: [.queued, .running], connection) {
      let state: JobState = job.state == .queued ? .paused : .pausing
      try move(job, to: Step(state, .userPaused, message: "its sweep is paused", by: .user), connection)
    }
  }

  /// Cancels the jobs of a sweep that have not ended.
  func cancelJobs(
    of sweep: SweepRecord, by initiator: Actor, message: String?, _ connection: Connection
  ) throws {
    let message = message ?? "its sweep was cancelled"
    let states: [JobState] = [.blocked, .queued, .paused, .running, .pausing]
    for job in try jobs(of: sweep, in: states, connection) {
      // A step of an earlier one may have cancelled this one as well.
      let job = try existing(job.id, connection)
      if job.state.isActive, job.state != .cancelling {
        let step = Step(.cancelling, .userCancelled, message: message, by: initiator)
        try askToEnd(job, step, .graceful, connection)
      } else if !job.state.isFinished, !job.state.isActive {
        try move(job, to: Step(.cancelled, .userCancelled, message: message, by: initiator), connection)
      }
    }
  }

  private func jobs(
    of sweep: SweepRecord, in states: [JobState], _ connection: Connection
  ) throws -> [JobRecord] {
    let places = states.map { _ in "?" }.joined(separator: ", ")
    return try connection.rows(
      "SELECT \(JobRecord.columns) FROM jobs WHERE sweep = ? AND state IN (\(places)) ORDER BY sequence",
      [.text(sweep.id.text)] + states.map { .text($0.rawValue) }, JobRecord.init)
  }
}
