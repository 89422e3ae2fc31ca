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
/// Three processes run at a time at most: one for sizes, which lists show, one for contents, which reads
/// every image, and one that draws pictures.
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
  private let pictures: SharedWork<PictureOrder, [ByteString], PictureFinding>
  private let log = Log("datasets")

  /// Bytes that a process may print.
  private static let outputBytesMax = 1 << 18
  /// What is found is kept of this many datasets, in as many bytes.
  private static let keptMax = 1_000
  private static let keptBytesMax = 4 << 20
  /// Bytes of the largest picture.
  private static let pictureBytesMax = 64 << 20
  /// Bytes of the pictures that are kept.
  private static let keptPictureBytesMax = 16 << 20
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
    pictures = SharedWork(
      name: "dataset-pictures",
      limits: .init(
        threads: 1, waitingMax: Self.waitingMax, keptMax: Self.keptMax, keptBytesMax: Self.keptPictureBytesMax
      ))
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

  /// Images of a dataset on one sheet as a PNG, or that they will be drawn; `nil`: there is no such image.
  package func picture(
    _ name: String, _ split: DatasetSelection.Split, _ choice: PictureChoice
  ) -> Asked<PictureFinding> {
    let order = PictureOrder(name: name, split: split, choice: choice)
    do {
      let source = try catalog.locate(name)
      return pictures.ask(order, stamp: source.files) { [self] in
        let bytes = 512 + name.utf8.count
        switch output(order.arguments, bytesMax: Self.pictureBytesMax) {
        case .failure(let failure):
          return .init(.failure(failure.problem), bytes: bytes, keptMilliseconds: failure.milliseconds)
        case .success(let output):
          let finding = order.finding(output)
          let isDrawn = if case .success = finding { true } else { false }
          return .init(
            finding, bytes: bytes + output.count, keptMilliseconds: isDrawn ? nil : Self.problemMilliseconds)
        }
      }
    } catch {
      return .known(.failure(DatasetProblem(error)))
    }
  }

  private func result(
    _ name: String, _ source: DatasetCatalog.Source, _ depth: DatasetDepth
  ) -> Work.Result {
    let (finding, milliseconds) = inspect(name, depth)
    // Files that have changed meanwhile may be what was found, or not.
    let isSame = (try? catalog.locate(name)) == source
    let bytes = source.name.count + source.files.reduce(256) { $0 + $1.count }
    switch finding {
    case .success(let report):
      let size = report.classes.reduce(bytes) { $0 + $1.utf8.count + 32 }
      return Work.Result(finding, bytes: size, keptMilliseconds: isSame ? nil : 0)
    case .failure(let problem):
      return Work.Result(
        finding, bytes: bytes + problem.description.utf8.count, keptMilliseconds: isSame ? milliseconds : 0)
    }
  }

  /// Has a process look; for how long it counts where that gave a problem.
  private func inspect(_ name: String, _ depth: DatasetDepth) -> (DatasetFinding, milliseconds: Int) {
    switch output([depth == .layout ? "layout" : "contents", name], bytesMax: Self.outputBytesMax) {
    case .failure(let failure): return (.failure(failure.problem), failure.milliseconds)
    case .success(let output):
      // What is no JSON is no finding.
      if let json = try? JSON.parse(output), let finding = finding(of: json) {
        return (finding, Self.problemMilliseconds)
      }
      let failure = unusable("the process that looked at it gave no answer")
      return (.failure(failure.problem), failure.milliseconds)
    }
  }

  /// Why a process has given no answer, and for how long that counts.
  private struct Failure: Error {
    let problem: DatasetProblem
    let milliseconds: Int
  }

  /// What a process prints.
  private func output(_ what: [String], bytesMax: Int) -> Result<[UInt8], Failure> {
    let seconds = configuration.seconds
    let arguments = ["\(configuration.memoryBytes)", "\(seconds)"] + what
    do {
      let output = try ProcessOutput(
        of: configuration.program, configuration.arguments + arguments,
        environment: configuration.environment, milliseconds: seconds * 1000, bytesMax: bytesMax)
      switch output.ending {
      case .ended(.exited(code: 0)): return .success(output.bytes)
      case .ended(let ending):
        return .failure(
          unusable(
            "the process that looked at it \(ending); it may take \(configuration.memoryBytes >> 20) MiB of "
              + "memory (--inspection-mib)"))
      case .overTime:
        return .failure(unusable("looking at it took longer than \(seconds) s (--inspection-seconds)"))
      case .overSize: return .failure(unusable("what was found is over \(bytesMax) bytes"))
      }
    } catch {
      log.error("\(error)")
      let problem = DatasetProblem(.unusable, "the dataset cannot be looked at: \(error.cause)")
      return .failure(Failure(problem: problem, milliseconds: Self.problemMilliseconds))
    }
  }

  private func unusable(_ cause: String) -> Failure {
    log.warning("a dataset cannot be used: \(cause)")
    return Failure(
      problem: DatasetProblem(.unusable, "the dataset cannot be used: \(cause)"),
      milliseconds: Self.limitMilliseconds)
  }
}
