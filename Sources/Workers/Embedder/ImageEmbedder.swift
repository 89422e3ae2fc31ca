import JSONText
import Logging
import Platform
import RunFolder
import SharedWork
import Synchronization
import Text

/// Describes images by trained encoders in processes of their own: no image is decoded and no checkpoint read
/// in the daemon's process. An encoder that has been used is kept ready for a while.
///
/// The features of whole datasets, among which neighbours are looked for, are computed once by a process of
/// its own and kept as files, the newest ones.
package final class ImageEmbedder: Sendable {
  /// How processes are started, and what may be kept.
  package struct Configuration: Sendable {
    package var program: String
    /// Before those of one encoder.
    package var arguments: [String]
    /// Before those of one dataset.
    package var datasetArguments: [String]
    package var environment: [String: String]
    /// Threads of one process.
    package var threads: Int
    /// Encoders that are kept, each in a process.
    package var processesMax: Int
    /// Seconds after which an encoder that nobody used is dropped.
    package var idleSeconds: Int
    /// Longest time of one answer.
    package var seconds: Int
    /// Longest time in which the features of a dataset are computed.
    package var datasetSeconds: Int
    /// Most memory of one process that keeps an encoder.
    package var memoryBytes: Int
    /// Where features of datasets lie; it belongs to the embedder alone.
    package var folder: String
    /// Bytes of these files; the newest is kept whatever its size is.
    package var folderBytesMax: Int

    package init(
      program: String, arguments: [String], datasetArguments: [String], environment: [String: String],
      threads: Int, processesMax: Int, idleSeconds: Int, seconds: Int, datasetSeconds: Int, memoryBytes: Int,
      folder: String, folderBytesMax: Int
    ) {
      self.program = program
      self.arguments = arguments
      self.datasetArguments = datasetArguments
      self.environment = environment
      self.threads = threads
      self.processesMax = processesMax
      self.idleSeconds = idleSeconds
      self.seconds = seconds
      self.datasetSeconds = datasetSeconds
      self.memoryBytes = memoryBytes
      self.folder = folder
      self.folderBytesMax = folderBytesMax
    }
  }

  private let configuration: Configuration
  /// Requests, each by its number.
  private let requests: SharedWork<Int, Int, EmbedFinding>
  private let banks: FeatureBanks
  private let pool: EncoderPool
  private let lastRequest = Atomic<Int>(0)
  private let log = Log("embed")

  /// Requests that wait for another to end.
  private static let waitingMax = 64

  /// - Throws: `SystemError` if the folder cannot be made.
  package init(_ configuration: Configuration) throws(SystemError) {
    self.configuration = configuration
    requests = SharedWork(
      name: "embed",
      limits: .init(
        threads: configuration.processesMax, waitingMax: Self.waitingMax, keptMax: 1, keptBytesMax: 1 << 10))
    pool = EncoderPool(
      processesMax: configuration.processesMax, idleSeconds: configuration.idleSeconds, log: log)
    banks = try FeatureBanks(configuration, log: log)
  }

  /// What an encoder says of images, or that it will.
  ///
  /// - Parameter content: is kept until the images have been read.
  package func embed(_ order: EmbedOrder, keeping content: any AnyObject & Sendable) -> Asked<EmbedFinding> {
    let number = lastRequest.add(1, ordering: .relaxed).newValue
    return requests.ask(number, stamp: number) { [self] in
      let finding = answer(order)
      if case .failure(let problem) = finding, problem.kind != .images { log.warning("\(problem)") }
      withExtendedLifetime(content) {}
      return .init(finding, bytes: 0, keptMilliseconds: 0)
    }
  }

  /// The file with the features of a dataset, or that it will be made.
  package func bank(_ order: BankOrder) -> Asked<BankFinding> { banks.bank(order) }

  /// Ends the processes that keep encoders.
  package func close() { pool.close() }

  private func answer(_ order: EmbedOrder) -> EmbedFinding {
    let deadline = SystemClock.monotonicNanoseconds + UInt64(configuration.seconds) * 1_000_000_000
    var process = pool.take(order.encoder)
    defer { pool.give(process) }
    do throws(OrderProblem) {
      if let kept = process {
        do throws(OrderProblem) {
          return .success(try kept.ask(order, until: deadline))
        } catch {
          // A process that was kept may have ended before these images came, which cannot be told from one
          // that ended over them: a new one decides.
          guard kept.isGone, error.kind == .failed else { throw error }
          log.info("\(error); a new one is asked")
        }
      }
      let new = try EmbedderProcess(order.encoder, configuration, until: deadline)
      process = new
      return .success(try new.ask(order, until: deadline))
    } catch {
      return .failure(error)
    }
  }
}
