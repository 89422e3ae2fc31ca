import Logging
import Platform
import RunFolder
import Training

/// Passes what a run reports on to its folder: lines of the stream, checkpoints, and a log for people.
struct RunReporter: TrainingObserver {
  private let folder: RunFolder
  private let events: EventWriter
  private let log: Log
  private let signals: StopSignals
  private let retention: Retention

  /// Which checkpoints stay.
  struct Retention {
    /// The newest so many.
    let newest: Int
    /// Step 0 stays beside them.
    let keepsInitial: Bool
  }

  init(folder: RunFolder, events: EventWriter, log: Log, signals: StopSignals, retention: Retention) {
    self.folder = folder
    self.events = events
    self.log = log
    self.signals = signals
    self.retention = retention
  }

  var stopRequest: StopRequest? { signals.request }

  func record(_ figures: StepFigures) throws {
    let values = figures.figures.map { MetricLine.Value($0.name, $0.value) }
    try events.append(.metric(MetricLine(step: figures.step, epoch: figures.epoch, values: values)))
    let texts = figures.figures.map { "\($0.name) \(shortText($0.value))" }
    log.info("step \(figures.step), epoch \(figures.epoch): \(texts.joined(separator: ", "))")
  }

  /// Stores the checkpoint, tells of it, and only then removes older ones.
  func save(_ state: ResumableState) throws {
    let manifest = try folder.checkpoints.store(step: state.step, epoch: state.epoch) { sink in
      try CheckpointFormat.write(state.file, to: sink)
    }
    try events.append(.checkpoint(manifest))
    try folder.checkpoints.retain(newest: retention.newest, keepInitial: retention.keepsInitial)
    log.info("checkpoint \(manifest.name), \(manifest.bytes) bytes")
  }
}

/// A number with four significant digits, for people.
func shortText(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  let digits = 3 - Int((Mathematics.logarithm(abs(value)) / Mathematics.logarithm(10)).rounded(.down))
  let scale = Mathematics.power(10, Double(abs(digits)))
  let rounded = digits >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale
  return "\(rounded)"
}
