import JSONText
import JobModel
import Recipe
import SQLite
import Sweeps
import Text

// What the end of a job means for the trial that it belongs to: part of the transaction that ends the job.

extension JobStore {
  /// Judges the trial of a job that has ended, if all of the trial's jobs have.
  func judgeTrial(of job: JobRecord, _ connection: Connection) throws {
    guard let place = job.place, let sweep = try sweep(place.sweep, connection),
      let trial = try trial(place.trial, of: sweep, connection), trial.outcome == nil
    else { return }
    let ends = try connection.rows(
      """
      SELECT kind, state, reason, message, trial_seed, summary, result FROM jobs
      WHERE sweep = ? AND trial = ? AND trial_rung = ? ORDER BY sequence
      """, [.text(sweep.id.text), .integer(trial.number), .integer(trial.rung)], TrialEnd.init)
    guard ends.allSatisfy(\.isFinished) else { return }
    let measure = try TrialMeasure(sweep)
    let seeds = (0...(ends.map(\.seed).max() ?? 0)).map { seed in
      Verdict(ends.filter { $0.seed == seed }, measure)
    }
    try record(
      Verdict(seeds), seeds.map(\.value), of: trial, of: sweep, isLast: measure.isLast(trial), connection)
  }

  private func record(
    _ verdict: Verdict, _ seedValues: [Double?], of trial: TrialRecord, of sweep: SweepRecord, isLast: Bool,
    _ connection: Connection
  ) throws {
    var outcome = verdict.outcome
    var rungs = trial.rungValues
    if outcome == .succeeded, let value = verdict.value, trial.epochs != nil {
      rungs.append(value)
      if !isLast { outcome = .resting }
    }
    let values = JSON.array(seedValues.map { $0.map(JSON.number) ?? .null })
    try connection.execute(
      """
      UPDATE trials SET outcome = ?, value = ?, seed_values = ?, rung_values = ?,
        interruptions = interruptions + ?, message = ?
      WHERE sweep = ? AND number = ?
      """,
      [
        .text(outcome.rawValue), .optional(verdict.value), .text(values.text),
        .text(JSON.array(rungs.map(JSON.number)).text), .integer(outcome == .interrupted ? 1 : 0),
        .optional(verdict.message), .integer(sweep.sequence), .integer(trial.number),
      ])
  }

  /// A job of a trial runs again that had ended: the trial is judged by its next end.
  func reviveTrial(of job: JobRecord, _ connection: Connection) throws {
    guard let place = job.place else { return }
    try connection.execute(
      """
      UPDATE trials SET outcome = NULL, message = NULL
      WHERE sweep = (SELECT sequence FROM sweeps WHERE id = ?) AND number = ? AND rung = ?
        AND outcome IN ('diverged', 'interrupted', 'failed', 'cancelled')
      """, [.text(place.sweep.text), .integer(place.trial), .integer(place.rung)])
  }

  /// The trial of that number; nil: there is none.
  func trial(_ number: Int, of sweep: SweepRecord, _ connection: Connection) throws -> TrialRecord? {
    try connection.first(
      "SELECT \(TrialRecord.columns) FROM trials WHERE sweep = ? AND number = ?",
      [.integer(sweep.sequence), .integer(number)], TrialRecord.init)
  }
}

/// What of a sweep's specification says what a trial is worth.
private struct TrialMeasure {
  let objective: SweepSpecification.Objective
  let maxEpochs: Int?

  init(_ sweep: SweepRecord) throws {
    let specification = try sweep.specification().specification
    objective = specification.objective
    maxEpochs = specification.earlyStopping?.maxEpochs
  }

  /// Whether a trial's rung is the last one.
  func isLast(_ trial: TrialRecord) -> Bool { trial.epochs == maxEpochs }
}

/// How one job of a trial ended.
private struct TrialEnd {
  let kind: JobKind?
  let state: JobState?
  let reason: Reason?
  let message: String?
  let seed: Int
  let summary: String?
  let result: String?

  init(_ row: Row) {
    kind = JobKind(rawValue: row.text("kind"))
    state = JobState(rawValue: row.text("state"))
    reason = row.optionalText("reason").flatMap(Reason.init)
    message = row.optionalText("message")
    seed = row.optionalInteger("trial_seed") ?? 0
    summary = row.optionalText("summary")
    result = row.optionalText("result")
  }

  var isFinished: Bool { state?.isFinished ?? true }

  /// Whether it was cancelled because the job that it needs did not succeed, which says why.
  var isConsequence: Bool { state == .cancelled && reason == .dependencyFailed }
}

/// What a trial, or one of its trainings, has come to.
private struct Verdict {
  var outcome: TrialRecord.Outcome
  var value: Double?
  var message: String?

  /// Of one training and its evaluation.
  init(_ ends: [TrialEnd], _ measure: TrialMeasure) {
    if let end = ends.first(where: { $0.state != .succeeded && !$0.isConsequence }) {
      outcome = Self.outcome(of: end)
      message = end.message ?? end.reason.map { "its job ended: \($0.rawValue)" }
      return
    }
    let source = measure.objective.source
    let end = ends.first { $0.kind == (source == nil ? .evaluate : .train) }
    let found: JSON? =
      if let source {
        end?.json(\.summary)?[source.metric]?[source.value]
      } else {
        end?.json(\.result)?["top1"]
      }
    if let number = found?.double, number.isFinite {
      (outcome, value) = (.succeeded, number)
    } else if found != nil, found?.isNull == true {
      (outcome, message) = (.diverged, "\(measure.objective.metric.shown) is not a number")
    } else {
      (outcome, message) = (.failed, "its job has no \(measure.objective.metric.shown)")
    }
  }

  /// Of all of a trial's trainings: the worst of what has happened, or the mean of what they have reported.
  init(_ seeds: [Verdict]) {
    for outcome in [TrialRecord.Outcome.cancelled, .failed, .interrupted, .diverged] {
      if let worst = seeds.first(where: { $0.outcome == outcome }) {
        self = worst
        value = nil
        return
      }
    }
    let values = seeds.compactMap(\.value)
    (outcome, value) = (.succeeded, values.reduce(0, +) / Double(max(1, values.count)))
  }

  private static func outcome(of end: TrialEnd) -> TrialRecord.Outcome {
    switch (end.state, end.reason) {
    case (.cancelled, _): .cancelled
    case (_, .diverged): .diverged
    case (_, .badInput), (_, .datasetChanged), (_, .maxDuration): .failed
    default: .interrupted
    }
  }
}

extension TrialEnd {
  /// A member as JSON; a damaged one counts as missing.
  fileprivate func json(_ member: KeyPath<TrialEnd, String?>) -> JSON? {
    self[keyPath: member].flatMap { try? JSON.parse($0) }
  }
}
