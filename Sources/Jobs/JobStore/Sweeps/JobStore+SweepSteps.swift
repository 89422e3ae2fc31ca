import JSONText
import JobModel
import Recipe
import SQLite
import Sweeps

extension SweepStanding {
  /// What the sweep is to do next.
  ///
  /// - Parameters:
  ///   - asksMax: trials that are asked for at once.
  ///   - now: Unix time in milliseconds.
  package func decision(asksMax: Int, now: Int) throws -> SweepState.Decision {
    let (specification, plan) = try record.specification()
    var isOutOfTime = false
    if let started = record.startedAtMilliseconds, let seconds = specification.maxDurationSeconds {
      isOutOfTime = now - started >= seconds * 1000
    }
    return SweepState.decision(
      plan, trials.map(\.trial), request: record.request, isOutOfTime: isOutOfTime,
      isAtWork: jobs.contains { $0.state.isActive }, asksMax: asksMax)
  }
}

/// Work that a sweep has decided on.
package struct SweepStep: Sendable {
  /// What a trial gets.
  package enum Work: Sendable {
    /// A new one, or one that goes on to another rung, with its jobs.
    case jobs([NewJob])
    /// No jobs: the specification refuses its values, for this reason.
    case refused(String)
  }
  package var decision: SweepState.Decision
  /// For each of the decision's asks, in their order; nothing for those that run again.
  package var work: [Int: Work] = [:]
  /// Whether the sweep has to be looked at again, as it may ask for more.
  package var isPartial = false

  package init(_ decision: SweepState.Decision) { self.decision = decision }
}

/// Why the jobs of a trial cannot be queued.
package struct TrialRefusal: Error {
  package let trial: Int
  /// For people.
  package let message: String
}

extension JobStore {
  /// Sweeps that have to be looked at: something has changed, or their time is over and they have not been
  /// told. The oldest first.
  package func sweepsToLookAt() throws -> [JobID] {
    try read { connection in
      let changed = try connection.rows(
        "SELECT id FROM sweeps WHERE finished_at_ms IS NULL AND wanted > looked ORDER BY sequence"
      ) { JobID($0.text("id")) }
      let over = try connection.rows(
        """
        SELECT id FROM sweeps WHERE finished_at_ms IS NULL AND wanted = looked AND reason IS NULL
          AND started_at_ms + 1000 * (spec ->> '$.max_duration_seconds') BETWEEN 1 AND ? ORDER BY sequence
        """, [.integer(clock())]
      ) { JobID($0.text("id")) }
      return (changed + over).compactMap(\.self)
    }
  }

  /// Milliseconds until the time of some sweep is over; nil: none has an end that lies ahead.
  package func millisecondsToSweepEnd() throws -> Int? {
    let now = clock()
    return try read {
      try $0.first(
        """
        SELECT min(started_at_ms + 1000 * (spec ->> '$.max_duration_seconds')) AS time FROM sweeps
        WHERE finished_at_ms IS NULL AND started_at_ms + 1000 * (spec ->> '$.max_duration_seconds') > ?
        """, [.integer(now)]
      ) { $0.optionalInteger("time") }.flatMap(\.self).map { $0 - now }
    }
  }

  /// Does what a sweep has decided on, in one transaction: all of it or nothing.
  ///
  /// - Throws: `TrialRefusal` where the jobs of a trial cannot be queued, as what they need is gone.
  /// - Returns: false, with nothing changed, where somebody has asked something of the sweep since it was
  ///   read, so that it has to decide again.
  package func apply(_ step: SweepStep, to old: SweepStanding) throws -> Bool {
    try write { connection in
      guard let sweep = try sweep(old.record.id, connection), !sweep.state.isFinished,
        sweep.request == old.record.request, sweep.specificationText == old.record.specificationText
      else { return false }
      for stop in step.decision.stops { try stopTrial(stop, of: sweep, connection) }
      for (index, ask) in step.decision.asks.enumerated() {
        try act(on: ask, step.work[index], of: sweep, connection)
      }
      let standing = SweepStanding(record: sweep, trials: old.trials, jobs: old.jobs)
      try endJobs(step.decision.phase, of: standing, connection)
      try write(step.decision.phase, of: sweep, connection)
      if !step.isPartial {
        try connection.execute(
          "UPDATE sweeps SET looked = ? WHERE sequence = ?",
          [.integer(old.record.wanted), .integer(sweep.sequence)])
      }
      return true
    }
  }

  private func stopTrial(
    _ stop: SuccessiveHalving.Stop, of sweep: SweepRecord, _ connection: Connection
  ) throws {
    try connection.execute(
      """
      UPDATE trials SET outcome = 'stopped', message = ?
      WHERE sweep = ? AND number = ? AND outcome = 'resting'
      """, [.text(stop.message), .integer(sweep.sequence), .integer(stop.trial)])
  }

  private func act(
    on ask: SweepState.Ask, _ work: SweepStep.Work?, of sweep: SweepRecord, _ connection: Connection
  ) throws {
    switch ask {
    case .runAgain(let number): try runAgain(number, of: sweep, connection)
    case .goOn(let number, let rung, let epochs):
      try connection.execute(
        """
        UPDATE trials SET outcome = NULL, message = NULL, rung = ?, epochs = ?
        WHERE sweep = ? AND number = ? AND outcome = 'resting'
        """, [.integer(rung), .integer(epochs), .integer(sweep.sequence), .integer(number)])
      try take(work, number, of: sweep, connection)
    case .start(let number, let configuration, let epochs):
      // Numbers are given once, whoever else may have counted: the key of the table refuses another one.
      try connection.execute(
        "INSERT INTO trials (sweep, number, parameters, epochs) VALUES (?, ?, ?, ?)",
        [.integer(sweep.sequence), .integer(number), .text(configuration.json.text), .optional(epochs)])
      try take(work, number, of: sweep, connection)
    }
  }

  private func take(
    _ work: SweepStep.Work?, _ number: Int, of sweep: SweepRecord, _ connection: Connection
  ) throws {
    switch work {
    case .jobs(let jobs):
      do {
        _ = try insert(jobs, connection)
      } catch let error as JobStoreError {
        throw TrialRefusal(trial: number, message: "\(error)")
      }
    case .refused(let message): try failTrial(number, message, of: sweep, connection)
    case nil: preconditionFailure("A trial that is asked for has its jobs or a reason.")
    }
  }

  private func failTrial(
    _ number: Int, _ message: String, of sweep: SweepRecord, _ connection: Connection
  ) throws {
    try connection.execute(
      "UPDATE trials SET outcome = 'failed', message = ? WHERE sweep = ? AND number = ?",
      [.text(message), .integer(sweep.sequence), .integer(number)])
  }

  /// Queues the jobs of an interrupted trial once more; they go on from their last checkpoints.
  private func runAgain(_ number: Int, of sweep: SweepRecord, _ connection: Connection) throws {
    guard let trial = try trial(number, of: sweep, connection), trial.outcome == .interrupted else { return }
    let jobs = try connection.rows(
      """
      SELECT \(JobRecord.columns) FROM jobs WHERE sweep = ? AND trial = ? AND trial_rung = ?
        AND state IN ('failed', 'cancelled') ORDER BY sequence
      """, [.text(sweep.id.text), .integer(number), .integer(trial.rung)], JobRecord.init)
    do {
      for job in jobs { try queueAgain(job, hasBegun: true, by: .daemon, connection) }
      if jobs.isEmpty { try failTrial(number, "its jobs are gone", of: sweep, connection) }
    } catch let error as JobStoreError {
      try failTrial(number, "it cannot be run again: \(error)", of: sweep, connection)
    }
  }

  /// Pauses or ends the jobs that a sweep wants to see rest or end.
  private func endJobs(
    _ phase: SweepState.Phase, of standing: SweepStanding, _ connection: Connection
  ) throws {
    let sweep = standing.record
    switch (sweep.request, phase) {
    case (.pause, _): try pauseJobs(of: sweep, connection)
    case (.cancel, _): try cancelJobs(of: sweep, by: .user, message: nil, connection)
    case (.run, .ending(let reason)):
      try cancelJobs(of: sweep, by: .daemon, message: "its sweep ends: \(reason.phrase)", connection)
    default: break
    }
  }

  /// Writes where a sweep stands, if that is another place than before.
  func write(_ phase: SweepState.Phase, of sweep: SweepRecord, _ connection: Connection) throws {
    let state: SweepRecord.State
    var reason: SweepState.Reason?
    switch phase {
    case .running: state = .running
    case .ending(let why): (state, reason) = (.running, why)
    case .pausing: state = .pausing
    case .paused: state = .paused
    case .cancelling: state = .cancelling
    case .finished(let why):
      reason = why
      state = why == .cancelled ? .cancelled : why.isSuccess ? .succeeded : .failed
    }
    if state == sweep.state, reason?.rawValue == sweep.reason { return }
    if let reason, state.isFinished { try endTrials(of: sweep, reason, connection) }
    try connection.execute(
      """
      UPDATE sweeps SET state = ?, reason = ?, message = ?, finished_at_ms = ?, revision = revision + 1
      WHERE sequence = ?
      """,
      [
        .text(state.rawValue), .optional(reason?.rawValue), .optional(reason?.phrase),
        .optional(state.isFinished ? clock() : nil), .integer(sweep.sequence),
      ])
  }

  /// Of a sweep that has ended, no trial waits for anything.
  private func endTrials(
    of sweep: SweepRecord, _ reason: SweepState.Reason, _ connection: Connection
  ) throws {
    try connection.execute(
      """
      UPDATE trials SET outcome = CASE outcome WHEN 'resting' THEN 'stopped' ELSE 'failed' END,
        message = coalesce(message, ?)
      WHERE sweep = ? AND outcome IN ('resting', 'interrupted')
      """, [.text("its sweep has ended: \(reason.phrase)"), .integer(sweep.sequence)])
  }
}
