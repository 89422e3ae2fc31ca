import Datasets
import Importing
import JSONText
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
  /// Writes a JSON artifact of that name.
  private let store: (String, (_ sink: ([UInt8]) throws -> Void) throws -> Void) throws -> Void
  private var beatAtNanoseconds: UInt64 = 0
  /// Counts what has been done, and grows with every line: images that were decoded and written.
  private(set) var step = 0

  /// How often a worker that gets on says so.
  private static let beatNanoseconds: UInt64 = 1_000_000_000

  /// - Parameters:
  ///   - attempt: which of the job's attempts this is.
  ///   - store: writes a JSON artifact of that name.
  init(
    lock: RunLock, attempt: Int, events: EventWriter, log: Log, signals: StopSignals,
    store: @escaping (String, (_ sink: ([UInt8]) throws -> Void) throws -> Void) throws -> Void
  ) {
    self.lock = lock
    self.attempt = attempt
    self.events = events
    self.log = log
    self.signals = signals
    self.store = store
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

  func finish(skipped: [SkippedFile], count: Int) throws {
    guard count > 0 else { return }
    try store(Self.skippedName) { sink in
      try sink(Array("{\"skipped_count\":\(count),\"skipped\":[".utf8))
      for (index, file) in skipped.enumerated() {
        try sink(Array((index == 0 ? "\n" : ",\n").utf8) + file.json.utf8)
      }
      try sink(Array("\n]}\n".utf8))
    }
  }

  /// The artifact that lists the files that were left out.
  private static let skippedName = "skipped.json"

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

extension SkippedFile {
  /// As results and lists have it.
  var json: JSON { ["path": .string(path), "reason": .string(reason)] }
}
