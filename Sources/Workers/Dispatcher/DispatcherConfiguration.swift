import JobModel
import JobStore
import Recipe
import Text

/// How workers are started and how long is waited for them.
package struct DispatcherConfiguration: Sendable {
  /// The data folder; runs are in `runs/` below it.
  package var dataPath: String
  /// The program of a worker and the arguments before its run folder.
  package var program: String
  package var arguments: [String]
  /// The variables that workers are given; `nil`: this process's own.
  package var environment: [String: String]?
  /// Workers at the same time, and the threads of their engines.
  package var placement: Placement
  /// How often the files of running jobs are looked at; with no job running nothing is.
  package var pollMilliseconds = 20
  /// How often the locks of adopted workers are tried.
  package var lockPollMilliseconds = 200
  /// After how long the store is asked again when it has refused something; doubled with each refusal in a
  /// row, up to 32 times as long.
  package var retryMilliseconds = 1_000
  /// Tries to read a run's events in a row that may fail before its worker is killed and counted as dead.
  package var followTriesMax = 4
  /// Pause before the second of those tries; doubled with each.
  package var followRetryMilliseconds = 250
  /// How often the events of one attempt may be found shorter than what had been read of them.
  package var rewindsMax = 16
  /// Looks in a row at which the lock of an adopted worker cannot be tried before it counts as gone.
  package var lockTriesMax = 50
  /// An attempt that has lasted this long without any trouble ends the back-off of its job.
  package var healthyMilliseconds = 10_000
  /// Jobs that are claimed in one look at most; the next look follows at once.
  package var claimsPerLook = 16
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
  /// Whether it cannot be told yet what memory a job will take, and will soon be.
  package var isMemoryComing: @Sendable (JobSpecification) -> Bool = { _ in false }
  /// Where the imported dataset lies that a job reads, or will lie that it imports, by its id; `nil`: it has
  /// none. Throws where it is not there.
  package var datasetFolder: @Sendable (JobID, JobSpecification) throws -> String? = { _, _ in nil }
  /// The model of a name, whose file lies in the data folder; `nil`: there is none.
  package var model: @Sendable (ByteString) throws -> ModelRecord? = { _ in nil }
  /// Where the archive lies that was uploaded for an import; `nil`: there is none.
  package var uploadPath: @Sendable (JobID) -> String? = { _ in nil }
  /// How long a job waits that there is no memory for now.
  package var memoryWaitMilliseconds = 15_000
  /// So many deaths of a job's workers without a new checkpoint in between fail it.
  package var crashLimit = 3

  /// Descriptors that are open at the same time while the dispatcher starts a worker or follows one: a file,
  /// the folder that it is renamed in, the worker's log, one of its checkpoints.
  package static let descriptorsPerLaunch = 4

  /// Threads and processes that there have to be for a worker: the thread that waits for its end, its main
  /// thread and the rest of its team, one that makes views, one that writes checkpoints, and those that
  /// compress them.
  package static func threadsPerLaunch(of threadsPerWorker: Int) -> Int { 3 + 2 * threadsPerWorker }

  package init(dataPath: String, program: String, arguments: [String], placement: Placement) {
    self.dataPath = dataPath
    self.program = program
    self.arguments = arguments
    self.placement = placement
  }
}
