import Logging
import Platform
import RunFolder
import Synchronization
import Training

/// Writes checkpoints beside the training: the caller hands a copy of the state over and goes on while a
/// thread compresses it, makes it durable, tells of it, and only then removes older ones.
///
/// One at a time: handing over waits for the one before. Used by one thread.
final class CheckpointWriter {
  private let folder: RunFolder
  private let events: EventWriter
  private let log: Log
  private let retention: CheckpointFolder.Retention
  private let threads: Int
  private let failure = Failure()
  private var current: Thread?

  /// - Parameter threads: that compress at the same time, ≥ 1.
  init(
    folder: RunFolder, events: EventWriter, log: Log, retention: CheckpointFolder.Retention, threads: Int
  ) {
    self.folder = folder
    self.events = events
    self.log = log
    self.retention = retention
    self.threads = threads
  }

  /// Begins to write a state.
  ///
  /// - Parameter metric: what the best are kept by.
  /// - Throws: what kept the checkpoint before from being written.
  func begin(_ state: ResumableState, metric: Double?) throws {
    try finish()
    let (folder, events, log, retention) = (folder, events, log, retention)
    let (threads, failure) = (threads, failure)
    current = try Thread(name: "checkpoint") {
      do {
        // What the stream has told before the checkpoint outlives the machine with it.
        try events.sync()
        let manifest = try folder.checkpoints.store(step: state.step, epoch: state.epoch, metric: metric) {
          sink in try CheckpointFormat.write(state.file, threads: threads, to: sink)
        }
        try events.append(.checkpoint(manifest))
        try folder.checkpoints.retain(retention)
        log.info("checkpoint \(manifest.name), \(manifest.bytes) bytes")
      } catch {
        failure.error.withLock { $0 = error }
      }
    }
  }

  /// Throws if a checkpoint could not be written; does not wait for one that is being written.
  func check() throws {
    if let error = failure.error.withLock({ $0 }) { throw error }
  }

  /// Returns when what was handed over is safe.
  ///
  /// - Throws: what kept it from being written.
  func finish() throws {
    current?.join()
    current = nil
    try check()
  }

  private final class Failure: Sendable {
    let error = Mutex<(any Error)?>(nil)
  }
}
