import JSONText
import JobModel
import Platform
import Recipe
import SQLite
import Text

/// A step of a job's life that is to be written.
struct Step {
  let state: JobState
  var reason: Reason?
  var message: String?
  var initiator: Actor
  /// The worker's own last line.
  var endLine: String?
  /// How long a queued job waits before its next attempt.
  var backOffMilliseconds = 0

  init(
    _ state: JobState, _ reason: Reason? = nil, message: String? = nil, by initiator: Actor = .daemon,
    endLine: String? = nil, backOffMilliseconds: Int = 0
  ) {
    self.state = state
    self.reason = reason
    self.message = message
    self.initiator = initiator
    self.endLine = endLine
    self.backOffMilliseconds = backOffMilliseconds
  }
}

extension JobStore {
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
      try move(job, to: Step(state, reason, message: message), connection)
      return true
    }
  }

  /// Puts a job that was claimed and has had no worker back into the queue for a while; the attempt counts as
  /// not begun.
  ///
  /// - Parameter reason: what was short: `out_of_memory` or `shortage`; `nil`: nothing.
  /// - Returns: false, with nothing changed, if the attempt is not the current one.
  package func postpone(
    _ id: JobID, attempt: Int, _ reason: Reason?, byMilliseconds wait: Int, message: String
  ) throws -> Bool {
    try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt, job.state == .running else {
        return false
      }
      let step = Step(.queued, reason, message: message, backOffMilliseconds: wait)
      try move(job, to: step, connection)
      try connection.execute(
        """
        UPDATE jobs SET attempt = attempt - 1,
          started_at_ms = CASE WHEN attempt > 1 THEN started_at_ms END WHERE sequence = ?
        """, [.integer(job.sequence)])
      return true
    }
  }

  /// How a worker went without an `end` event.
  package enum Departure: Sendable, Equatable {
    /// It wrote a checkpoint and left because it was told to, or (`disk_full`) because it could not go on.
    case yielded(Reason)
    /// It was killed, or crashed.
    case died(Reason)
    /// The daemon died before it could start one.
    case neverStarted

    /// Because it was told to.
    package static var yielded: Departure { .yielded(.yielded) }
    /// By whatever cause.
    package static var died: Departure { .died(.workerDied) }
  }

  /// Settles a job whose worker is gone without an `end`: it is queued again, paused, or ends as had been
  /// asked. After `crashLimit` deaths without a new checkpoint in between the attempt fails as a
  /// `crash_loop`.
  ///
  /// - Parameters:
  ///   - ranMilliseconds: how long the attempt ran.
  ///   - wait: how long the job waits before its next attempt, unless its worker died: deaths are counted,
  ///     and have a back-off of their own.
  /// - Returns: the new state; `nil`, with nothing changed, if the attempt is not the current one.
  @discardableResult
  package func settle(
    _ id: JobID, attempt: Int, _ departure: Departure, crashLimit: Int, message: String? = nil,
    ranMilliseconds: Int = 0, backOffMilliseconds wait: Int = 0
  ) throws -> JobState? {
    // A worker's own words may be of any length.
    let message = message.map { ByteString($0).shown(charactersMax: Self.messageCharactersMax) }
    return try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt, job.state.isActive else {
        return nil
      }
      try count(ranMilliseconds, of: job, connection)
      switch (job.state, departure) {
      case (.cancelling, _): try end(cancelling: job, message: message, connection)
      case (.pausing, _): try move(job, to: Step(.paused, job.reason, message: message), connection)
      case (_, .yielded(.diskFull)):
        let step = Step(.paused, .diskFull, message: message, by: .worker, backOffMilliseconds: wait)
        try move(job, to: step, connection)
      case (_, .yielded(let reason)):
        let step = Step(.queued, reason, message: message, by: .worker, backOffMilliseconds: wait)
        try move(job, to: step, connection)
      case (_, .neverStarted):
        try move(job, to: Step(.queued, .yielded, message: message, backOffMilliseconds: wait), connection)
      case (_, .died(let reason)):
        try settle(dead: job, reason, crashLimit: crashLimit, message: message, connection)
      }
      return try existing(id, connection).state
    }
  }

  /// Counts the time of an attempt that has ended.
  func count(_ ranMilliseconds: Int, of job: JobRecord, _ connection: Connection) throws {
    let ran = RecordedRange.ageMilliseconds.nearest(to: ranMilliseconds)
    try connection.execute(
      "UPDATE jobs SET ran_ms = ?, running_ms = ? WHERE sequence = ?",
      [
        .integer(job.ranMilliseconds + ran), .integer(job.runningMilliseconds + ran), .integer(job.sequence),
      ])
  }

  private func end(cancelling job: JobRecord, message: String?, _ connection: Connection) throws {
    let isOverdue = job.reason == .maxDuration
    try move(
      job,
      to: Step(
        isOverdue ? .failed : .cancelled, isOverdue ? .maxDuration : .userCancelled,
        message: message ?? job.message), connection)
  }

  private func settle(
    dead job: JobRecord, _ reason: Reason, crashLimit: Int, message: String?, _ connection: Connection
  ) throws {
    let crashes = job.crashes + 1
    try connection.execute(
      "UPDATE jobs SET crashes = ? WHERE sequence = ?", [.integer(crashes), .integer(job.sequence)])
    if crashes >= crashLimit {
      try fail(job, Step(.failed, .crashLoop, message: message), connection)
    } else {
      let wait = JobPolicy.backOffMilliseconds(after: crashes)
      try move(job, to: Step(.queued, reason, message: message, backOffMilliseconds: wait), connection)
    }
  }

  /// Ends an attempt that failed: with another attempt if one may help and is left, else with the job.
  func fail(_ job: JobRecord, _ step: Step, _ connection: Connection) throws {
    let failures = job.failures + 1
    let reason = step.reason ?? .workerError
    try connection.execute(
      "UPDATE jobs SET failures = ? WHERE sequence = ?", [.integer(failures), .integer(job.sequence)])
    guard reason.isWorthRetrying, failures < job.policy.maxAttempts, job.state == .running else {
      return try move(job, to: step, connection)
    }
    try connection.execute("UPDATE jobs SET crashes = 0 WHERE sequence = ?", [.integer(job.sequence)])
    let text = "attempt \(failures) of \(job.policy.maxAttempts) failed: \(step.message ?? reason.rawValue)"
    let line: JSON = [
      "event": "warning", "time": .string(SystemClock.rfc3339(unixMilliseconds: clock())),
      "message": .string(text),
    ]
    try append("warning", line: line.text, to: job, connection)
    let wait = JobPolicy.backOffMilliseconds(after: failures + 1)
    try move(
      job,
      to: Step(.queued, reason, message: step.message, by: step.initiator, backOffMilliseconds: wait),
      connection)
  }

  /// Characters of a worker's message that a job keeps.
  static let messageCharactersMax = 2_000

  /// Takes a job's `end` event, told by its worker.
  ///
  /// - Returns: the state that the job has then.
  func end(_ job: JobRecord, by event: JSON, line: String, _ connection: Connection) throws -> JobState {
    let asked = event["state"]?.string.flatMap(JobState.init(bytes:)) ?? .failed
    var state = asked.isFinished && Transition.isLegal(from: job.state, to: asked) ? asked : .failed
    var reason = event["reason"]?.string.flatMap(Reason.init(bytes:))
    var message = event["message"]?.string?.shown(charactersMax: Self.messageCharactersMax)
    var endLine: String? = line
    if state == .cancelled, job.state == .cancelling, job.reason == .maxDuration {
      // The worker was told to end as for a cancel; its line would tell another story than the job.
      (state, reason, message, endLine) = (.failed, .maxDuration, job.message, nil)
    }
    let step = Step(state, reason, message: message, by: .worker, endLine: endLine)
    if state == .failed { try fail(job, step, connection) } else { try move(job, to: step, connection) }
    return try existing(job.id, connection).state
  }

  /// Writes a legal step, and what follows from it in other rows.
  func move(_ job: JobRecord, to step: Step, _ connection: Connection) throws {
    let now = clock()
    let state = step.state
    let reason =
      step.reason ?? (state == .failed ? .workerError : state == .cancelled ? .userCancelled : nil)
    try connection.execute(
      """
      UPDATE jobs SET state = ?, reason = ?, message = ?, finished_at_ms = ?, changed_at_ms = ?,
        changed_by = ?, not_before_ms = ?, revision = revision + 1
      WHERE sequence = ?
      """,
      [
        .text(state.rawValue), .optional(reason?.rawValue), .optional(step.message),
        .optional(state.isFinished ? now : nil), .integer(now), .text(step.initiator.rawValue),
        .integer(step.backOffMilliseconds > 0 ? now + step.backOffMilliseconds : 0), .integer(job.sequence),
      ])
    guard state.isFinished else { return }
    let line = step.endLine ?? Self.endLine(state, reason, step.message, unixMilliseconds: now)
    try append("end", line: line, to: job, connection)
    try settleDependents(of: job, connection)
    try judgeTrial(of: job, connection)
  }

  private func append(_ event: String, line: String, to job: JobRecord, _ connection: Connection) throws {
    let sequence = try connection.first(
      "UPDATE jobs SET event_sequence = event_sequence + 1 WHERE sequence = ? RETURNING event_sequence",
      [.integer(job.sequence)]
    ) { $0.integer("event_sequence") }
    guard let sequence else { throw JobStoreError.noSuchJob(job.id) }
    try connection.execute(
      "INSERT INTO events (job, sequence, event, line) VALUES (?, ?, ?, ?)",
      [.integer(job.sequence), .integer(sequence), .text(event), .text(line)])
    try tellFeed(of: sequence...sequence, job: job, connection)
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
}
