import Datasets
import JobModel
import Logging
import NeuralNet
import Platform
import RunFolder
import Training

/// One attempt of a job, from its `spec.json` to the last line of its stream.
struct Run {
  let folder: RunFolder
  let lock: RunLock
  let events: EventWriter
  let signals: StopSignals
  let log: Log

  let catalog: DatasetCatalog
  /// This program's.
  let version: String

  /// Does the work and writes how it ended.
  ///
  /// - Returns: the exit code of the process: 1 for a failed run, else 0.
  /// - Throws: when the last line cannot be written.
  func perform() throws -> Int32 {
    let end: RunEnd
    do {
      try folder.removeLeftovers()
      let spec = try folder.readSpec()
      log.info(
        "\(spec.specification.kind.rawValue) \(spec.job), attempt \(spec.attempt), \(spec.threads) threads"
      )
      switch try Runner.run(spec, in: self) {
      case nil: end = RunEnd(state: .succeeded)
      case .yield: return 0
      case .cancel, .cancelNow: end = RunEnd(state: .cancelled, reason: .userCancelled)
      }
    } catch let error as SystemError where error.isDiskFull {
      return try yield(
        .diskFull, "\(error): the run goes on from its last checkpoint when there is space")
    } catch {
      if let shortage = shortage(behind: error) {
        return try yield(.shortage, "the machine is short of what the worker needs: \(shortage)")
      }
      log.error("\(error)")
      end = RunEnd(state: .failed, reason: FailureReason.of(error), message: "\(error)\(hint(for: error))")
    }
    log.info("\(end.state.rawValue); at most \(ProcessMemory.peakResidentBytes) bytes of memory were in use")
    try events.append(.end(end))
    return end.state == .failed ? 1 : 0
  }

  /// Where to look further after a divergence.
  private func hint(for error: any Error) -> String {
    // Without a capture, or a folder that can be read, there is nothing to point to.
    guard case TrainingError.diverged = error, (try? folder.captures.kept()) ?? nil != nil else { return "" }
    return "; \(folder.replayHint)"
  }

  /// Leaves for want of something that may be there again later; the run goes on from its last checkpoint
  /// then.
  private func yield(_ reason: Reason, _ message: String) throws -> Int32 {
    log.warning(message)
    try events.append(
      .yielded(step: folder.checkpoints.list().last?.step ?? 0, reason: reason, message: message))
    return 0
  }

  /// Says where an attempt begins.
  func start(_ spec: RunSpec, step: Int, steps: Int, epochs: Int, isa: String) throws {
    try events.append(
      .started(
        RunStart(
          attempt: spec.attempt, step: step, steps: steps, epochs: epochs,
          host: workerHost(threads: spec.threads, isa: isa, version: version))))
    log.info("at step \(step) of \(steps), instruction set \(isa)")
  }

  /// The newest checkpoint of this run that is what it should be from its digest to its last tensor. Damaged
  /// ones are set aside, with a warning; `nil`: there is none, or the run is to begin anew.
  func resumable<State>(
    _ spec: RunSpec, _ read: (_ path: String) throws -> State
  ) throws -> (manifest: CheckpointManifest, state: State)? {
    guard spec.resumeFrom != nil else { return nil }
    while let manifest = try folder.checkpoints.list().last {
      do {
        if try folder.checkpoints.isIntact(manifest) {
          return (manifest, try read(folder.checkpoints.path(of: manifest.name)))
        }
        try setAside(manifest, "its SHA-256 is not that of its manifest")
      } catch let error as CheckpointError {
        try setAside(manifest, "\(error)")
      } catch let error as SystemError where error.operation == "read" {
        try setAside(manifest, "\(error)")
      }
    }
    return nil
  }

  private func setAside(_ manifest: CheckpointManifest, _ cause: String) throws {
    try folder.checkpoints.setAside(manifest)
    try warn("the checkpoint \(manifest.name) is damaged and set aside: \(cause)")
  }

  /// How the run's layers were computed in earlier attempts; `nil` in the first.
  func recordedConvolutions() throws -> ConvolutionRecord? {
    try folder.readConvolutions().map { try ConvolutionRecord(json: $0) }
  }

  /// Records how the run's layers are computed, before the first step.
  func record(_ convolutions: ConvolutionRecord, isFirst: Bool) throws {
    try folder.writeConvolutions(convolutions.json)
    if !isFirst {
      try warn(
        "\(folder.convolutionsPath) was missing: the run may differ in the last bits from an undisturbed one")
    }
  }

  /// Tells people something that ends nothing.
  func warn(_ message: String) throws {
    log.warning(message)
    try events.append(.warning(message: message))
  }

  /// Takes what a training or an evaluation reports.
  func reporter(
    _ spec: RunSpec, keeping retention: CheckpointFolder.Retention, best: String? = nil,
    after manifest: CheckpointManifest? = nil, keepsCapture: Bool = false, monitor: HealthMonitor? = nil,
    layouts: LayoutFiles = LayoutFiles()
  ) -> RunReporter {
    let checkpoints = CheckpointWriter(
      folder: folder, events: events, log: log, retention: retention, threads: spec.threads)
    return RunReporter(
      folder: folder, lock: lock, attempt: spec.attempt, events: events, log: log, signals: signals,
      checkpoints: checkpoints, bestKey: best, bestValue: manifest?.metric, keepsCapture: keepsCapture,
      monitor: monitor, layouts: layouts)
  }

  /// Says that the run left because it was told to and will go on.
  func confirm(_ request: StopRequest, step: Int) throws {
    log.info("stopped at step \(step): \(request)")
    if request == .yield { try events.append(.yielded(step: step)) }
  }
}
