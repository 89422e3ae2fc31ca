import API
import Crypto
import Dispatcher
import JobModel
import Platform
import Synchronization
import Training

/// What the API may ask of the daemon: the dispatcher, and what the machine can bear.
final class DaemonControl: JobControl {
  private let dispatcher: Dispatcher
  private let memory: TrainingMemory
  private let machineBytes = MachineMemory.totalBytes ?? .max

  init(dispatcher: Dispatcher, memory: TrainingMemory) {
    self.dispatcher = dispatcher
    self.memory = memory
  }

  func wake() { dispatcher.wake() }

  var refusal: String? { dispatcher.refusal }

  func memoryNeed(of specification: JobSpecification, imageCount: Int) -> MemoryNeed? {
    guard let bytes = memory.bytes(specification, imageCount: imageCount) else { return nil }
    return MemoryNeed(bytes: bytes, machineBytes: machineBytes)
  }
}

/// Estimates of trainings' memory, each computed once.
final class TrainingMemory: Sendable {
  private let threads: Int
  /// By the digest of what they were computed from, which may be a long text.
  private let known = Mutex<[[UInt8]: Int]>([:])

  /// Estimates that are kept.
  private static let knownMax = 1_000
  /// Images are 32 × 32 or smaller.
  private static let imageSide = 32

  /// - Parameter threads: of each worker.
  init(threads: Int) { self.threads = threads }

  /// As below, for the dataset as it was seen last: the dispatcher's thread asks, which must not
  /// wait for files.
  func bytes(_ specification: JobSpecification, in directory: CatalogDirectory) -> Int? {
    guard case .train(let training) = specification,
      // A dataset that cannot be used is refused by the worker, with the reason.
      let count = directory.lastKnownCount(training.dataset.name.string, training.dataset.split)
    else { return nil }
    return bytes(specification, imageCount: count)
  }

  /// Bytes that the job's process will take at most; `nil` for evaluations, and where it cannot be told.
  func bytes(_ specification: JobSpecification, imageCount: Int) -> Int? {
    guard case .train(var training) = specification else { return nil }
    // What has no bearing on memory must not make one estimate two.
    training.seed = 0
    training.optimizer.learningRate = 1
    training.epochs = 1
    let key = SHA256.digest(of: Array("\(imageCount) \(training.json.text)".utf8))
    if let bytes = known.withLock({ $0[key] }) { return bytes }
    // A network that cannot be planned is refused by its worker, with the reason.
    let bytes = try? MemoryEstimate.bytes(
      training, imageCount: imageCount, imageSide: Self.imageSide, threads: threads)
    known.withLock {
      if $0.count >= Self.knownMax { $0 = [:] }
      $0[key] = bytes
    }
    return bytes
  }
}
