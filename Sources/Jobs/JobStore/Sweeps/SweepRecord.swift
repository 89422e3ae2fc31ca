import JSONText
import JobModel
import Recipe
import SQLite
import Sweeps
import Text

/// A sweep as the store has it.
package struct SweepRecord: Sendable, Equatable {
  package let id: JobID
  /// Position in the order of arrival; the cursor of lists.
  package let sequence: Int
  /// What people write on it; the priority is that of its jobs.
  package let labelling: JobLabelling
  package let state: State
  /// For programs.
  package let reason: String?
  /// For people.
  package let message: String?
  /// What people have asked of it last.
  package let request: SweepState.Request
  /// Every field of what was asked for, as JSON.
  package let specificationText: String
  package let createdAtMilliseconds: Int
  /// When the first of its jobs began.
  package let startedAtMilliseconds: Int?
  package let finishedAtMilliseconds: Int?
  /// Grows with every change of the record, of its trials and of the states of its jobs.
  package let revision: Int
  /// How much it has to be looked at for.
  let wanted: Int

  /// Where a sweep stands in its life.
  package enum State: String, Sendable, CaseIterable {
    /// Asks for trials as others end.
    case running
    /// Waits for the workers of its jobs to write checkpoints and leave.
    case pausing
    /// Its jobs are paused, and it asks for none.
    case paused
    /// Waits for its jobs to end.
    case cancelling
    case cancelled, succeeded, failed

    /// Whether it asks for nothing any more, unless it is extended.
    package var isFinished: Bool { self == .cancelled || self == .succeeded || self == .failed }
  }

  /// What was asked for, as values.
  ///
  /// - Throws: `SpecificationProblems` or `JSONError` if an older program stored what this one does not read.
  package func specification() throws -> (specification: SweepSpecification, plan: SweepPlan) {
    try SweepSpecification.parse(JSON.parse(specificationText))
  }

  static let columns = """
    id, sequence, name, notes, labels, priority, state, reason, message, request, spec, created_at_ms,
    started_at_ms, finished_at_ms, revision, wanted
    """

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JobStoreError.unreadableSweep`.
  init(_ row: Row) throws {
    sequence = row.integer("sequence")
    guard let id = JobID(row.text("id")), let state = State(rawValue: row.text("state")),
      let labels = try JSON.parse(row.text("labels")).object
    else { throw JobStoreError.unreadableSweep(sequence: sequence) }
    self.id = id
    self.state = state
    labelling = JobLabelling(
      name: row.optionalText("name").map { ByteString($0) }, labels: labels.compactMapValues(\.string),
      notes: row.optionalText("notes").map { ByteString($0) }, priority: row.integer("priority"))
    reason = row.optionalText("reason")
    message = row.optionalText("message")
    request = SweepState.Request(rawValue: row.text("request")) ?? .run
    specificationText = row.text("spec")
    createdAtMilliseconds = row.integer("created_at_ms")
    startedAtMilliseconds = row.optionalInteger("started_at_ms")
    finishedAtMilliseconds = row.optionalInteger("finished_at_ms")
    revision = row.integer("revision")
    wanted = row.integer("wanted")
  }
}

/// A trial as the store has it.
package struct TrialRecord: Sendable, Equatable {
  /// From 0, in the order in which trials were asked for.
  package let number: Int
  package let configuration: Configuration
  /// The rung of successive halving that it trains to, from 0.
  package let rung: Int
  /// The epochs of that rung; nil: there is no halving.
  package let epochs: Int?
  /// nil: its jobs are under way.
  package let outcome: Outcome?
  /// What it has reported last; nil: nothing, or not a number.
  package let value: Double?
  /// What each of its trainings has reported last; nil: nothing yet, or not a number.
  package let seedValues: [Double?]
  /// What it has reported at each rung.
  package let rungValues: [Double]
  package let interruptions: Int
  /// For people.
  package let message: String?

  /// What has become of a trial.
  package enum Outcome: String, Sendable {
    /// It has reached a rung; whether it goes on is not decided.
    case resting
    case succeeded
    /// The loss is no longer a number.
    case diverged
    /// By successive halving.
    case stopped
    /// Its jobs have ended for a reason that may pass.
    case interrupted
    case failed
    /// By a person.
    case cancelled
  }

  /// The row as searchers see it.
  package var trial: Trial {
    let state: Trial.State =
      switch outcome {
      case nil: .unfinished
      case .resting: .resting
      case .succeeded: .succeeded(value ?? .nan)
      case .diverged: .diverged
      case .stopped: .stopped
      case .interrupted: .interrupted
      case .failed: .failed
      case .cancelled: .cancelled
      }
    return Trial(
      number: number, configuration: configuration, state: state, interruptions: interruptions,
      rungs: rungValues)
  }

  static let columns = """
    number, parameters, rung, epochs, outcome, value, seed_values, rung_values, interruptions, message
    """

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JSONError` for a damaged row.
  init(_ row: Row) throws {
    number = row.integer("number")
    configuration = Configuration(try JSON.parse(row.text("parameters"))) ?? Configuration()
    rung = row.integer("rung")
    epochs = row.optionalInteger("epochs")
    outcome = row.optionalText("outcome").flatMap(Outcome.init)
    value = row.optionalReal("value")
    seedValues = try JSON.parse(row.text("seed_values")).array?.map(\.double) ?? []
    rungValues = try JSON.parse(row.text("rung_values")).array?.compactMap(\.double) ?? []
    interruptions = row.integer("interruptions")
    message = row.optionalText("message")
  }
}

/// One job of a trial, as far as the trial shows it.
package struct TrialJob: Sendable, Equatable {
  package let id: JobID
  package let kind: JobKind
  package let state: JobState
  package let trial: Int
  /// The rung that it trains to, from 0.
  package let rung: Int
  /// Which of the trial's trainings it is or evaluates, from 0.
  package let seed: Int
  /// How long its attempts before the present one ran.
  package let runningMilliseconds: Int
  /// Of a training, if they are known.
  package let epochs: Int?

  static let columns = "id, kind, state, trial, trial_rung, trial_seed, running_ms, epochs, sequence"

  /// Reads a row that has `columns`.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    guard let id = JobID(row.text("id")), let kind = JobKind(rawValue: row.text("kind")),
      let state = JobState(rawValue: row.text("state"))
    else { throw JobStoreError.unreadableRow(sequence: row.integer("sequence")) }
    (self.id, self.kind, self.state) = (id, kind, state)
    trial = row.integer("trial")
    rung = row.optionalInteger("trial_rung") ?? 0
    seed = row.optionalInteger("trial_seed") ?? 0
    runningMilliseconds = row.integer("running_ms")
    epochs = row.optionalInteger("epochs")
  }
}

/// A sweep with its trials and jobs, as of one moment.
package struct SweepStanding: Sendable {
  package let record: SweepRecord
  /// By number.
  package let trials: [TrialRecord]
  /// In the order of their arrival.
  package let jobs: [TrialJob]

  package init(record: SweepRecord, trials: [TrialRecord] = [], jobs: [TrialJob] = []) {
    self.record = record
    self.trials = trials
    self.jobs = jobs
  }
}

/// Where a job belongs that is one of a trial's.
package struct TrialPlace: Sendable, Equatable {
  package var sweep: JobID
  package var trial: Int
  /// The rung that it trains to, from 0.
  package var rung: Int
  /// Which of the trial's trainings it is or evaluates, from 0.
  package var seed: Int

  package init(sweep: JobID, trial: Int, rung: Int = 0, seed: Int = 0) {
    self.sweep = sweep
    self.trial = trial
    self.rung = rung
    self.seed = seed
  }
}
