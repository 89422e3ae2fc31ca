import API
import Crypto
import Datasets
import Dispatcher
import JobModel
import Platform
import Recipe
import Synchronization
import Text
import Training

/// What the API may ask of the daemon: the dispatcher, and what the machine can bear.
final class DaemonControl: JobControl {
  private let dispatcher: Dispatcher
  private let costs: JobCosts
  let machineMemoryBytes = MachineMemory.totalBytes

  init(dispatcher: Dispatcher, costs: JobCosts) {
    self.dispatcher = dispatcher
    self.costs = costs
  }

  func wake() { dispatcher.wake() }

  var refusal: String? { dispatcher.refusal }

  var shortage: String? { dispatcher.shortage }

  func cost(of specification: JobSpecification, training: TrainSpecification?) -> JobCost {
    costs.cost(of: specification, training: training)
  }
}

/// What jobs will take; what has to be planned for it is planned once.
final class JobCosts: Sendable {
  private let threads: Int
  private let directory: CatalogDirectory
  /// What a job trains; `nil`: it is not a training, or cannot be told.
  private let training: @Sendable (JobID) -> TrainSpecification?
  /// The model of a name; `nil`: there is none, or it cannot be told.
  private let model: @Sendable (ByteString) -> ModelDescription?
  /// What the trainings of the store are, by their ids: a job's specification never changes.
  private let stored = Plans<JobID, TrainSpecification>()
  private let trainings = Plans<[UInt8], TrainingCost>()
  private let evaluations = Plans<Planned<EvaluateSpecification>, JobCost>()
  private let embeddings = Plans<Planned<EmbedSpecification>, JobCost>()

  /// - Parameters:
  ///   - threads: of each worker.
  ///   - directory: has the sizes of datasets. The dispatcher's thread asks for estimates and must not wait
  ///     for files.
  init(
    threads: Int, directory: CatalogDirectory, training: @escaping @Sendable (JobID) -> TrainSpecification?,
    model: @escaping @Sendable (ByteString) -> ModelDescription?
  ) {
    self.model = model
    self.threads = threads
    self.directory = directory
    self.training = training
  }

  /// What is known of the job; all `nil` where it cannot be told.
  ///
  /// - Parameter training: what the checkpoint of an evaluation is trained by, where its job is not in the
  ///   store yet.
  func cost(of specification: JobSpecification, training: TrainSpecification? = nil) -> JobCost {
    // What cannot be read or planned is refused by the worker, with the reason.
    let cost: JobCost? =
      switch specification.work {
      case let train as TrainSpecification: try? cost(of: train)
      case let evaluation as EvaluateSpecification:
        try? cost(of: evaluation, training)
      case let embedding as EmbedSpecification: try? cost(of: embedding, training)
      default: nil
      }
    return cost ?? JobCost()
  }

  /// What the weights were trained by that a job takes, or could have been: a model's training is not known.
  ///
  /// - Parameter training: that of a job which is not in the store yet.
  private func source(
    _ reference: CheckpointReference, _ training: TrainSpecification?
  ) -> (training: TrainSpecification, model: ModelDescription?)? {
    // A job's training never changes; the name of a model may be that of another one by now.
    if let name = reference.model { return model(name).map { ($0.training, $0) } }
    return (training ?? reference.job.flatMap(storedTraining)).map { ($0, nil) }
  }

  private func storedTraining(_ job: JobID) -> TrainSpecification? {
    stored.remembered(job) { training(job) }
  }

  /// Whether it cannot be told yet, as the dataset has not been looked at since the daemon started, and will
  /// soon be.
  func isComing(_ specification: JobSpecification) -> Bool {
    guard let name = specification.work.datasetUse?.name else { return false }
    return directory.lastKnownExtent(name) == nil && directory.beginLook(name)
  }

  private func cost(of specification: TrainSpecification) throws -> JobCost? {
    var planned = specification
    // What has no bearing on the plan must not make one plan two.
    planned.seed = 0
    planned.initFrom = nil
    planned.optimizer.learningRate = 1
    planned.epochs = 1
    guard let extent = directory.lastKnownExtent(planned.dataset.name) else { return nil }
    let images = extent.images(planned.dataset.split)
    // The text may be long.
    let key = SHA256.digest(
      of: Array("\(images.count) \(images.side) \(images.planes) \(planned.jsonText)".utf8))
    return try trainings.remembered(key) { try TrainingCost(planned, images: images, threads: threads) }?
      .cost(of: specification, imageCount: images.count)
  }

  private func cost(
    of specification: EvaluateSpecification, _ training: TrainSpecification?
  ) throws -> JobCost? {
    guard let extent = directory.lastKnownExtent(specification.dataset.name),
      let source = source(specification.checkpoint, training)
    else { return nil }
    let planned = Planned(specification: specification, model: source.model, extent: extent)
    return try evaluations.remembered(planned) {
      try JobCost(
        evaluation: specification, of: source.training, train: extent.images(.train),
        test: extent.images(.test),
        classes: extent.classCount, threads: threads)
    }
  }

  private func cost(of specification: EmbedSpecification, _ training: TrainSpecification?) throws -> JobCost?
  {
    guard let extent = directory.lastKnownExtent(specification.dataset.name),
      let source = source(specification.checkpoint, training)
    else { return nil }
    let planned = Planned(specification: specification, model: source.model, extent: extent)
    return try embeddings.remembered(planned) {
      try JobCost(
        embedding: specification, of: source.training, images: extent.images(specification.split),
        threads: threads)
    }
  }
}

/// What the cost of an evaluation or an embedding follows from.
private struct Planned<Specification: Hashable & Sendable>: Hashable, Sendable {
  let specification: Specification
  let model: ModelDescription?
  let extent: DatasetExtent
}

/// Plans by what they were made from.
private final class Plans<Key: Hashable & Sendable, Plan: Sendable>: Sendable {
  private let known = Mutex<[Key: Plan]>([:])

  /// Plans that are kept; beyond that all are forgotten.
  private static var knownMax: Int { 1_000 }

  /// The plan, made once; `nil` is not kept.
  func remembered(_ key: Key, _ make: () throws -> Plan?) rethrows -> Plan? {
    if let plan = known.withLock({ $0[key] }) { return plan }
    guard let plan = try make() else { return nil }
    known.withLock {
      if $0.count >= Self.knownMax { $0 = [:] }
      $0[key] = plan
    }
    return plan
  }
}

extension DatasetExtent {
  /// What an estimate has to know of the images of a split.
  fileprivate func images(_ split: DatasetSelection.Split) -> MemoryEstimate.Images {
    MemoryEstimate.Images(
      count: counts[split] ?? 0, side: side, planes: planes, classes: classCount, isPacked: isPacked)
  }
}
