import JobModel
import JobStore
import Platform
import Recipe
import RunFolder

/// The machine under the dispatcher: processes, run folders, clock and disk. A simulation has another one.
package protocol WorkerHost: Sendable {
  /// Nanoseconds of a clock that never goes back.
  var monotonicNanoseconds: UInt64 { get }
  /// Bytes that may still be written to the data folder; `nil`: unknown.
  var freeBytes: Int? { get }
  /// Bytes of memory that a new worker may take; `nil`: unknown.
  var availableMemoryBytes: Int? { get }

  /// What is too short now to start a worker; `nil`: nothing.
  var launchShortage: SystemError? { get }

  /// Writes what an attempt has to do and starts its worker.
  ///
  /// - Parameters:
  ///   - threads: of the worker's engine.
  ///   - whenGone: told once, by any thread, how the worker ended.
  /// - Throws: `LaunchError` if the job cannot be run, whatever hinders the start otherwise.
  func launch(
    _ job: JobRecord, threads: Int, whenGone: @escaping @Sendable (WorkerEnding) -> Void) throws

  /// Sends a signal to the worker of a job's attempt, if it is alive. Where this daemon has started none for
  /// the job, that is whoever is at work in its run folder.
  func send(_ signal: Signal, to job: JobID, attempt: Int)

  /// Whether a worker is alive for the job, whoever started it.
  ///
  /// - Throws: where that cannot be told now.
  func isAlive(_ job: JobID) throws -> Bool

  /// The attempt that was prepared last; `nil`: none was.
  func preparedAttempt(of job: JobID) -> Int?

  /// Threads of the attempt that was prepared last; `nil`: none was.
  func preparedThreads(of job: JobID) -> Int?

  /// Lines behind a byte of the job's events, and where they end; `nil`: there are none.
  ///
  /// - Throws: `RunFolderError`; `ShortenedError` if the file has fewer bytes.
  func lines(of job: JobID, from offset: Int) throws -> (end: Int, lines: [String])?

  /// The last line of the job's events, if it is an event.
  func lastEvent(of job: JobID) throws -> WorkerEvent?

  /// How long the present attempt of a job has run: until now if its worker is alive, until its last sign of
  /// life if it is dead; `nil`: unknown.
  func ranMilliseconds(of job: JobRecord) -> Int?

  /// Changes whenever the worker shows that it is alive; `nil`: it has not yet.
  func heartbeat(of job: JobID) -> FileTime?
}

/// How a worker process ended.
package struct WorkerEnding: Sendable {
  /// As people read it behind "its worker": `exited with code 1`.
  package let text: String
  /// What it lacked, where it could not write its last line for that: `disk_full` or `shortage`.
  package let lack: Reason?

  package init(_ text: String, lack: Reason? = nil) {
    self.text = text
    self.lack = lack
  }
}

/// Why a job that was claimed cannot be started: it fails with this reason.
package struct LaunchError: Error {
  package let reason: Reason
  package let message: String

  package init(reason: Reason, message: String) {
    self.reason = reason
    self.message = message
  }
}

/// A file of events has fewer bytes than have been read from it.
package struct ShortenedError: Error {
  /// Behind its last complete line.
  package let end: Int

  package init(end: Int) { self.end = end }
}
