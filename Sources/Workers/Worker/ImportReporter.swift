import Importing
import Logging
import Platform
import RunFolder

/// Passes what an import reports on to its run folder: lines of the stream, signs of life, and a log.
final class ImportReporter: ImportObserver {
  private let lock: RunLock
  private let attempt: Int
  private let events: EventWriter
  private let log: Log
  private let signals: StopSignals
  private var beatAtNanoseconds: UInt64 = 0
  /// Counts what has been done, and grows with every line: images that were decoded and written.
  private(set) var step = 0

  /// How often a worker that gets on says so.
  private static let beatNanoseconds: UInt64 = 1_000_000_000

  /// - Parameter attempt: which of the job's attempts this is.
  init(lock: RunLock, attempt: Int, events: EventWriter, log: Log, signals: StopSignals) {
    self.lock = lock
    self.attempt = attempt
    self.events = events
    self.log = log
    self.signals = signals
  }

  var isStopRequested: Bool {
    let now = SystemClock.monotonicNanoseconds
    if now >= beatAtNanoseconds {
      beatAtNanoseconds = now + Self.beatNanoseconds
      // A sign that cannot be given is given a second later.
      try? lock.beat(attempt: attempt)
    }
    return signals.request != nil
  }

  func record(_ progress: ImportProgress) throws {
    step = max(step + 1, progress.images + progress.written)
    let values: [MetricLine.Value] = [
      .init("entries", Double(progress.entries)), .init("images", Double(progress.images)),
      .init("skipped", Double(progress.skipped)), .init("bytes", Double(progress.bytes)),
      .init("written", Double(progress.written)), .init("images_per_second", progress.imagesPerSecond),
    ]
    try events.append(.metric(MetricLine(step: step, epoch: 0, values: values)))
    log.info(
      "\(progress.phase.rawValue): \(progress.entries) entries, \(progress.images) images, "
        + "\(progress.skipped) skipped, \(progress.written) written")
  }
}
