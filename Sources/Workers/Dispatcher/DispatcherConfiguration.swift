import JobModel

/// How workers are started and how long is waited for them.
package struct DispatcherConfiguration: Sendable {
  /// The data folder; runs are in `runs/` below it.
  package var dataPath: String
  /// The program of a worker and the arguments before its run folder.
  package var program: String
  package var arguments: [String]
  /// The variables that workers are given; `nil`: this process's own.
  package var environment: [String: String]?
  /// Workers at the same time, ≥ 1.
  package var workers: Int
  /// Threads of each worker's engine, ≥ 1.
  package var threadsPerWorker: Int
  /// How often the files of running jobs are looked at; with no job running nothing is.
  package var pollMilliseconds = 20
  /// How often the locks of adopted workers are tried.
  package var lockPollMilliseconds = 200
  /// After how long the store is asked again when it has refused something.
  package var retryMilliseconds = 1_000
  /// How long a worker may take to end after an immediate cancel, or after its last line, before it is
  /// killed.
  package var killGraceMilliseconds = 5_000
  /// How long workers may take to write a checkpoint and leave when the daemon stops.
  package var shutdownGraceMilliseconds = 20_000
  /// How often space, time limits and signs of life are looked at.
  package var slowLookMilliseconds = 1_000
  /// A worker that gives no sign of life for so long is killed; 0: never.
  package var stallMilliseconds = 0
  /// Bytes of the data folder's device that are kept free: below, nothing is started and what runs is paused.
  package var reserveBytes = 0
  /// Bytes of memory that a job's worker will take at most; `nil`: unknown.
  package var memoryBytes: @Sendable (JobSpecification) -> Int? = { _ in nil }
  /// How long a job waits that there is no memory for now.
  package var memoryWaitMilliseconds = 15_000
  /// So many deaths of a job's workers without a new checkpoint in between fail it.
  package var crashLimit = 3

  package init(
    dataPath: String, program: String, arguments: [String], workers: Int, threadsPerWorker: Int
  ) {
    self.dataPath = dataPath
    self.program = program
    self.arguments = arguments
    self.workers = workers
    self.threadsPerWorker = threadsPerWorker
  }
}
