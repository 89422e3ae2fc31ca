import JSONText
import Logging
import Platform
import Recipe
import RunFolder
import SharedWork
import Text

/// Makes files of checkpoints in processes of their own, one at a time, and keeps the newest of them: a
/// checkpoint is never unpacked in the daemon's process.
///
/// A file is named by its job and the digest of its order, so that the same order finds it again. The folder
/// is emptied at the start.
package final class ModelExporter: Sendable {
  /// How a process is started, and what may be kept.
  package struct Configuration: Sendable {
    package var program: String
    /// Before those of one order.
    package var arguments: [String]
    package var environment: [String: String]
    /// Where the files lie; it belongs to the exporter alone.
    package var folder: String
    /// Longest time of one process.
    package var seconds: Int

    package init(
      program: String, arguments: [String], environment: [String: String], folder: String, seconds: Int
    ) {
      self.program = program
      self.arguments = arguments
      self.environment = environment
      self.folder = folder
      self.seconds = seconds
    }
  }

  private let configuration: Configuration
  private let work: SharedWork<String, String, ExportFinding>
  private let kept: KeptFiles
  private let log = Log("export")

  /// Bytes that a process may print.
  private static let outputBytesMax = 1 << 16
  /// Orders that wait for another to end.
  private static let waitingMax = 32
  /// Files that are kept, and their bytes; the newest is kept whatever its size is.
  private static let filesMax = 16
  private static let filesBytesMax = 4 << 30

  /// Empties the folder.
  ///
  /// - Throws: `SystemError` if it cannot be made.
  package init(_ configuration: Configuration) throws(SystemError) {
    self.configuration = configuration
    kept = KeptFiles(
      folder: configuration.folder, filesMax: Self.filesMax, bytesMax: Self.filesBytesMax)
    work = SharedWork(
      name: "export",
      limits: .init(threads: 1, waitingMax: Self.waitingMax, keptMax: 1, keptBytesMax: 1 << 10))
    try FileSystem.removeTree(configuration.folder)
    try FileSystem.makeDirectories(configuration.folder)
  }

  /// The file of an order, or that it will be made.
  package func export(_ order: ExportOrder) -> Asked<ExportFinding> {
    let digest = order.digest
    let path = "\(configuration.folder)/\(order.job)-\(digest).\(order.format.rawValue)"
    if let bytes = FileSystem.regularFileSize(path) {
      return .known(.success(ExportedFile(path: path, bytes: bytes)))
    }
    return work.ask(digest, stamp: digest) { [self] in
      let finding = make(order, at: path)
      // What is there is found by its path the next time.
      return .init(finding, bytes: 0, keptMilliseconds: 0)
    }
  }

  /// Removes the files of a job whose run folder is gone. One that is being made goes as soon as it is there.
  package func forget(_ job: JobID) {
    do {
      for name in try FileSystem.list(configuration.folder) where name.hasPrefix("\(job)-") {
        if !AtomicFile.isTemporary(name) { try FileSystem.remove("\(configuration.folder)/\(name)") }
      }
    } catch {
      // The next start empties the folder.
      log.warning("\(error)")
    }
  }

  private func make(_ order: ExportOrder, at path: String) -> ExportFinding {
    // Two may have asked for it one after the other.
    if let bytes = FileSystem.regularFileSize(path) {
      return .success(ExportedFile(path: path, bytes: bytes))
    }
    let finding = run(order, at: path)
    let checkpoints = FileSystem.parent(of: order.checkpointPath)
    if !FileSystem.exists(FileSystem.parent(of: checkpoints)) { forget(order.job) }
    if case .failure(let problem) = finding { log.warning("\(problem)") }
    do {
      try kept.removeOld(except: path)
    } catch {
      log.warning("\(error)")
    }
    return finding
  }

  private func run(_ order: ExportOrder, at path: String) -> ExportFinding {
    let seconds = configuration.seconds
    let what = "the process that makes the file"
    do {
      let output = try ProcessOutput(
        of: configuration.program, configuration.arguments + ["\(seconds)", order.json.text, path],
        environment: configuration.environment, milliseconds: seconds * 1000, bytesMax: Self.outputBytesMax)
      if let failure = output.failure(seconds: seconds) {
        return .failure(OrderProblem(.failed, "\(what) \(failure)"))
      }
      // What is not JSON is not an answer.
      guard let json = try? JSON.parse(output.bytes), let finding = Self.finding(of: json, at: path) else {
        return .failure(OrderProblem(.failed, "\(what) gave no answer"))
      }
      return finding
    } catch {
      return .failure(OrderProblem(.failed, "\(what) cannot be started: \(error.cause)"))
    }
  }

  private static func finding(of json: JSON, at path: String) -> ExportFinding? {
    if let bytes = json["bytes"]?.int { return .success(ExportedFile(path: path, bytes: bytes)) }
    return OrderProblem(json: json).map { .failure($0) }
  }
}
