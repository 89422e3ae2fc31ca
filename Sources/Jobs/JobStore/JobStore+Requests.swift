import JobModel
import Recipe
import SQLite

/// What users, and the daemon on its own account, ask of jobs. Asking twice is harmless. A `check` sees the
/// job as it was, in the same transaction, and refuses the request by throwing.
extension JobStore {
  /// Asks a job to end. What waits is cancelled at once, what runs becomes `cancelling`; asking again is
  /// harmless, and `now` after `graceful` is taken up.
  ///
  /// - Returns: the job as it is then; a finished one is left alone.
  /// - Throws: `JobStoreError.noSuchJob`.
  package func requestCancel(
    _ id: JobID, mode: CancelMode, if check: (JobRecord) throws -> Void = { _ in }
  ) throws -> JobRecord {
    try write { connection in
      let job = try existing(id, connection)
      try check(job)
      switch job.state {
      case .succeeded, .failed, .cancelled: return job
      case .blocked, .queued, .paused:
        try move(job, to: Step(.cancelled, .userCancelled, by: .user), connection)
      case .running, .pausing, .cancelling:
        let isUsers = job.reason == .userCancelled
        let isAsked = job.state == .cancelling && (job.cancelMode == .now || mode == .graceful) && isUsers
        if !isAsked { try askToEnd(job, Step(.cancelling, .userCancelled, by: .user), mode, connection) }
      }
      return try existing(id, connection)
    }
  }

  /// Has an attempt that has run for its job's `max_duration` end with a checkpoint; the job fails then.
  package func endOverdue(_ id: JobID, attempt: Int) throws {
    try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt,
        job.state == .running || job.state == .pausing
      else { return }
      let seconds = job.policy.maxDurationSeconds ?? 0
      let step = Step(
        .cancelling, .maxDuration, message: "it has run for its max_duration of \(seconds) seconds")
      try askToEnd(job, step, .graceful, connection)
    }
  }

  /// Has a job whose worker may be alive end.
  func askToEnd(_ job: JobRecord, _ step: Step, _ mode: CancelMode, _ connection: Connection) throws {
    // The mode comes with the state or before it: no row is `cancelling` without one.
    try connection.execute(
      "UPDATE jobs SET cancel_mode = ? WHERE sequence = ?", [.text(mode.rawValue), .integer(job.sequence)])
    try move(job, to: step, connection)
  }

  /// Asks a job to rest: what is queued is paused at once, what runs writes a checkpoint first.
  ///
  /// - Throws: `JobStoreError`: `noSuchJob`, `wrongState`.
  package func requestPause(
    _ id: JobID, if check: (JobRecord) throws -> Void = { _ in }
  ) throws -> JobRecord {
    try write { connection in
      let job = try existing(id, connection)
      try check(job)
      switch job.state {
      case .queued, .paused:
        if job.state == .paused && job.reason == .userPaused { return job }
        try move(job, to: Step(.paused, .userPaused, by: .user), connection)
      case .running, .pausing:
        if job.state == .pausing && job.reason == .userPaused { return job }
        try move(job, to: Step(.pausing, .userPaused, by: .user), connection)
      case .blocked, .cancelling, .succeeded, .failed, .cancelled:
        throw JobStoreError.wrongState(
          id, state: job.state, operation: "pause", allowed: [.queued, .running, .pausing, .paused])
      }
      return try existing(id, connection)
    }
  }

  /// Lets a paused job go on; one that is still pausing does not rest.
  ///
  /// - Throws: `JobStoreError`: `noSuchJob`, `wrongState`.
  package func resume(
    _ id: JobID, if check: (JobRecord) throws -> Void = { _ in }
  ) throws -> JobRecord {
    try write { connection in
      let job = try existing(id, connection)
      try check(job)
      switch job.state {
      case .paused: try move(job, to: Step(.queued, by: .user), connection)
      case .pausing: try move(job, to: Step(.running, by: .user), connection)
      case .queued, .running: return job
      case .blocked, .cancelling, .succeeded, .failed, .cancelled:
        throw JobStoreError.wrongState(
          id, state: job.state, operation: "resume", allowed: [.paused, .pausing, .queued, .running])
      }
      return try existing(id, connection)
    }
  }

  /// Queues a failed or cancelled job once more; it goes on from its last checkpoint. Its counts of failures
  /// and deaths, and the time that `max_duration_seconds` limits, start again from 0.
  ///
  /// - Parameter hasBegun: it needs no more of what it begins with.
  /// - Returns: the job as it is then; one that has not ended is left alone.
  /// - Throws: `JobStoreError`: `noSuchJob`, `wrongState` after success, `unusableNeed` if a job that it
  ///   needs cannot succeed any more or is gone.
  package func retry(
    _ id: JobID, hasBegun: Bool = false, if check: (JobRecord) throws -> Void = { _ in }
  ) throws -> JobRecord {
    try write { connection in
      let job = try existing(id, connection)
      try check(job)
      switch job.state {
      case .failed, .cancelled: break
      case .succeeded:
        throw JobStoreError.wrongState(
          id, state: job.state, operation: "retry", allowed: [.failed, .cancelled])
      case .blocked, .queued, .running, .pausing, .paused, .cancelling: return job
      }
      try queueAgain(job, hasBegun: hasBegun, by: .user, connection)
      return try existing(id, connection)
    }
  }

  /// Queues a failed or cancelled job once more, in a write that is under way.
  ///
  /// - Throws: `JobStoreError.unusableNeed`, `retryNeedsModel`.
  func queueAgain(
    _ job: JobRecord, hasBegun: Bool, by initiator: Actor, _ connection: Connection
  ) throws {
    if !hasBegun { try checkCheckpointNeed(of: job, connection) }
    let needs = try needs(of: job, connection)
    for need in needs where need.state.isFinished && !job.policy.isMet(by: need.state) {
      throw JobStoreError.unusableNeed(need.id, kind: .train, state: need.state)
    }
    try connection.execute(
      "DELETE FROM events WHERE job = ? AND event = 'end'", [.integer(job.sequence)])
    try connection.execute(
      """
      UPDATE jobs SET failures = 0, crashes = 0, ran_ms = 0, result = NULL, cancel_mode = NULL
      WHERE sequence = ?
      """, [.integer(job.sequence)])
    let isMet = needs.allSatisfy { job.policy.isMet(by: $0.state) }
    try move(job, to: Step(isMet ? .queued : .blocked, by: initiator), connection)
    try reviveTrial(of: job, connection)
  }

  /// The job whose checkpoint is asked for, or the model, may have been deleted since.
  private func checkCheckpointNeed(of job: JobRecord, _ connection: Connection) throws {
    guard let checkpoint = try job.specification().work.checkpointUse else { return }
    if let source = checkpoint.job, try record(source, connection) == nil {
      throw JobStoreError.unusableNeed(source, kind: nil, state: nil)
    }
    if let name = checkpoint.model, try model(named: name, connection) == nil {
      throw JobStoreError.retryNeedsModel(job.id, name)
    }
  }

  /// Pauses what runs, because space is short.
  ///
  /// - Returns: whether there was anything to pause.
  package func pauseForSpace(message: String) throws -> Bool {
    try write { connection in
      let running = try connection.rows(
        "SELECT \(JobRecord.columns) FROM jobs WHERE state = 'running' ORDER BY sequence", [], JobRecord.init)
      for job in running { try move(job, to: Step(.pausing, .diskFull, message: message), connection) }
      return !running.isEmpty
    }
  }

  /// Queues what was paused for want of space; after a while, as the space may have been too little by
  /// another measure than ours.
  package func resumeForSpace() throws {
    try write { connection in
      let waiting = try connection.rows(
        """
        SELECT \(JobRecord.columns) FROM jobs WHERE state = 'paused' AND reason = 'disk_full'
        ORDER BY sequence
        """, [], JobRecord.init)
      let now = clock()
      for job in waiting {
        // One that has run out of space again and again waits for longer.
        let rest = min(max(0, job.notBeforeMilliseconds - now), JobPolicy.backOffMilliseconds(after: .max))
        let wait = max(Self.spaceBackOffMilliseconds, rest)
        try move(job, to: Step(.queued, backOffMilliseconds: wait), connection)
      }
    }
  }

  private static let spaceBackOffMilliseconds = 2_000

  /// Whether a job waits for space.
  package func isWaitingForSpace() throws -> Bool {
    try read {
      try $0.first("SELECT 1 FROM jobs WHERE state = 'paused' AND reason = 'disk_full' LIMIT 1") { _ in true }
        ?? false
    }
  }
}
