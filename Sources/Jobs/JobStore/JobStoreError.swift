import JobModel
import Recipe
import Text

/// Why the store refuses; SQLite's own failures are `SQLiteError`s.
package enum JobStoreError: Error, Equatable, CustomStringConvertible {
  /// No job has that id.
  case noSuchJob(JobID)
  /// The job's state does not allow the operation.
  case wrongState(JobID, state: JobState, operation: String, allowed: [JobState])
  /// Unfinished jobs need this one.
  case isNeeded(JobID, by: [JobID])
  /// A job that is to be queued needs one that cannot succeed any more, is not a training, or does not exist
  /// (`state` nil).
  case unusableNeed(JobID, kind: JobKind?, state: JobState?)
  /// An idempotency key that stands for another request already.
  case keyReused(ByteString)
  /// No imported dataset has that name.
  case noSuchDataset(ByteString)
  /// The name of a dataset is in use.
  case datasetExists(ByteString, state: DatasetState)
  /// A job that is to be queued reads a dataset that cannot be used.
  case datasetIsNotReady(ByteString, state: DatasetState)
  /// Unfinished jobs need the dataset.
  case datasetIsNeeded(ByteString, by: [JobID])
  /// No model has that name.
  case noSuchModel(ByteString)
  /// The name of a model is in use.
  case modelExists(ByteString)
  /// Unfinished jobs need the model.
  case modelIsNeeded(ByteString, by: [JobID])
  /// A job that is to be retried takes the weights of a model that was deleted.
  case retryNeedsModel(JobID, ByteString)
  /// No sweep has that id.
  case noSuchSweep(JobID)
  /// The sweep's state does not allow the operation.
  case wrongSweepState(JobID, state: SweepRecord.State, operation: String, allowed: [SweepRecord.State])
  /// A sweep that has not finished needs the job.
  case isOfSweep(JobID, JobID)
  /// A row that this program does not understand.
  case unreadableRow(sequence: Int)
  /// A row of a sweep that this program does not understand.
  case unreadableSweep(sequence: Int)

  package var description: String {
    switch self {
    case .noSuchJob(let id): "there is no job \(id)"
    case .wrongState(let id, let state, let operation, let allowed):
      "cannot \(operation) job \(id): it \(Self.phrase(state)); "
        + "allowed in state \(allowed.map(\.rawValue).joined(separator: ", "))"
    case .isNeeded(let id, let others):
      "cannot delete job \(id): unfinished jobs need it: \(others.map(\.text).joined(separator: ", "))"
    case .unusableNeed(let id, let kind, let state):
      switch (kind, state) {
      case (_, nil), (nil, _): "there is no job \(id)"
      case (_, .failed): "job \(id) has failed"
      case (_, .cancelled): "job \(id) has been cancelled"
      default: "job \(id) is an evaluation and has no checkpoints"
      }
    case .keyReused(let key):
      "the idempotency key \"\(key)\" was used for another request; use a new one for each request"
    case .noSuchDataset(let name): "there is no dataset \"\(name.shown)\""
    case .datasetExists(let name, let state):
      "there is a dataset \"\(name.shown)\" already, which \(state.phrase); delete it first, or take "
        + "another name"
    case .datasetIsNotReady(let name, let state):
      "the dataset \"\(name.shown)\" \(state.phrase)"
    case .datasetIsNeeded(let name, let jobs):
      "cannot delete dataset \"\(name.shown)\": unfinished jobs need it: "
        + jobs.map(\.text).joined(separator: ", ")
    case .noSuchModel(let name): "there is no model \"\(name.shown)\""
    case .modelExists(let name):
      "there is a model \"\(name.shown)\" already; delete it first, or take another name"
    case .modelIsNeeded(let name, let jobs):
      "cannot delete model \"\(name.shown)\": unfinished jobs need it: "
        + jobs.map(\.text).joined(separator: ", ")
    case .retryNeedsModel(let id, let name):
      "cannot retry job \(id): there is no model \"\(name.shown)\" any more; upload it again"
    case .noSuchSweep(let id): "there is no sweep \(id)"
    case .wrongSweepState(let id, let state, let operation, let allowed):
      "cannot \(operation) sweep \(id): it \(Self.phrase(state)); "
        + "allowed in state \(allowed.map(\.rawValue).joined(separator: ", "))"
    case .isOfSweep(let id, let sweep):
      "cannot delete job \(id): it is a trial of the sweep \(sweep), which has not finished"
    case .unreadableSweep(let sequence):
      "the database has a sweep (number \(sequence)) that this program cannot read"
    case .unreadableRow(let sequence):
      "the database has a job (number \(sequence)) that this program cannot read"
    }
  }

  private static func phrase(_ state: SweepRecord.State) -> String {
    switch state {
    case .succeeded, .failed: "has already \(state.rawValue)"
    case .cancelled: "has already been cancelled"
    case .running, .pausing, .paused, .cancelling: "is \(state.rawValue)"
    }
  }

  private static func phrase(_ state: JobState) -> String {
    switch state {
    case .succeeded, .failed: "has already \(state.rawValue)"
    case .cancelled: "has already been cancelled"
    case .blocked, .queued, .running, .pausing, .paused, .cancelling: "is \(state.rawValue)"
    }
  }
}
