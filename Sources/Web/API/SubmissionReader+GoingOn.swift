import JobModel
import JobStore
import Recipe
import Text

// A training that goes on with another one has that one's steps behind it.

extension SubmissionReader {
  /// Notes that no step is left to a training which goes on with another one, where that can be told.
  func checkStepsLeft(
    of specification: TrainSpecification, after source: Training, _ policy: JobPolicy, at pointer: String
  ) {
    guard let initFrom = specification.initFrom, initFrom.optimizer,
      let count = imageCount(of: specification), let done = steps(of: source, initFrom.checkpoint.choice)
    else { return }
    // One that may end early, after which this one runs all the same, may leave an earlier checkpoint.
    if case .stored(let job) = source, job.state.isFinished || policy.onDependencyFailure == .cancel {
      specification.check(goingOnAfter: done, imageCount: count, at: pointer, problems)
    }
    if case .coming = source, policy.onDependencyFailure == .cancel {
      specification.check(goingOnAfter: done, imageCount: count, at: pointer, problems)
    }
  }

  /// Steps that a job has behind it when it begins; 0 where that cannot be told.
  func stepsDone(before specification: JobSpecification) -> Int {
    guard let initFrom = specification.train?.initFrom, initFrom.optimizer, let id = initFrom.checkpoint.job
    else { return 0 }
    if let coming = refs.values.first(where: { $0.id == id }) {
      return steps(of: .coming(coming), initFrom.checkpoint.choice) ?? 0
    }
    // A store that cannot be read is reported when the job is to be written.
    let standing = (try? standings.of(id, in: api.store)) ?? nil
    return standing.flatMap { steps(of: .stored($0), initFrom.checkpoint.choice) } ?? 0
  }

  private func imageCount(of specification: TrainSpecification) -> Int? {
    guard case .success(let summary)? = looks.look(specification.dataset.name) else { return nil }
    return summary.counts[specification.dataset.split]
  }

  /// The step of a training's checkpoint, which may be one that it does not have yet; `nil`: it cannot be
  /// told.
  private func steps(of source: Training, _ choice: CheckpointReference.Choice) -> Int? {
    switch source {
    case .coming(let job): choice == .last ? job.steps : nil
    case .stored(let job): api.step(of: choice, job.id, isFinished: job.state.isFinished)
    }
  }
}
