import JobStore
import Logging
import Platform
import RunFolder

/// Sweeps pins of finished jobs away soon after the store has changed, and not more often than it must.
struct PinSweep {
  private let pins: CheckpointPins
  private let store: JobStore
  private let log = Log("dispatcher")
  /// The store's commits at the last sweep.
  private var commits: Int?
  private var nextNanoseconds: UInt64 = 0

  private static let pauseNanoseconds: UInt64 = 500_000_000
  /// After a sweep that failed.
  private static let troublePauseNanoseconds: UInt64 = 60_000_000_000

  init(_ pins: CheckpointPins, store: JobStore) {
    self.pins = pins
    self.store = store
  }

  /// Sweeps if something may have finished since the last time. What cannot be removed is tried again.
  mutating func run() {
    let now = SystemClock.monotonicNanoseconds
    let present = store.commitCount
    guard present != commits, now >= nextNanoseconds else { return }
    nextNanoseconds = now + Self.pauseNanoseconds
    do {
      try pins.sweep { try store.unfinished(of: $0) }
      commits = present
    } catch {
      nextNanoseconds = now + Self.troublePauseNanoseconds
      log.warning("pins of finished jobs cannot be removed: \(error)")
    }
  }

  /// How long the next sweep may wait; `nil`: until the store changes.
  var patienceMilliseconds: Int? {
    if store.commitCount == commits { return nil }
    let now = SystemClock.monotonicNanoseconds
    return now >= nextNanoseconds ? 0 : Int((nextNanoseconds - now) / 1_000_000) + 1
  }
}
