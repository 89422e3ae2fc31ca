import JobModel
import Platform

/// `DATA/runs/<job id>/`: everything that daemon and worker say to each other.
///
/// | file | written by | what |
/// |---|---|---|
/// | `spec.json` | daemon, once per attempt | what to run (`RunSpec`) |
/// | `lock` | worker, for its whole life | held = alive (`RunLock`) |
/// | `events.jsonl` | worker | whole lines (`WorkerEvent`) |
/// | `checkpoints/` | worker | `CheckpointFolder` |
/// | `log.txt` | worker's outputs | for people |
package struct RunFolder: Sendable {
  package let path: String

  /// Names a folder; nothing is touched.
  package init(_ path: String) { self.path = path }

  /// The folder of a job below a data folder.
  package init(data: String, job: JobID) { self.init("\(RunFolder.root(data: data))/\(job)") }

  /// The folder of all runs below a data folder.
  package static func root(data: String) -> String { "\(data)/runs" }

  package var specPath: String { "\(path)/spec.json" }
  package var lockPath: String { "\(path)/lock" }
  package var eventsPath: String { "\(path)/events.jsonl" }
  package var logPath: String { "\(path)/log.txt" }
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
      return try RunSpec(json: JSON.parse(File(specPath, .read).readAll()))
    } catch {
      throw RunFolderError(operation: "read", subject: specPath, cause: "\(error)")
    }
  }

  /// Whether a worker is alive in this folder.
  package func isAlive() throws(SystemError) -> Bool { try FileLock.isHeld(lockPath) }

  /// The last complete line as an event; `nil` if there is none or it is no event.
  package func lastEvent() throws(RunFolderError) -> WorkerEvent? {
    var tail = EventTail(path: eventsPath)
    var last: EventTail.Line?
    while let line = try tail.next().last { last = line }
    // A line that is no JSON is no event.
    return last.flatMap { try? JSON.parse($0.bytes) }.flatMap(WorkerEvent.init(json:))
  }

  /// The process id of the last worker in this folder.
  package var workerID: Int32? { FileLock.owner(lockPath) }
}

/// A run folder that is not as it should be.
package struct RunFolderError: Error, CustomStringConvertible {
  package let operation: String
  package let subject: String
  package let cause: String

  package init(operation: String, subject: String, cause: String) {
    self.operation = operation
    self.subject = subject
    self.cause = cause
  }

  package var description: String { "cannot \(operation) \(subject): \(cause)" }
}
