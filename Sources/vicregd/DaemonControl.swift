import API
import Crypto
import Datasets
import Dispatcher
import JobModel
import Platform
import Synchronization
import Text
import Training

/// What the API may ask of the daemon: the dispatcher, and what the machine can bear.
final class DaemonControl: JobControl {
  private let dispatcher: Dispatcher
  private let memory: JobMemory
  private let machineBytes = MachineMemory.totalBytes ?? .max

  init(dispatcher: Dispatcher, memory: JobMemory) {
    self.dispatcher = dispatcher
    self.memory = memory
  }

  func wake() { dispatcher.wake() }

  var refusal: String? { dispatcher.refusal }

  var shortage: String? { dispatcher.shortage }

  func memoryNeed(of specification: JobSpecification) -> MemoryNeed? {
    guard let bytes = memory.bytes(specification) else { return nil }
    return MemoryNeed(bytes: bytes, machineBytes: machineBytes)
  }
}

/// Estimates of jobs' memory, each computed once.
final class JobMemory: Sendable {
  private let threads: Int
  private let directory: CatalogDirectory
  /// What a job trains; `nil`: it is no training, or cannot be told.
  private let training: @Sendable (JobID) -> TrainSpecification?
  /// By the digest of what they were computed from, which may be a long text.
  private let known = Mutex<[[UInt8]: Int]>([:])

  /// Estimates that are kept.
  private static let knownMax = 1_000

  /// - Parameters:
  ///   - threads: of each worker.
  ///   - directory: has the sizes of datasets. The dispatcher's thread asks for estimates and must not wait
  ///     for files.
  init(
    threads: Int, directory: CatalogDirectory, training: @escaping @Sendable (JobID) -> TrainSpecification?
  ) {
    self.threads = threads
    self.directory = directory
    self.training = training
  }

  /// Bytes that the job's process will take at most; `nil`: it cannot be told.
  func bytes(_ specification: JobSpecification) -> Int? {
    // What cannot be read or planned is refused by the worker, with the reason.
    switch specification {
    case .train(let training): try? bytes(training)
    case .evaluate(let evaluation): try? bytes(evaluation)
    }
  }

  /// Whether it cannot be told yet, as the dataset has not been looked at since the daemon started, and will
  /// soon be.
  func isComing(_ specification: JobSpecification) -> Bool {
    let name =
      switch specification {
      case .train(let training): training.dataset.name
      case .evaluate(let evaluation): evaluation.dataset.name
      }
    return directory.lastKnownExtent(name) == nil && directory.beginLook(name)
  }

  private func bytes(_ specification: TrainSpecification) throws -> Int? {
    var training = specification
    // What has no bearing on memory must not make one estimate two.
    training.seed = 0
    training.optimizer.learningRate = 1
    training.epochs = 1
    guard let extent = directory.lastKnownExtent(training.dataset.name) else { return nil }
    let images = extent.images(.init(training.dataset.split))
    return try remembered("\(images) \(training.json.text)") {
      try MemoryEstimate.bytes(training: training, images: images, threads: threads)
    }
  }

  private func bytes(_ specification: EvaluateSpecification) throws -> Int? {
    guard let training = training(specification.checkpoint.job),
      let extent = directory.lastKnownExtent(specification.dataset.name)
    else { return nil }
    return try remembered("\(extent) \(specification.json.text) \(training.json.text)") {
      try MemoryEstimate.bytes(
        evaluation: specification, of: training, train: extent.images(.train), test: extent.images(.test),
        classes: extent.classCount, threads: threads)
    }
  }

  private func remembered(_ text: String, _ compute: () throws -> Int) rethrows -> Int {
    let key = SHA256.digest(of: Array(text.utf8))
    if let bytes = known.withLock({ $0[key] }) { return bytes }
    let bytes = try compute()
    known.withLock {
      if $0.count >= Self.knownMax { $0 = [:] }
      $0[key] = bytes
    }
    return bytes
  }
}

extension DatasetExtent {
  /// What an estimate has to know of the images of a split.
  fileprivate func images(_ split: ImageDataset.Split) -> MemoryEstimate.Images {
    MemoryEstimate.Images(count: counts[split] ?? 0, side: side, planes: planes)
  }
}
