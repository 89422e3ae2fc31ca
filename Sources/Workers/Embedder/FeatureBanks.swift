import JSONText
import Logging
import Platform
import RunFolder
import SharedWork

/// The files with the features of datasets, each made once by a process of its own and named by the digest of
/// its order, so that the same order finds it again, also after a restart.
final class FeatureBanks: Sendable {
  private let configuration: ImageEmbedder.Configuration
  private let work: SharedWork<String, String, BankFinding>
  private let kept: KeptFiles
  private let log: Log

  /// Orders that wait for another to end.
  private static let waitingMax = 32
  /// Bytes that a process may print.
  private static let outputBytesMax = 1 << 16
  private static let suffix = ".features"

  /// Removes what a process left that was killed.
  ///
  /// - Throws: `SystemError` if the folder cannot be made.
  init(_ configuration: ImageEmbedder.Configuration, log: Log) throws(SystemError) {
    self.configuration = configuration
    kept = KeptFiles(folder: configuration.folder, bytesMax: configuration.folderBytesMax)
    self.log = log
    work = SharedWork(
      name: "embed-dataset",
      limits: .init(threads: 1, waitingMax: Self.waitingMax, keptMax: 1, keptBytesMax: 1 << 10))
    try FileSystem.makeDirectories(configuration.folder)
    for name in try FileSystem.list(configuration.folder) where !name.hasSuffix(Self.suffix) {
      try FileSystem.removeTree("\(configuration.folder)/\(name)")
    }
  }

  /// The file of an order, or that it will be made.
  func bank(_ order: BankOrder) -> Asked<BankFinding> {
    let digest = order.digest
    let path = "\(configuration.folder)/\(digest)\(Self.suffix)"
    if FileSystem.regularFileSize(path) != nil { return .known(.success(path)) }
    return work.ask(digest, stamp: digest) { [self] in
      let finding = make(order, at: path)
      // What is there is found by its path the next time.
      return .init(finding, bytes: 0, keptMilliseconds: 0)
    }
  }

  private func make(_ order: BankOrder, at path: String) -> BankFinding {
    // Two may have asked for it one after the other.
    if FileSystem.regularFileSize(path) != nil { return .success(path) }
    let finding = run(order, at: path)
    if case .failure(let problem) = finding { log.warning("\(problem)") }
    do {
      try kept.removeOld(except: path)
    } catch {
      log.warning("\(error)")
    }
    return finding
  }

  private func run(_ order: BankOrder, at path: String) -> BankFinding {
    let seconds = configuration.datasetSeconds
    let what = "the process that embeds the dataset"
    do {
      let output = try ProcessOutput(
        of: configuration.program,
        configuration.datasetArguments + ["\(configuration.threads)", order.json.text, path],
        environment: configuration.environment, milliseconds: seconds * 1000, bytesMax: Self.outputBytesMax)
      if let failure = output.failure(seconds: seconds) {
        return .failure(OrderProblem(.failed, "\(what) \(failure)"))
      }
      // What is not JSON is not an answer.
      let json = try? JSON.parse(output.bytes)
      if json?["path"] != nil, FileSystem.regularFileSize(path) != nil { return .success(path) }
      return .failure(
        json.flatMap(OrderProblem.init(json:)) ?? OrderProblem(.failed, "\(what) gave no answer"))
    } catch {
      return .failure(OrderProblem(.failed, "\(what) cannot be started: \(error.cause)"))
    }
  }
}
