import JobModel

/// What one attempt of a job has to do: the content of `spec.json`.
package struct RunSpec: Sendable, Equatable {
  /// The resolved specification of either kind of job.
  package enum Specification: Sendable, Equatable {
    case train(TrainSpecification)
    case evaluate(EvaluateSpecification)
  }

  package var job: JobID
  /// From 1; each start of a worker counts.
  package var attempt: Int
  package var specification: Specification
  /// Threads of the engine, ≥ 1. Results do not depend on it.
  package var threads: Int
  /// Train: path of the checkpoint to go on from; `nil`: from the beginning.
  package var resumeFrom: String?
  /// Evaluate: path of the checkpoint to judge.
  package var checkpointPath: String?

  package init(
    job: JobID, attempt: Int, specification: Specification, threads: Int, resumeFrom: String? = nil,
    checkpointPath: String? = nil
  ) {
    self.job = job
    self.attempt = attempt
    self.specification = specification
    self.threads = threads
    self.resumeFrom = resumeFrom
    self.checkpointPath = checkpointPath
  }

  package var kind: JobKind {
    switch specification {
    case .train: .train
    case .evaluate: .evaluate
    }
  }
}
