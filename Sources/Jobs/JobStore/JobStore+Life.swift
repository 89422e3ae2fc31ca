import JobModel
import Platform
import SQLite

extension JobStore {
  /// Queues jobs, all or none, in their order. An evaluation is `blocked` until its training has succeeded.
  ///
  /// - Throws: `JobStoreError.unusableNeed` if a training that is needed cannot succeed any more.
  package func enqueue(_ jobs: [NewJob]) throws -> [JobRecord] {
    try write { try insert(jobs, $0) }
  }

  /// As `enqueue`, in a write that is under way.
  func insert(_ jobs: [NewJob], _ connection: Connection) throws -> [JobRecord] {
    try jobs.map { job in
      var need: (sequence: Int, state: JobState)?
      if case .evaluate(let specification) = job.specification {
        need = try usableNeed(specification.checkpoint.job, connection)
      }
      let isBlocked = need.map { $0.state != .succeeded } ?? false
      try insert(job, isBlocked ? .blocked : .queued, connection)
      guard let record = try record(job.id, connection) else { throw JobStoreError.noSuchJob(job.id) }
      if let need {
        try connection.execute(
          "INSERT INTO job_dependencies (job, needs) VALUES (?, ?)",
          [.integer(record.sequence), .integer(need.sequence)])
      }
      return record
    }
  }

  private func usableNeed(_ id: JobID, _ connection: Connection) throws -> (sequence: Int, state: JobState) {
    let needed = try record(id, connection)
    guard let needed, needed.kind == .train, needed.state == .succeeded || !needed.state.isFinished else {
      throw JobStoreError.unusableNeed(id, kind: needed?.kind, state: needed?.state)
    }
    return (needed.sequence, needed.state)
  }

  private func insert(_ job: NewJob, _ state: JobState, _ connection: Connection) throws {
    try connection.execute(
      """
      INSERT INTO jobs (id, kind, name, notes, labels, priority, state, spec, steps, created_at_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(job.id.text), .text(job.specification.kind.rawValue), .optional(job.labelling.name),
        .optional(job.labelling.notes), .text(JSON.object(job.labelling.labels.mapValues(JSON.string)).text),
        .integer(job.labelling.priority), .text(state.rawValue), .text(job.specification.json.text),
        .optional(job.steps), .integer(clock()),
      ])
  }

  /// Takes the queued job of the highest priority that has waited longest, and makes it `running` as a new
  /// attempt.
  package func claimNext(bootID: String) throws -> JobRecord? {
    try write { connection in
      try connection.first(
        """
        UPDATE jobs SET state = 'running', attempt = attempt + 1, boot_id = ?1, reason = NULL, message = NULL,
          started_at_ms = coalesce(started_at_ms, ?2), revision = revision + 1
        WHERE sequence = (
          SELECT sequence FROM jobs WHERE state = 'queued' ORDER BY priority DESC, sequence LIMIT 1)
        RETURNING \(JobRecord.columns)
        """, [.text(bootID), .integer(clock())], JobRecord.init)
    }
  }

  /// A daemon takes over a worker of an earlier one.
  ///
  /// - Returns: whether the attempt is still the current one.
  package func adopt(_ id: JobID, attempt: Int, bootID: String) throws -> Bool {
    try write {
      try $0.execute(
        """
        UPDATE jobs SET boot_id = ?, revision = revision + 1
        WHERE id = ? AND attempt = ? AND state IN ('running', 'pausing', 'cancelling')
        """, [.text(bootID), .text(id.text), .integer(attempt)]) == 1
    }
  }

  /// Brings a job to another state on behalf of an attempt.
  ///
  /// A finishing transition also records the `end` line, and releases or cancels the jobs that need this one.
  /// - Returns: false, with nothing changed, if the attempt is not the current one or the table forbids the
  ///   step: what the caller knew was old.
  @discardableResult
  package func transition(
    _ id: JobID, attempt: Int, to state: JobState, reason: Reason? = nil, message: String? = nil
  ) throws -> Bool {
    try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt,
        Transition.isLegal(from: job.state, to: state)
      else { return false }
      try move(job, to: state, reason: reason, message: message, connection)
      return true
    }
  }

  /// Asks a job to end. What waits is cancelled at once, what runs becomes `cancelling`; asking again is
  /// harmless, and `now` after `graceful` is taken up.
  ///
  /// - Returns: the job as it is then; a finished one is left alone.
  /// - Throws: `JobStoreError.noSuchJob`.
  package func requestCancel(_ id: JobID, mode: CancelMode) throws -> JobRecord {
    try write { connection in
      guard let job = try record(id, connection) else { throw JobStoreError.noSuchJob(id) }
      switch job.state {
      case .succeeded, .failed, .cancelled: return job
      case .blocked, .queued, .paused:
        try move(job, to: .cancelled, reason: .userCancelled, message: nil, connection)
      case .running, .pausing, .cancelling:
        if job.state == .cancelling && (job.cancelMode == .now || mode == .graceful) { return job }
        try connection.execute(
          """
          UPDATE jobs SET state = 'cancelling', reason = 'user_cancelled', cancel_mode = ?,
            revision = revision + 1
          WHERE sequence = ?
          """, [.text(mode.rawValue), .integer(job.sequence)])
      }
      return try record(id, connection) ?? job
    }
  }

  /// How a worker went without an `end` event.
  package enum Departure: Sendable {
    /// It wrote a checkpoint and left because it was told to.
    case yielded
    /// It was killed, or crashed.
    case died
  }

  /// Settles a job whose worker is gone without an `end`: it is queued again, or ends as had been asked.
  /// After `crashLimit` deaths without a new checkpoint in between it fails as a `crash_loop`.
  ///
  /// - Returns: the new state; `nil`, with nothing changed, if the attempt is not the current one.
  @discardableResult
  package func settle(
    _ id: JobID, attempt: Int, _ departure: Departure, crashLimit: Int, message: String? = nil
  ) throws -> JobState? {
    try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt, job.state.isActive else {
        return nil
      }
      switch job.state {
      case .cancelling:
        try move(job, to: .cancelled, reason: .userCancelled, message: message, connection)
        return .cancelled
      case .pausing:
        try move(job, to: .paused, reason: job.reason, message: message, connection)
        return .paused
      default: break
      }
      if departure == .yielded {
        try move(job, to: .queued, reason: .yielded, message: message, connection)
        return .queued
      }
      let crashes = job.crashes + 1
      try connection.execute(
        "UPDATE jobs SET crashes = ? WHERE sequence = ?", [.integer(crashes), .integer(job.sequence)])
      let isLoop = crashes >= crashLimit
      try move(
        job, to: isLoop ? .failed : .queued, reason: isLoop ? .crashLoop : .workerDied, message: message,
        connection)
      return isLoop ? .failed : .queued
    }
  }

  /// Writes a legal step, and what follows from it in other rows.
  func move(
    _ job: JobRecord, to state: JobState, reason: Reason?, message: String?, endLine: String? = nil,
    _ connection: Connection
  ) throws {
    let now = clock()
    let reason = reason ?? (state == .failed ? .workerError : state == .cancelled ? .userCancelled : nil)
    try connection.execute(
      """
      UPDATE jobs SET state = ?, reason = ?, message = ?, finished_at_ms = ?, revision = revision + 1
      WHERE sequence = ?
      """,
      [
        .text(state.rawValue), .optional(reason?.rawValue), .optional(message),
        .optional(state.isFinished ? now : nil), .integer(job.sequence),
      ])
    guard state.isFinished else { return }
    let line = endLine ?? Self.endLine(state, reason, message, unixMilliseconds: now)
    try connection.execute(
      """
      INSERT INTO events (job, sequence, event, line)
      SELECT sequence, event_sequence + 1, 'end', ? FROM jobs WHERE sequence = ?
      """, [.text(line), .integer(job.sequence)])
    try connection.execute(
      "UPDATE jobs SET event_sequence = event_sequence + 1 WHERE sequence = ?", [.integer(job.sequence)])
    try settleDependents(of: job, state, connection)
  }

  private static func endLine(
    _ state: JobState, _ reason: Reason?, _ message: String?, unixMilliseconds: Int
  ) -> String {
    var members: [String: JSON] = [
      "event": "end", "state": .string(state.rawValue),
      "time": .string(SystemClock.rfc3339(unixMilliseconds: unixMilliseconds)),
    ]
    if let reason { members["reason"] = .string(reason.rawValue) }
    if let message { members["message"] = .string(message) }
    return JSON.object(members).text
  }

  /// Releases the jobs that now have all they need, or cancels those that can never have it.
  private func settleDependents(of job: JobRecord, _ state: JobState, _ connection: Connection) throws {
    let dependents = try connection.rows(
      """
      SELECT \(JobRecord.columns) FROM jobs JOIN job_dependencies ON job = sequence
      WHERE needs = ? AND state = 'blocked' ORDER BY sequence
      """, [.integer(job.sequence)], JobRecord.init)
    for dependent in dependents {
      if state != .succeeded {
        try move(
          dependent, to: .cancelled, reason: .dependencyFailed,
          message: "job \(job.id) has \(state == .failed ? "failed" : "been cancelled")", connection)
      } else if try !isWaiting(dependent, connection) {
        try move(dependent, to: .queued, reason: nil, message: nil, connection)
      }
    }
  }

  private func isWaiting(_ job: JobRecord, _ connection: Connection) throws -> Bool {
    try connection.first(
      """
      SELECT 1 FROM job_dependencies JOIN jobs ON needs = sequence WHERE job = ? AND state <> 'succeeded'
      """, [.integer(job.sequence)]
    ) { _ in true } ?? false
  }
}
