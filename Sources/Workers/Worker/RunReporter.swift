import JSONText
import Logging
import Platform
import Recipe
import RunFolder
import Training

/// Passes what a run reports on to its folder: lines of the stream, checkpoints, signs of life, and a log for
/// people.
final class RunReporter: TrainingObserver {
  private let folder: RunFolder
  private let lock: RunLock
  private let attempt: Int
  private let events: EventWriter
  private let log: Log
  private let signals: StopSignals
  private let checkpoints: CheckpointWriter
  /// Whether a step that is not finite is kept.
  private let keepsCapture: Bool
  /// The key by which the best checkpoints are kept.
  private let bestKey: String?
  /// Its value in the last metric line, or in the last evaluation.
  private var bestValue: Double?
  /// The step of the last evaluation.
  private var evaluatedStep: Int?
  /// What the files of evaluations go on with.
  private var layouts: LayoutFiles
  /// Judges a training; `nil` for other runs.
  private var monitor: HealthMonitor?
  private var beatAtNanoseconds: UInt64 = 0
  private var linesSinceTrim = 0

  /// How often a worker that gets on says so.
  private static let beatNanoseconds: UInt64 = 1_000_000_000
  /// Bytes of the log that begin a new one; the one before is kept beside it.
  private static let logBytesMax = 16 << 20
  /// Lines of the log after which its size is looked at.
  private static let linesPerTrim = 100

  /// - Parameters:
  ///   - attempt: which of the job's attempts this is.
  ///   - bestKey: the metric by which the best checkpoints are kept; `nil`: none are.
  ///   - bestValue: its last value before the run goes on.
  ///   - keepsCapture: whether a step that is not finite is kept, in place of an earlier attempt's.
  ///   - monitor: judges a training, and has seen what it recorded before.
  ///   - layouts: the files of the evaluations before the run goes on.
  init(
    folder: RunFolder, lock: RunLock, attempt: Int, events: EventWriter, log: Log, signals: StopSignals,
    checkpoints: CheckpointWriter, bestKey: String? = nil, bestValue: Double? = nil,
    keepsCapture: Bool = false, monitor: HealthMonitor? = nil, layouts: LayoutFiles = LayoutFiles()
  ) {
    self.folder = folder
    self.lock = lock
    self.attempt = attempt
    self.events = events
    self.log = log
    self.signals = signals
    self.checkpoints = checkpoints
    self.bestKey = bestKey
    self.keepsCapture = keepsCapture
    self.bestValue = bestValue
    self.monitor = monitor
    self.layouts = layouts
  }

  var stopRequest: StopRequest? {
    let now = SystemClock.monotonicNanoseconds
    if now >= beatAtNanoseconds {
      beatAtNanoseconds = now + Self.beatNanoseconds
      // A sign that cannot be given is given a second later.
      try? lock.beat(attempt: attempt)
    }
    return signals.request
  }

  func record(_ figures: StepFigures) throws {
    try checkpoints.check()
    let values = figures.figures.map { MetricLine.Value($0.name, $0.value) }
    try events.append(.metric(MetricLine(step: figures.step, epoch: figures.epoch, values: values)))
    if let bestKey, let value = figures[bestKey] { bestValue = value }
    let texts = figures.figures.map { "\($0.name) \(shortText($0.value))" }
    log.info("step \(figures.step), epoch \(figures.epoch): \(texts.joined(separator: ", "))")
    if let health = monitor?.take(HealthRule.Figures(step: figures.step) { figures[$0] }) {
      try tell(health)
    }
    trimLog()
  }

  func evaluated(_ report: OnlineReport) throws {
    try checkpoints.check()
    // The files first: what a line tells of is there.
    if let layout = report.layout {
      layouts.add(layout, at: report.place)
      try storeArtifact("projection.json", LayoutFiles.projection(layout, at: report.place))
      try storeArtifact(Self.spectrumName, layouts.spectrum)
    }
    let values = report.figures.map { MetricLine.Value($0.name, $0.value) }
    try events.append(
      .evaluation(MetricLine(step: report.place.step, epoch: report.place.epoch, values: values)))
    evaluatedStep = report.place.step
    if let bestKey, let value = report[bestKey] { bestValue = value }
    let texts = report.figures.map { "\($0.name) \(shortText($0.value))" }
    log.info("evaluation at step \(report.place.step): \(texts.joined(separator: ", "))")
  }

  /// The file with a row for each evaluation, which a later attempt goes on with.
  static let spectrumName = "spectrum.json"

  private func storeArtifact(_ name: String, _ json: JSON) throws {
    let manifest = try folder.artifacts.store(name, mediaType: "application/json") { try $0(json.utf8) }
    try events.append(.artifact(manifest))
  }

  private func tell(_ health: JobHealth) throws {
    log.info("health at step \(health.step ?? 0): \(health.state.rawValue), \(health.message ?? "")")
    try events.append(.health(health))
  }

  /// Says how a training went that ends, or rests.
  func tellHealth() throws {
    if let monitor, monitor.health.step != nil { try tell(monitor.health) }
  }

  func prepareToSave() throws { try checkpoints.finish() }

  func save(_ state: ResumableState) throws {
    // A checkpoint between two evaluations has none of its own.
    let isMeasured = bestKey.map { Metric.isOnline($0) ? evaluatedStep == state.step : true } ?? false
    try checkpoints.begin(state, metric: isMeasured ? bestValue : nil)
  }

  func capture(_ capture: StepCapture) throws {
    guard keepsCapture else { return }
    let message: String
    do {
      let name = try store(capture)
      message = "step \(capture.step) is kept in captures/\(name); \(folder.replayHint)"
    } catch {
      // The run ends, or rolls back, with or without the file.
      message = "step \(capture.step) cannot be kept for a replay: \(error)"
    }
    log.warning(message)
    try events.append(.warning(message: message))
  }

  private func store(_ capture: StepCapture) throws -> String {
    let free = try FileSystem.freeBytes(folder.path)
    guard free > capture.byteCount else {
      throw RunFolderError(
        operation: "write", subject: folder.captures.path,
        cause: "it takes up to \(capture.byteCount) bytes, and \(free) are free")
    }
    return try folder.captures.store(step: capture.step) { try capture.write(to: $0) }
  }

  /// Returns when every checkpoint is safe.
  func finish() throws { try checkpoints.finish() }

  /// Keeps the log from growing for ever, if this process's outputs go to it.
  private func trimLog() {
    linesSinceTrim += 1
    guard linesSinceTrim >= Self.linesPerTrim else { return }
    linesSinceTrim = 0
    do {
      guard try FileSystem.size(folder.logPath) > Self.logBytesMax,
        try StandardStream.error.isFile(folder.logPath)
      else { return }
      try FileSystem.rename(folder.logPath, to: folder.olderLogPath)
      try StandardStream.appendBoth(to: folder.logPath)
    } catch {
      log.warning("the log cannot be started again: \(error)")
    }
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
