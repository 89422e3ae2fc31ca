/// What a job does.
package enum JobKind: String, Sendable, CaseIterable { case train, evaluate }

/// Where a job stands in its life. What a user asked for (`pausing`, `cancelling`) and what has happened
/// (`paused`, `cancelled`) are different states, and both survive a crash.
package enum JobState: String, Sendable, CaseIterable {
  /// Waits for another job to succeed.
  case blocked
  /// Waits for a free worker.
  case queued
  case running
  /// The worker was asked to write a checkpoint and to leave.
  case pausing
  case paused
  /// The worker was asked to end.
  case cancelling
  case succeeded
  case failed
  case cancelled

  /// Whether nothing can happen to the job any more.
  package var isFinished: Bool { Transition.table[self, default: []].isEmpty }

  /// Whether a worker may be alive for the job.
  package var isActive: Bool { self == .running || self == .pausing || self == .cancelling }
}

/// The legal steps of a job's life; `migrations/` has the same table as a trigger, and a test compares the
/// two.
///
///     blocked ──► queued ──► running ──► succeeded | failed | cancelled
///        │          │ ▲       │ │  ▲
///        │          │ └───────┘ │  │      (its worker, the daemon or the machine died)
///        ▼          ▼           ▼  │
///     cancelled  cancelled   cancelling ──► cancelled | succeeded | failed
///
///     running ──► pausing ──► paused ──► queued | cancelled
package enum Transition {
  /// From each state, the states that may follow.
  package static let table: [JobState: Set<JobState>] = [
    .blocked: [.queued, .cancelled],
    .queued: [.running, .cancelled],
    .running: [.queued, .pausing, .cancelling, .succeeded, .failed, .cancelled],
    .pausing: [.paused, .cancelling, .succeeded, .failed, .cancelled],
    .paused: [.queued, .cancelled],
    .cancelling: [.cancelled, .succeeded, .failed],
  ]

  /// Whether the table has the step.
  package static func isLegal(from old: JobState, to new: JobState) -> Bool {
    table[old, default: []].contains(new)
  }
}

/// Why a job is in its state, for programs; the message beside it is for people.
package enum Reason: String, Sendable, CaseIterable {
  /// Somebody cancelled it.
  case userCancelled = "user_cancelled"
  /// A job that it needs did not succeed.
  case dependencyFailed = "dependency_failed"
  /// The loss was no longer finite.
  case diverged
  /// Its worker died three times without a new checkpoint in between.
  case crashLoop = "crash_loop"
  /// No space was left for a checkpoint or an event.
  case diskFull = "disk_full"
  /// A data set or checkpoint was missing or damaged when it was needed.
  case badInput = "bad_input"
  /// The worker ended with an error of its own.
  case workerError = "worker_error"
  /// The worker is gone without an `end`; the job goes on from its last checkpoint.
  case workerDied = "worker_died"
  /// The worker wrote a checkpoint and left because it was told to; the job goes on from there.
  case yielded
}

/// How a running job is to be ended.
package enum CancelMode: String, Sendable, CaseIterable {
  /// After the current step, with a checkpoint.
  case graceful
  /// At once, without a checkpoint.
  case now
}
