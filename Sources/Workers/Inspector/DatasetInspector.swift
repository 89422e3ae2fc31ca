import Datasets
import JSONText
import Logging
import Platform
import Recipe
import SharedWork
import Text

/// Looks at datasets in processes of their own, so that no file of a dataset is ever read in the daemon's,
/// and keeps what was found as long as the files are the same.
///
/// Two processes run at a time at most: one for sizes, which lists show, and one for contents, which reads
/// every image.
package final class DatasetInspector: Sendable {
  /// How a process is started, and what it may take.
  package struct Configuration: Sendable {
    package var program: String
    /// Before those of one look: bytes of memory, seconds of processor time, what to look at, and the name.
    package var arguments: [String]
    package var environment: [String: String]
    /// Longest time of one process.
    package var seconds: Int
    /// Most memory of one process.
    package var memoryBytes: Int

    package init(
      program: String, arguments: [String], environment: [String: String], seconds: Int, memoryBytes: Int
    ) {
      self.program = program
      self.arguments = arguments
      self.environment = environment
      self.seconds = seconds
      self.memoryBytes = memoryBytes
    }
  }

  private typealias Work = SharedWork<ByteString, [ByteString], DatasetFinding>

  private let configuration: Configuration
  private let catalog: DatasetCatalog
  private let layouts: Work
  private let contents: Work
  private let log = Log("datasets")

  /// Bytes that a process may print.
  private static let outputBytesMax = 1 << 18
  /// What is found is kept of this many datasets, in as many bytes.
  private static let keptMax = 1_000
  private static let keptBytesMax = 4 << 20
  /// Looks that wait for another to end.
  private static let waitingMax = 32
  /// How long it counts that a dataset could not be used, while its files are the same.
  private static let problemMilliseconds = 5_000
  /// As that, where the process was at one of its limits.
  private static let limitMilliseconds = 300_000

  /// - Parameter catalog: finds where a name leads; it opens nothing here.
  package init(_ configuration: Configuration, catalog: DatasetCatalog) {
    self.configuration = configuration
    self.catalog = catalog
    let limits = Work.Limits(
      threads: 1, waitingMax: Self.waitingMax, keptMax: Self.keptMax, keptBytesMax: Self.keptBytesMax)
    layouts = Work(name: "dataset-layout", limits: limits)
    contents = Work(name: "dataset-contents", limits: limits)
  }

  /// What is known of a dataset, or will be. Returns at once: only names and sizes of files are read.
  package func look(_ name: String, _ depth: DatasetDepth) -> Asked<DatasetFinding> {
    do {
      if depth != .statistics, let description = try catalog.generated(name) {
        return .known(.success(DatasetReport(description)))
      }
      let source = try catalog.locate(name)
      return (depth == .layout ? layouts : contents).ask(source.name, stamp: source.files) { [self] in
        result(name, source, depth)
      }
    } catch {
      return .known(.failure(DatasetProblem(error)))
    }
  }

  private func result(
    _ name: String, _ source: DatasetCatalog.Source, _ depth: DatasetDepth
  ) -> Work.Result {
    let (finding, isAtLimit) = inspect(name, depth)
    // Files that have changed meanwhile may be what was found, or not.
    let isSame = (try? catalog.locate(name)) == source
    let bytes = source.name.count + source.files.reduce(256) { $0 + $1.count }
    switch finding {
    case .success(let report):
      let size = report.classes.reduce(bytes) { $0 + $1.utf8.count + 32 }
      return Work.Result(finding, bytes: size, keptMilliseconds: isSame ? nil : 0)
    case .failure(let problem):
      let milliseconds = isAtLimit ? Self.limitMilliseconds : Self.problemMilliseconds
      return Work.Result(
        finding, bytes: bytes + problem.description.utf8.count, keptMilliseconds: isSame ? milliseconds : 0)
    }
  }

  /// Has a process look.
  private func inspect(_ name: String, _ depth: DatasetDepth) -> (DatasetFinding, isAtLimit: Bool) {
    let seconds = configuration.seconds
    let arguments = [
      "\(configuration.memoryBytes)", "\(seconds)", depth == .layout ? "layout" : "contents", name,
    ]
    do {
      let output = try ProcessOutput(
        of: configuration.program, configuration.arguments + arguments,
        environment: configuration.environment, milliseconds: seconds * 1000, bytesMax: Self.outputBytesMax)
      switch output.ending {
      case .ended(.exited(code: 0)):
        // What is no JSON is no finding.
        if let json = try? JSON.parse(output.bytes), let finding = finding(of: json) {
          return (finding, false)
        }
        return unusable("the process that looked at it gave no answer")
      case .ended(let ending):
        return unusable(
          "the process that looked at it \(ending); it may take \(configuration.memoryBytes >> 20) MiB of "
            + "memory (--inspection-mib)")
      case .overTime:
        return unusable("looking at it took longer than \(seconds) s (--inspection-seconds)")
      case .overSize: return unusable("its description is over \(Self.outputBytesMax) bytes")
      }
    } catch {
      log.error("\(error)")
      return (.failure(DatasetProblem(.unusable, "the dataset cannot be looked at: \(error.cause)")), false)
    }
  }

  private func unusable(_ cause: String) -> (DatasetFinding, isAtLimit: Bool) {
    log.warning("a dataset cannot be used: \(cause)")
    return (.failure(DatasetProblem(.unusable, "the dataset cannot be used: \(cause)")), true)
  }
}
