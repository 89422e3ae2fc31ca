import Platform
import Synchronization

/// Whether workers can be started, as the dispatcher's thread knows it, for threads that want to tell others.
package final class LaunchState: Sendable {
  private struct State {
    var hasFreeSlot = true
    /// Why the last job could not be started.
    var shortage: String?
    /// When that counts no longer: by then the job would have been tried again.
    var untilNanoseconds: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Nothing is known to be short.
  package init() {}

  /// A worker could not be started, or could not begin, because something is short for now.
  func note(shortage: String, untilNanoseconds: UInt64) {
    state.withLock {
      $0.shortage = shortage
      $0.untilNanoseconds = untilNanoseconds
    }
  }

  /// A worker is at work.
  func noteWork() { state.withLock { $0.shortage = nil } }

  /// Whether another worker may be started now.
  func note(hasFreeSlot: Bool) { state.withLock { $0.hasFreeSlot = hasFreeSlot } }

  /// Whether another worker may be started now.
  var hasFreeSlot: Bool { state.withLock { $0.hasFreeSlot } }

  /// What was short when a worker was to be started last; `nil`: nothing, or that was too long ago.
  func shortage(nowNanoseconds: UInt64) -> String? {
    state.withLock { nowNanoseconds < $0.untilNanoseconds ? $0.shortage : nil }
  }
}
