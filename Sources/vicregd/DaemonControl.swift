import API
import Datasets
import Dispatcher
import JobModel
import Platform
import Synchronization
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

  func memoryNeed(of specification: JobSpecification) -> MemoryNeed? {
    guard let bytes = memory.bytes(specification) else { return nil }
    return MemoryNeed(bytes: bytes, machineBytes: machineBytes)
  }
}

/// Estimates of jobs' memory, each computed once.
final class JobMemory: Sendable {
  private let threads: Int
  private let catalog: DatasetCatalog
  /// What a job trains; `nil`: it is no training, or cannot be told.
  private let training: @Sendable (JobID) -> TrainSpecification?
  private let known = Mutex<[String: Int]>([:])

  /// Estimates that are kept.
  private static let knownMax = 1_000

  /// - Parameter threads: of each worker.
  init(
    threads: Int, catalog: DatasetCatalog, training: @escaping @Sendable (JobID) -> TrainSpecification?
  ) {
    self.threads = threads
    self.catalog = catalog
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

  private func bytes(_ specification: TrainSpecification) throws -> Int {
    var training = specification
    // What has no bearing on memory must not make one estimate two.
    training.seed = 0
    training.optimizer.learningRate = 1
    training.epochs = 1
    let images = try images(training.dataset.name, .init(training.dataset.split))
    return try remembered("\(images) \(training.json.text)") {
      try MemoryEstimate.bytes(training: training, images: images, threads: threads)
    }
  }

  private func bytes(_ specification: EvaluateSpecification) throws -> Int? {
    guard let training = training(specification.checkpoint.job) else { return nil }
    let name = specification.dataset.name
    let (train, test) = (try images(name, .train), try images(name, .test))
    let classes = try catalog.extent(name).classes
    return try remembered("\(train) \(test) \(specification.json.text) \(training.json.text)") {
      try MemoryEstimate.bytes(
        evaluation: specification, of: training, train: train, test: test, classes: classes,
        threads: threads)
    }
  }

  private func images(_ name: String, _ split: ImageDataset.Split) throws -> MemoryEstimate.Images {
    let extent = try catalog.extent(name)
    return MemoryEstimate.Images(
      count: try catalog.counts(name)[split] ?? 0, side: extent.side, planes: extent.planes)
  }

  private func remembered(_ key: String, _ compute: () throws -> Int) rethrows -> Int {
    if let bytes = known.withLock({ $0[key] }) { return bytes }
    let bytes = try compute()
    known.withLock {
      if $0.count >= Self.knownMax { $0 = [:] }
      $0[key] = bytes
    }
    return bytes
  }
}
