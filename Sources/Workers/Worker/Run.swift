import Datasets
import JobModel
import Logging
import NeuralNet
import RunFolder
import Training

/// One attempt of a job, from its `spec.json` to the last line of its stream.
struct Run {
  let folder: RunFolder
  let events: EventWriter
  let signals: StopSignals
  let log: Log

  let catalog: DatasetCatalog

  /// Checkpoints of an evaluation that are kept: only the newest is ever needed.
  private static let evaluationCheckpointsKept = 1

  /// Does the work and writes how it ended.
  ///
  /// - Returns: the exit code of the process: 1 for a failed run, else 0.
  /// - Throws: when the last line cannot be written.
  func perform() throws -> Int32 {
    let end: RunEnd
    do {
      let spec = try folder.readSpec()
      log.info(
        "\(spec.specification.kind.rawValue) \(spec.job), attempt \(spec.attempt), \(spec.threads) threads"
      )
      switch try work(spec) {
      case nil: end = RunEnd(state: .succeeded)
      case .yield: return 0
      case .cancel, .cancelNow: end = RunEnd(state: .cancelled, reason: .userCancelled)
      }
    } catch {
      log.error("\(error)")
      end = RunEnd(state: .failed, reason: FailureReason.of(error), message: "\(error)")
    }
    log.info("\(end.state.rawValue)")
    try events.append(.end(end))
    return end.state == .failed ? 1 : 0
  }

  /// Trains or evaluates; `nil`: to the end.
  private func work(_ spec: RunSpec) throws -> StopRequest? {
    switch spec.specification {
    case .train(let specification): return try train(specification, spec)
    case .evaluate(let specification): return try evaluate(specification, spec)
    }
  }

  private func train(_ specification: TrainSpecification, _ spec: RunSpec) throws -> StopRequest? {
    let dataset = try catalog.open(
      specification.dataset.name, split: ImageDataset.Split(specification.dataset.split),
      limit: specification.dataset.limit)
    let checkpoint = try spec.resumeFrom.map { try Checkpoint(path: $0) }
    let recorded = try recordedConvolutions()
    let training = try Pretraining(
      specification, dataset: dataset, threads: spec.threads, recorded: recorded, resumingFrom: checkpoint)
    try start(
      spec, step: training.step, steps: training.stepsTotal, epochs: specification.epochs,
      isa: training.instructionSet.rawValue)
    if let before = checkpoint?.instructionSet, before != training.instructionSet.rawValue {
      try warn(
        "the checkpoint was computed with \(before), this worker uses \(training.instructionSet.rawValue): "
          + "the run will differ in the last bits from an undisturbed one")
    }
    if recorded == nil { try record(training.convolutions, spec) }
    let reporter = reporter(
      keeping: .init(
        newest: specification.checkpoint.keepLast, keepsInitial: specification.checkpoint.initial))
    switch try training.run(reporter) {
    case .finished: return nil
    case .stopped(let request):
      try confirm(request, step: training.step)
      return request
    }
  }

  private func evaluate(
    _ specification: EvaluateSpecification, _ spec: RunSpec
  ) throws -> StopRequest? {
    guard let path = spec.checkpointPath else {
      throw RunFolderError(operation: "read", subject: folder.specPath, cause: "it names no checkpoint")
    }
    let recorded = try recordedConvolutions()
    let evaluation = try LinearEvaluation(
      specification, checkpoint: try Checkpoint(path: path),
      train: try catalog.open(specification.dataset.name, split: .train, limit: specification.dataset.limit),
      test: try catalog.open(specification.dataset.name, split: .test, limit: specification.dataset.limit),
      threads: spec.threads, recorded: recorded,
      resumingFrom: try spec.resumeFrom.map { try CheckpointFormat.read(path: $0) })
    try start(
      spec, step: evaluation.step, steps: evaluation.stepsTotal, epochs: evaluation.stepsTotal,
      isa: evaluation.instructionSet.rawValue)
    if recorded == nil { try record(evaluation.convolutions, spec) }
    let reporter = reporter(keeping: .init(newest: Self.evaluationCheckpointsKept, keepsInitial: false))
    switch try evaluation.run(reporter) {
    case .finished(let result):
      log.info("result \(result.json.text)")
      try events.append(.result(result.json))
      return nil
    case .stopped(let request):
      try confirm(request, step: evaluation.step)
      return request
    }
  }

  private func start(_ spec: RunSpec, step: Int, steps: Int, epochs: Int, isa: String) throws {
    try events.append(
      .started(
        RunStart(
          attempt: spec.attempt, step: step, steps: steps, epochs: epochs, threads: spec.threads,
          isa: isa)))
    log.info("at step \(step) of \(steps), instruction set \(isa)")
  }

  /// How the run's layers were computed in earlier attempts; `nil` in the first.
  private func recordedConvolutions() throws -> ConvolutionRecord? {
    try folder.readConvolutions().map { try ConvolutionRecord(json: $0) }
  }

  /// Records how the run's layers are computed, before the first step.
  private func record(_ convolutions: ConvolutionRecord, _ spec: RunSpec) throws {
    try folder.writeConvolutions(convolutions.json)
    if spec.resumeFrom != nil {
      try warn(
        "\(folder.convolutionsPath) was missing: the run may differ in the last bits from an undisturbed one")
    }
  }

  private func warn(_ message: String) throws {
    log.warning(message)
    try events.append(.warning(message: message))
  }

  private func reporter(keeping retention: RunReporter.Retention) -> RunReporter {
    RunReporter(folder: folder, events: events, log: log, signals: signals, retention: retention)
  }

  /// Says that the run left because it was told to and will go on.
  private func confirm(_ request: StopRequest, step: Int) throws {
    log.info("stopped at step \(step): \(request)")
    if request == .yield { try events.append(.yielded(step: step)) }
  }
}
