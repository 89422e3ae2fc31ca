/// Where a job stands in its life. What a user asked for (`pausing`, `cancelling`) and what has happened
/// (`paused`, `cancelled`) are different states, and both survive a crash.
package enum JobState: String, Sendable, CaseIterable {
  /// Waits for other jobs.
  case blocked
  /// Waits for a free worker.
  case queued
  case running
  /// The worker was asked to write a checkpoint and to leave.
  case pausing
  /// Waits until somebody resumes it, or (`disk_full`) until there is space.
  case paused
  /// The worker was asked to end.
  case cancelling
  case succeeded
  case failed
  case cancelled

  /// Whether nothing happens to the job any more, unless somebody retries it.
  package var isFinished: Bool { self == .succeeded || self == .failed || self == .cancelled }

  /// Whether a worker may be alive for the job.
  package var isActive: Bool { self == .running || self == .pausing || self == .cancelling }
}

/// The legal steps of a job's life; `migrations/` has the same table as a trigger, and a test compares the
/// two.
///
///     blocked ──► queued ──► running ──► succeeded | failed | cancelled
///        │         ▲ │ ▲      │ │ │ ▲
///        │         │ │ └──────┘ │ │ │  (the worker left or died, the daemon stopped, an error is retried)
///        │         │ │          │ │ └───────────────┐
///        │         │ ▼          │ ▼   (resumed)     │
///        │         paused ◄─────┼─ pausing ─────────┘
///        │           │          │    │        pausing ──► succeeded | failed | cancelled as well
///        ▼           ▼          ▼    ▼
///       cancelled (at once)    cancelling ──► cancelled | succeeded | failed
///
///     running ──► paused                      (the disk is full)
///     failed | cancelled ──► queued | blocked (somebody retries it)
package enum Transition {
  /// From each state, the states that may follow.
  package static let table: [JobState: Set<JobState>] = [
    .blocked: [.queued, .cancelled],
    .queued: [.running, .paused, .cancelled],
    .running: [.queued, .pausing, .paused, .cancelling, .succeeded, .failed, .cancelled],
    .pausing: [.running, .paused, .cancelling, .succeeded, .failed, .cancelled],
    .paused: [.queued, .cancelled],
    .cancelling: [.cancelled, .succeeded, .failed],
    .failed: [.queued, .blocked],
    .cancelled: [.queued, .blocked],
  ]

  /// Whether the table has the step.
  package static func isLegal(from old: JobState, to new: JobState) -> Bool {
    table[old, default: []].contains(new)
  }
}

/// Why a job is in its state, for programs; the message next to it is for people.
package enum Reason: String, Sendable, CaseIterable {
  /// Somebody cancelled it.
  case userCancelled = "user_cancelled"
  /// Somebody paused it.
  case userPaused = "user_paused"
  /// A job that it needs did not succeed.
  case dependencyFailed = "dependency_failed"
  /// The loss was no longer finite.
  case diverged
  /// Its workers died too often without a new checkpoint in between.
  case crashLoop = "crash_loop"
  /// Too little space is left for checkpoints and events; the job goes on by itself when there is more.
  case diskFull = "disk_full"
  /// Too little memory is free for it; it is tried again after a while.
  case outOfMemory = "out_of_memory"
  /// The machine was short of descriptors, processes, threads or memory when its worker was started; it is
  /// tried again after a while.
  case shortage
  /// A dataset or checkpoint was missing or damaged when it was needed.
  case badInput = "bad_input"
  /// The dataset is not what it was when the job was queued or started first.
  case datasetChanged = "dataset_changed"
  /// The worker ended with an error of its own.
  case workerError = "worker_error"
  /// The worker is gone without an `end`; the job goes on from its last checkpoint.
  case workerDied = "worker_died"
  /// The worker gave no sign of life for too long and was killed; the job goes on as after a death.
  case stalled
  /// It has run for longer than its `max_duration`.
  case maxDuration = "max_duration"
  /// The worker wrote a checkpoint and left because it was told to; the job goes on from there.
  case yielded

  /// Whether another attempt may do better, if the job has attempts left.
  package var isWorthRetrying: Bool { self == .workerError || self == .crashLoop }
}

/// Who brought a job into its state.
package enum Actor: String, Sendable, CaseIterable {
  /// A request.
  case user
  /// The worker, by its last line.
  case worker
  /// The daemon, by itself.
  case daemon
}

/// How a running job is to be ended.
package enum CancelMode: String, Sendable, CaseIterable {
  /// After the current step, with a checkpoint.
  case graceful
  /// At once, without a checkpoint.
  case now
}
