import Crypto
import JSONText
import Platform
import Recipe

/// `DATA/runs/<job id>/`: everything that daemon and worker say to each other.
///
/// | file | written by | what |
/// |---|---|---|
/// | `spec.json` | daemon, once per attempt | what to run (`RunSpec`) |
/// | `lock` | worker, for its whole life | held = alive; its attempt's age at each sign of life (`RunLock`) |
/// | `events.jsonl` | worker | whole lines (`WorkerEvent`) |
/// | `convolutions.json` | worker, before step 1 | how each layer is computed; later attempts keep it |
/// | `inputs.json` | worker, at its first start | dataset and checkpoint (`RunInputs`); later ones compare |
/// | `checkpoints/` | worker | `CheckpointFolder` |
/// | `artifacts/` | worker | `ArtifactFolder` |
/// | `captures/` | worker, after a step that is not finite | `CaptureFolder` |
/// | `log.txt`, `log.1.txt` | worker's outputs | for people; the older one once the other is too long |
package struct RunFolder: Sendable {
  package let path: String

  /// Code by which a worker exits that had no space for its last line (`EX_TEMPFAIL` of sysexits.h).
  package static let diskFullExitCode: Int32 = 75
  /// Code by which a worker exits that could not begin because the machine was short of descriptors, threads
  /// or memory (`EX_OSERR` of sysexits.h).
  package static let shortageExitCode: Int32 = 71

  /// Names a folder; nothing is touched.
  package init(_ path: String) { self.path = path }

  /// The folder of a job below a data folder.
  package init(data: String, job: JobID) { self.init("\(RunFolder.root(data: data))/\(job)") }

  /// The folder of all runs below a data folder.
  package static func root(data: String) -> String { "\(data)/runs" }

  package var specPath: String { "\(path)/spec.json" }
  package var convolutionsPath: String { "\(path)/convolutions.json" }
  package var lockPath: String { "\(path)/lock" }
  package var eventsPath: String { "\(path)/events.jsonl" }
  package var logPath: String { "\(path)/log.txt" }
  /// What stood in the log before it grew too long.
  package var olderLogPath: String { "\(path)/log.1.txt" }
  package var artifacts: ArtifactFolder { ArtifactFolder("\(path)/artifacts") }
  package var captures: CaptureFolder { CaptureFolder("\(path)/captures") }
  /// What people are told about a step that is kept.
  package var replayHint: String {
    "\"vicregd replay \(path)\" repeats the step and names the first layer that is not finite"
  }
  package var checkpoints: CheckpointFolder { CheckpointFolder("\(path)/checkpoints") }

  /// Makes the folder and the one for its checkpoints.
  package func create() throws(SystemError) { try FileSystem.makeDirectories(checkpoints.path) }

  /// Removes everything.
  package func remove() throws(SystemError) { try FileSystem.removeTree(path) }

  /// Replaces `spec.json`, whole and durable.
  package func writeSpec(_ spec: RunSpec) throws(SystemError) {
    try AtomicFile.write(spec.json.utf8, to: specPath)
  }

  /// Reads `spec.json`.
  ///
  /// - Throws: `RunFolderError`.
  package func readSpec() throws(RunFolderError) -> RunSpec {
    do {
      return try RunSpec(json: JSON.parse(File.content(of: specPath, .runSpecification)))
    } catch {
      throw RunFolderError(
        operation: "read", subject: specPath, cause: "\(error)", system: error as? SystemError)
    }
  }

  /// Records how each layer is computed, durable when this returns.
  package func writeConvolutions(_ record: JSON) throws(SystemError) {
    try AtomicFile.write(record.utf8, to: convolutionsPath)
  }

  /// Reads how each layer is computed; `nil` before an attempt has recorded it.
  ///
  /// - Throws: `RunFolderError`.
  package func readConvolutions() throws(RunFolderError) -> JSON? {
    guard FileSystem.exists(convolutionsPath) else { return nil }
    do {
      return try JSON.parse(File.content(of: convolutionsPath, .convolutionRecord))
    } catch {
      throw RunFolderError(
        operation: "read", subject: convolutionsPath, cause: "\(error)", system: error as? SystemError)
    }
  }

  /// Whether a worker is alive in this folder.
  package func isAlive() throws(SystemError) -> Bool { try FileLock.isHeld(lockPath) }

  /// The last complete line as an event; `nil` if there is none or it is no event.
  package func lastEvent() throws(SystemError) -> WorkerEvent? {
    // A line that is no JSON is no event.
    try EventTail.lastLine(of: eventsPath).flatMap { try? JSON.parse($0) }.flatMap(WorkerEvent.init(json:))
  }

  /// Removes what writers that were killed left unfinished. To be called by the holder of the lock.
  package func removeLeftovers() throws(SystemError) {
    for folder in [path, checkpoints.path, captures.path, artifacts.path] where FileSystem.isDirectory(folder)
    {
      for name in try FileSystem.list(folder) where AtomicFile.isTemporary(name) {
        try FileSystem.remove("\(folder)/\(name)")
      }
    }
  }

  /// For how many milliseconds an attempt had run at its worker's last sign of life; `nil` if that was the
  /// sign of another attempt, or there was none.
  package func ageMilliseconds(ofAttempt attempt: Int) -> Int? { RunLock.age(self, attempt: attempt) }

  /// The SHA-256 of a file in hexadecimal. Reads all of it; a link is refused.
  package static func sha256(of path: String) throws(SystemError) -> String {
    try SHA256.hexadecimal(of: File(path, .read, links: .refused))
  }

  /// The process id of the last worker in this folder.
  package var workerID: Int32? { FileLock.owner(lockPath) }
}

/// A run folder that is not as it should be.
package struct RunFolderError: Error, CustomStringConvertible {
  package let operation: String
  package let subject: String
  package let cause: String
  /// The failed system call behind it; `nil`: there is none.
  package let system: SystemError?

  package init(operation: String, subject: String, cause: String, system: SystemError? = nil) {
    self.operation = operation
    self.subject = subject
    self.cause = cause
    self.system = system
  }

  package var description: String { "cannot \(operation) \(subject): \(cause)" }
}
