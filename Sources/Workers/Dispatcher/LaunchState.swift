import Platform
import Recipe
import Synchronization

/// A worker that runs a job.
package struct RunningWorker: Sendable, Equatable {
  package let job: JobID
  /// Threads of its engine.
  package let threads: Int
  /// When the attempt began, in monotonic nanoseconds.
  package let begunNanoseconds: UInt64
}

/// Which workers run, and whether others can be started, as the dispatcher's thread knows it, for other
/// threads.
package final class LaunchState: Sendable {
  private struct State {
    var hasFreeSlot = true
    var workers: [RunningWorker] = []
    /// Why a job could not be started, and which.
    var shortage: (job: JobID, cause: String)?
    /// When that counts no longer: by then the job would have been tried again.
    var untilNanoseconds: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Nothing is known to be short.
  package init() {}

  /// A worker could not be started, or could not begin, because something is short for now.
  func note(shortage cause: String, of job: JobID, untilNanoseconds: UInt64) {
    state.withLock {
      $0.shortage = (job, cause)
      $0.untilNanoseconds = untilNanoseconds
    }
  }

  /// The worker of a job is at work: for that job nothing is short any more.
  func noteWork(of job: JobID) {
    state.withLock { if $0.shortage?.job == job { $0.shortage = nil } }
  }

  /// Whether another worker may be started now.
  func note(hasFreeSlot: Bool) { state.withLock { $0.hasFreeSlot = hasFreeSlot } }

  /// Whether another worker may be started now.
  var hasFreeSlot: Bool { state.withLock { $0.hasFreeSlot } }

  /// Which workers run now.
  func note(workers: [RunningWorker]) { state.withLock { $0.workers = workers } }

  /// Which workers run, in the order in which they began.
  var workers: [RunningWorker] { state.withLock { $0.workers } }

  /// What was short when a worker was to be started last; `nil`: nothing, or that was too long ago.
  func shortage(nowNanoseconds: UInt64) -> String? {
    state.withLock { state in
      guard nowNanoseconds < state.untilNanoseconds else { return nil }
      return state.shortage.map { "job \($0.job): \($0.cause)" }
    }
  }
}
