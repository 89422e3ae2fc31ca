import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import Sweeps
import Synchronization
import Text

/// What a sweep has found and how far it is: what follows from its trials.
struct SweepFinding: Sendable {
  let counts: [TrialView.State: Int]
  let total: Int
  private let best: JSON
  private let importances: JSON
  /// Share of the trials that have ended.
  private let progress: Double
  private let secondsLeft: Double?

  init(_ standing: SweepStanding) {
    let views = standing.views
    let counts = views.reduce(into: [TrialView.State: Int]()) { $0[$1.state, default: 0] += 1 }
    self.counts = counts
    total = views.count
    let ended = [TrialView.State.succeeded, .failed, .stopped].reduce(0) { $0 + (counts[$1] ?? 0) }
    guard let (_, plan) = try? standing.record.specification() else {
      // A specification that this program cannot read costs what follows from it, not the answer.
      (best, importances, progress, secondsLeft) = (.null, [], 0, nil)
      return
    }
    let rows = standing.trials.map(\.trial)
    let first = SweepState.ranking(rows, mode: plan.mode).first
    best = first.flatMap { trial in views.first { $0.record.number == trial.number }?.best } ?? .null
    let shares = Importances(plan.space, Observations(rows, mode: plan.mode)).shares
    importances = .array(
      shares.map { ["parameter": .string($0.pointer), "value": .number($0.value)] })
    let expected = max(total, plan.trialsMax ?? total)
    let isFinished = standing.record.state.isFinished
    progress = isFinished ? 1 : expected == 0 ? 0 : Double(ended) / Double(expected)
    secondsLeft = isFinished ? 0 : Self.secondsLeft(standing, ended: ended, left: expected - ended)
  }

  /// By how long the jobs of the trials that have ended ran, and how many run at a time.
  private static func secondsLeft(_ standing: SweepStanding, ended: Int, left: Int) -> Double? {
    guard ended > 0, standing.record.state == .running else { return nil }
    let ran = standing.jobs.reduce(0) { $0 + $1.runningMilliseconds }
    let atWork = max(1, standing.jobs.count { $0.state.isActive })
    return (Double(ran) / 1000 / Double(ended) * Double(left) / Double(atWork)).rounded()
  }

  /// The sweep as clients see it.
  func members(_ record: SweepRecord) -> [ByteString: JSON] {
    var trials: [ByteString: JSON] = ["total": .integer(total)]
    for state in TrialView.State.allCases {
      trials[ByteString(state.rawValue)] = .integer(counts[state] ?? 0)
    }
    return [
      "id": .string(record.id.text), "name": .optional(record.labelling.name),
      "notes": .optional(record.labelling.notes),
      "labels": .object(record.labelling.labels.mapValues { .string($0) }),
      "priority": .integer(record.labelling.priority), "state": .string(record.state.rawValue),
      "reason": .optional(record.reason), "message": .optional(record.message),
      "created_at": Self.time(record.createdAtMilliseconds),
      "started_at": Self.time(record.startedAtMilliseconds),
      "finished_at": Self.time(record.finishedAtMilliseconds), "trials": .object(trials), "best": best,
      "importances": importances, "progress": .number(progress), "seconds_left": .optional(secondsLeft),
      // The text was JSON when it was stored.
      "spec": (try? JSON.parse(record.specificationText)) ?? .null,
    ]
  }

  private static func time(_ milliseconds: Int?) -> JSON {
    .optional(milliseconds.map { SystemClock.rfc3339(unixMilliseconds: $0) })
  }
}

extension TrialView {
  /// The trial as the best one of its sweep.
  fileprivate var best: JSON {
    [
      "trial": .integer(record.number), "job": .optional(job?.text), "value": .optional(record.value),
      "parameters": record.configuration.json,
    ]
  }
}

extension SweepRecord {
  /// Changes whenever the record, a trial or the state of a job does.
  var entityTag: EntityTag { EntityTag("\(id)-\(revision)") }
}

/// What sweeps have found, by their revisions: it costs a reading of all trials.
final class SweepFindings: Sendable {
  private let known = Mutex<[JobID: (revision: Int, finding: SweepFinding)]>([:])

  /// Sweeps that are remembered; beyond that all are forgotten.
  private static let knownMax = 1_000

  /// The finding of a sweep as the store has it.
  ///
  /// - Throws: `JobStoreError.noSuchSweep`, `SQLiteError`.
  func finding(of record: SweepRecord, in store: JobStore) throws -> SweepFinding {
    let id = record.id
    if let known = known.withLock({ $0[id] }), known.revision == record.revision { return known.finding }
    guard let standing = try store.standing(ofSweep: id) else { throw JobStoreError.noSuchSweep(id) }
    let finding = SweepFinding(standing)
    known.withLock { known in
      if known.count >= Self.knownMax { known = [:] }
      known[id] = (standing.record.revision, finding)
    }
    return finding
  }
}
