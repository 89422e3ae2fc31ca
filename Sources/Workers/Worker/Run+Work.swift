import Datasets
import JSONText
import Recipe
import RunFolder
import Training

extension Run {
  /// Checkpoints of an evaluation that are kept: only the newest is ever needed.
  private static let evaluationCheckpointsKept = 1

  /// Trains; `nil`: to the end. After a divergence it begins again at the last checkpoint, as often as the
  /// specification allows, with a lower learning rate.
  func train(_ specification: TrainSpecification, _ spec: RunSpec) throws -> StopRequest? {
    let selection = specification.dataset
    let catalog = catalog(spec, selection.name)
    let dataset = try opening(selection.name) {
      try catalog.open(
        selection.name.string, split: selection.split, limit: selection.limit)
    }
    try checkInputs(spec, of: specification.dataset.name, [dataset])
    var spec = spec
    var rollbacks = 0
    while true {
      switch try train(specification, dataset, spec, rollbacks: rollbacks) {
      case .ended(let request): return request
      case .diverged(let error, let before):
        let policy = specification.divergence
        guard policy.policy == .rollback, before < policy.maxRollbacks else { throw error }
        rollbacks = before + 1
        spec.resumeFrom = try folder.checkpoints.list().last.map { folder.checkpoints.path(of: $0.name) }
        try warn(
          "\(error); rollback \(rollbacks) of \(policy.maxRollbacks) to the last checkpoint, "
            + "the learning rate is multiplied by \(policy.factor)")
      }
    }
  }

  /// How one training in memory came to its end.
  private enum TrainingEnd {
    case ended(StopRequest?)
    case diverged(TrainingError, rollbacksBefore: Int)
  }

  private func train(
    _ specification: TrainSpecification, _ dataset: ImageDataset, _ spec: RunSpec, rollbacks: Int
  ) throws -> TrainingEnd {
    let checkpoint = try resumable(spec) { try Checkpoint(path: $0) }
    let recorded = try recordedConvolutions()
    let training = try Pretraining(
      specification, dataset: dataset, threads: spec.threads, recorded: recorded,
      resumingFrom: checkpoint?.state,
      beginningWith: checkpoint == nil ? try initialWeights(specification, spec) : nil, rollbacks: rollbacks)
    try start(
      spec, step: training.step, steps: training.stepsTotal, epochs: training.epochsTotal,
      isa: training.instructionSet.rawValue)
    if let before = checkpoint?.state.instructionSet, before != training.instructionSet.rawValue {
      try warn(
        "the checkpoint was computed with \(before), this worker uses \(training.instructionSet.rawValue): "
          + "the run will differ in the last bits from an undisturbed one")
    }
    if recorded == nil { try record(training.convolutions, isFirst: spec.resumeFrom == nil) }
    let stepsPerEpoch = specification.stepsPerEpoch(imageCount: dataset.count)
    let reporter = reporter(
      spec, keeping: specification.checkpoint.retention(stepsPerEpoch: stepsPerEpoch),
      best: specification.checkpoint.keepBest?.metric.string, after: checkpoint?.manifest,
      // The first of this attempt: what comes after a rollback is seldom where it began.
      keepsCapture: rollbacks == 0,
      monitor: try healthMonitor(specification, imageCount: dataset.count, step: training.step))
    do {
      let outcome = try training.run(reporter)
      try reporter.finish()
      try reporter.tellHealth()
      guard case .stopped(let request) = outcome else { return .ended(nil) }
      try confirm(request, step: training.step)
      return .ended(request)
    } catch let error as TrainingError {
      try reporter.finish()
      guard case .diverged = error else { throw error }
      try reporter.tellHealth()
      return .diverged(error, rollbacksBefore: training.rollbacks)
    }
  }

  /// What a training begins with instead of new weights, if it does.
  private func initialWeights(_ specification: TrainSpecification, _ spec: RunSpec) throws -> Checkpoint? {
    guard let initFrom = specification.initFrom else { return nil }
    if let recorded = try folder.readInputs() { try checkSource(spec, recorded) }
    log.info("begins with \(initFrom.checkpoint.phrase)")
    return try source(spec) { initFrom.optimizer || $0.hasPrefix("encoder.") }
  }

  /// Evaluates; `nil`: to the end.
  func evaluate(_ specification: EvaluateSpecification, _ spec: RunSpec) throws -> StopRequest? {
    let (name, limit) = (specification.dataset.name, specification.dataset.limit)
    let catalog = catalog(spec, name)
    let (train, test) = try opening(name) {
      (
        try catalog.open(name.string, split: .train, limit: limit),
        try catalog.open(name.string, split: .test, limit: limit)
      )
    }
    try checkInputs(spec, of: name, [train, test])
    let recorded = try recordedConvolutions()
    let evaluation = try Evaluation(
      specification, checkpoint: try source(spec), train: train, test: test, threads: spec.threads,
      recorded: recorded,
      resumingFrom: try resumable(spec) { try CheckpointFormat.read(path: $0) }?.state)
    try start(
      spec, step: evaluation.step, steps: evaluation.stepsTotal, epochs: evaluation.stepsTotal,
      isa: evaluation.instructionSet.rawValue)
    if recorded == nil { try record(evaluation.convolutions, isFirst: spec.resumeFrom == nil) }
    let reporter = reporter(spec, keeping: .init(newest: Self.evaluationCheckpointsKept))
    let outcome = try evaluation.run(reporter)
    try reporter.finish()
    switch outcome {
    case .finished(let found):
      try storeArtifacts(found)
      let result = try withInputs(found.json)
      log.info("result \(result.text)")
      try events.append(.result(result))
      return nil
    case .stopped(let request):
      try confirm(request, step: evaluation.step)
      return request
    }
  }
}

extension Run {
  /// A result with the digests of what it was found with.
  func withInputs(_ result: JSON) throws -> JSON {
    guard var members = result.object, let inputs = try folder.readInputs() else { return result }
    members["dataset_digest"] = .string(inputs.dataset.digest)
    members["checkpoint_sha256"] = .optional(inputs.checkpointSHA256)
    return .object(members)
  }
}

extension CheckpointPolicy {
  /// The same in steps.
  fileprivate func retention(stepsPerEpoch: Int) -> CheckpointFolder.Retention {
    CheckpointFolder.Retention(
      newest: keepLast, keepsInitial: initial, everySteps: keepEvery.map { $0 * stepsPerEpoch },
      best: keepBest.map { ($0.count, $0.isHighestBest) })
  }
}
