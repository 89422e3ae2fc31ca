import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import TensorElements
import Tensors

/// Pre-training: images → order of the epoch → views of each → the method's network → optimiser, in steps.
///
/// The bits of every step depend on the specification, the seed, the instruction set and `convolutions`
/// alone. Random numbers are functions of (seed, epoch, image, view) or (seed, step), so the state between
/// two steps is small: parameters, those of a moving average, BatchNorm's buffers, the optimiser's state and
/// the place in the epoch.
package final class Pretraining {
  /// Optimiser steps done.
  package private(set) var step = 0
  /// Optimiser steps of the whole run.
  package let stepsTotal: Int
  /// Epochs that these steps begin.
  package var epochsTotal: Int { (stepsTotal + stepsPerEpoch - 1) / stepsPerEpoch }
  /// The instruction set that computes them; another one rounds differently.
  package let instructionSet: InstructionSet
  /// How each layer is computed; a run keeps what it began with.
  package var convolutions: ConvolutionRecord { model.convolutions }

  /// Rollbacks after a divergence before this step.
  package let rollbacks: Int

  private let specification: TrainSpecification
  private let batches: BatchStream
  private let model: PretrainingModel
  private let optimizer: Optimizer
  private let schedule: LearningRateSchedule
  /// Optimiser steps that schedules span: those of the run, or more.
  private let horizonSteps: Int
  /// What the rollbacks have made of the learning rate.
  private let rateScale: Double
  private let stepsPerEpoch: Int
  /// The running statistics before the present step.
  private let buffersBefore: [Floats]
  private var meter = ThroughputMeter()
  private let dataset: ImageDataset
  /// The first images of the first batch.
  private let firstImages: [Int]
  private let datasetLabels: [Int]
  private let classes: Int
  /// Evaluates the encoder on images that are held back; `nil`: all are trained on.
  private let online: OnlineEvaluation?
  /// The step of the last evaluation; 0: there was none.
  private var evaluatedStep = 0
  /// The labels of the present batch, for methods that need them.
  private var labels: [Int]
  /// The step whose state is saved already.
  private var savedStep: Int?

  /// Plans the network and takes all memory; starts from fresh weights or as `initFrom` says, or goes on from
  /// `checkpoint`.
  ///
  /// - Parameters:
  ///   - threads: how many share the work, ≥ 1; they change nothing but the time.
  ///   - recorded: the `convolutions` that an earlier attempt of the run began with.
  ///   - initial: what `initFrom` names, where the run begins.
  ///   - rollbacks: of the run, where there have been more than the checkpoint knows.
  /// - Throws: `TrainingError` and `DatasetError` for a dataset that does not fit the specification,
  ///   `CheckpointError` and `ConvolutionRecordError` for those of another run, `SystemError` where memory
  ///   is missing.
  package init(
    _ specification: TrainSpecification, dataset: ImageDataset, threads: Int,
    recorded: ConvolutionRecord? = nil, resumingFrom checkpoint: Checkpoint? = nil,
    beginningWith initial: Checkpoint? = nil, rollbacks: Int = 0
  ) throws {
    self.rollbacks = max(rollbacks, checkpoint?.rollbacks ?? 0)
    rateScale = (0..<self.rollbacks).reduce(1) { scale, _ in scale * specification.divergence.factor }
    instructionSet = try InstructionSet.fromEnvironment()
    let team = try ThreadTeam(threads: threads)
    self.specification = specification
    let split = try specification.online.map { try OnlineSplit($0, specification, of: dataset) }
    self.dataset = dataset
    let trainedCount = split?.trained.count ?? dataset.count
    let order = { epoch in
      EpochOrder(specification, count: dataset.count, images: split?.trained, epoch: epoch)
    }
    stepsPerEpoch = order(0).batches
    guard stepsPerEpoch > 0 else {
      let needed = specification.dropLast ? specification.batchSize : 2
      throw TrainingError.tooFewImages(dataset: dataset.name, count: trainedCount, needed: needed)
    }
    firstImages = Array(order(0).batch(0).prefix(ViewSheet.rowsMax))
    stepsTotal = min(specification.epochs * stepsPerEpoch, specification.maxSteps ?? .max)
    horizonSteps = max(stepsTotal, (specification.schedule.horizonEpochs ?? 0) * stepsPerEpoch)
    schedule = LearningRateSchedule(
      specification.schedule, peak: specification.optimizer.learningRate, stepsPerEpoch: stepsPerEpoch,
      stepsTotal: horizonSteps)
    model = try PretrainingModel(
      ModelConfiguration(specification, classes: dataset.classes.count),
      imageSide: specification.viewSide(storedSide: dataset.side),
      batchSize: min(specification.batchSize, trainedCount), team: team,
      convolutions: specification.convolution, recorded: recorded)
    classes = dataset.classes.count
    let needsLabels = specification.loss.method.type.needsLabels
    datasetLabels = needsLabels ? try dataset.requireLabels() : []
    labels = Array(repeating: 0, count: needsLabels ? model.batchSize : 0)
    optimizer = try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute,
      arena: model.arena)
    let arena = model.arena
    buffersBefore = try model.buffers.map { try arena.allocate($0.value.count) }
    if let checkpoint, checkpoint.specification != specification { throw CheckpointError.otherSpecification }
    let continued = specification.initFrom?.optimizer == true ? checkpoint ?? initial : checkpoint
    if checkpoint == nil, let step = continued?.step, step >= stepsTotal {
      throw TrainingError.noStepLeft(step: step, stepsTotal: stepsTotal)
    }
    let loader = try BatchLoader(
      dataset: dataset, groups: specification.viewGroups(storedSide: dataset.side),
      seed: specification.seed, team: team)
    let model = model
    online = try specification.online.flatMap { online in
      try split.map { try OnlineEvaluation(online, split: $0, model: model, views: loader) }
    }
    batches = try BatchStream(
      loader: loader, batchSize: model.batchSize, steps: min(continued?.step ?? 0, stepsTotal)..<stepsTotal,
      order: order)
    if let continued {
      try state.load(continued.tensors, strictly: true)
      step = continued.step
      optimizer.stepCount = step
      online?.resume(at: step)
      evaluatedStep = continued.evaluatedStep
      if checkpoint != nil { savedStep = step }
    } else {
      model.initialize(seed: specification.seed)
      online?.initialize(seed: specification.seed)
      if let initial { try takeEncoder(of: initial) }
    }
  }

  /// Takes the encoder's weights and running statistics. A final Linear of another size stays new.
  private func takeEncoder(of source: Checkpoint) throws {
    let hasSameFC = source.specification.encoder.fc == specification.encoder.fc
    let encoder = (model.parameters.map { StoredTensor($0) } + model.buffers.map { StoredTensor($0) })
      .filter { $0.name.hasPrefix("encoder.") && (hasSameFC || !$0.name.hasPrefix("encoder.fc.")) }
    try encoder.load(source.tensors, strictly: false)
    model.resetAverage()
  }

  /// Trains to the end of the run, or until the observer asks to stop.
  ///
  /// - Throws: `TrainingError.diverged` as soon as a loss, a gradient or a state to be saved is not finite
  ///   (what was saved before stays good), and what the observer throws.
  package func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<Void> {
    if step == 0, specification.checkpoint.initial { try save(observer) }
    do {
      // A run that was stopped in an evaluation begins with it, and saves its state again as an undisturbed
      // one does.
      if try evaluate(observer) {
        savedStep = nil
        try saveIfDue(observer)
      }
      while step < stepsTotal {
        try proceed(observer)
        try advance(observer)
        try evaluate(observer)
        try saveIfDue(observer)
      }
    } catch let stop as Stop {
      return .stopped(stop.request)
    }
    return .finished(())
  }

  /// Ends a run between two steps, or in an evaluation.
  private struct Stop: Error {
    let request: StopRequest
  }

  /// Stops, with the state saved, if the observer asks for it.
  private func proceed(_ observer: some TrainingObserver) throws {
    guard let request = observer.stopRequest else { return }
    if request != .cancelNow { try save(observer) }
    throw Stop(request: request)
  }

  private func saveIfDue(_ observer: some TrainingObserver) throws {
    let isDue = step % (stepsPerEpoch * specification.checkpoint.everyEpochs) == 0
    if isDue || step == stepsTotal { try save(observer) }
  }

  /// Evaluates the encoder on the images that are held back, where that is due and not done.
  ///
  /// - Returns: whether it did.
  @discardableResult
  private func evaluate(_ observer: some TrainingObserver) throws -> Bool {
    guard let online, let every = specification.online?.everyEpochs, step > evaluatedStep,
      step % (stepsPerEpoch * every) == 0 || step == stepsTotal
    else { return false }
    let period = stepsPerEpoch * every
    let place = OnlineReport.Place(
      number: (step + period - 1) / period, step: step, epoch: (step - 1) / stepsPerEpoch)
    let report = try online.evaluate(
      place, scratch: batches.spare, isolated: isolated, proceed: { try self.proceed(observer) })
    try observer.evaluated(report)
    evaluatedStep = step
    return true
  }

  /// What the online evaluation has taken so far in this process; `nil`: there is none.
  package var onlineTime: OnlineTime? { online?.time }

  /// Runs a forward pass, and puts back the running statistics that it moves on, whatever comes of it.
  private func isolated(_ body: () throws -> Double) throws -> Double {
    for (copy, buffer) in zip(buffersBefore, model.buffers) { copy.copy(from: buffer.value) }
    defer { for (copy, buffer) in zip(buffersBefore, model.buffers) { buffer.value.copy(from: copy) } }
    return try body()
  }

  /// The first images of step 1 with the views that it sees of them.
  ///
  /// - Throws: `SystemError` without memory.
  package func viewSheet() throws -> ViewSheet {
    try ViewSheet(specification, of: dataset, firstImages, team: model.compute.team)
  }

  /// The whole state, copied.
  package func checkpoint() -> Checkpoint { checkpoint(tensors: state.tensors) }

  private func checkpoint(tensors: [String: TensorValue]) -> Checkpoint {
    Checkpoint(
      step: step, epoch: step / stepsPerEpoch, position: step % stepsPerEpoch, specification: specification,
      instructionSet: instructionSet.rawValue, rollbacks: rollbacks, evaluatedStep: evaluatedStep,
      tensors: tensors)
  }

  /// Everything that changes from step to step, where it lies.
  private var state: [StoredTensor] { trainedState + (online?.state ?? []) }

  /// The part of it that a step is computed from.
  private var trainedState: [StoredTensor] {
    (model.parameters + model.averagedParameters).map { StoredTensor($0) }
      + model.buffers.map { StoredTensor($0) } + optimizer.state.map { StoredTensor($0) }
  }

  /// One step, with its figures if they are due.
  ///
  /// A step whose loss or gradient is not finite is not taken: weights, running statistics, the optimiser's
  /// state and `step` stay those of the last good step.
  private func advance(_ observer: some TrainingObserver) throws {
    let rate = schedule.rate(step: step) * rateScale
    let number = step + 1
    let isReported =
      number == 1 || number == stepsTotal || number.isMultiple(of: specification.logEverySteps)
    meter.start()
    let batch = batches.next()
    for (copy, buffer) in zip(buffersBefore, model.buffers) { copy.copy(from: buffer.value) }
    if !datasetLabels.isEmpty {
      for (index, image) in batch.images.enumerated() { labels[index] = datasetLabels[image] }
    }
    let loss = model.step(batch.views, count: batch.count, labels: labels, number: step)
    let gradientNorm = model.gradientNorm()
    let isFinite = loss.isFinite && gradientNorm.isFinite
    if isFinite {
      optimizer.step(
        learningRate: rate, constantRate: specification.optimizer.learningRate * rateScale)
      model.follow(step: step, of: horizonSteps)
      online?.follow(batch.images)
      step = number
    } else {
      for (copy, buffer) in zip(buffersBefore, model.buffers) { buffer.value.copy(from: copy) }
    }
    meter.stop(images: batch.count)
    if isReported || !isFinite {
      let figures = model.figures() + [Figure("grad_norm", gradientNorm)]
      try report(step: number, figures: figures, rate: rate, epoch: batch.epoch, to: observer)
      if !isFinite { try capture(batch, figures: figures, to: observer) }
    }
    if !isFinite {
      let what = loss.isFinite ? "the norm of the gradient" : "the loss"
      let value = loss.isFinite ? gradientNorm : loss
      throw TrainingError.diverged(step: number, what: "\(what) is \(value.isNaN ? "NaN" : "infinite")")
    }
  }

  private func report(
    step: Int, figures: [Figure], rate: Double, epoch: Int, to observer: some TrainingObserver
  ) throws {
    let figures = figures + [Figure("lr", rate), Figure("images_per_second", meter.take())]
    try observer.record(StepFigures(step: step, epoch: epoch, figures: figures))
  }

  /// Hands over the step that follows the present state and gave `figures`, which was not taken.
  private func capture(
    _ batch: BatchStream.Batch, figures: [Figure], to observer: some TrainingObserver
  ) throws {
    // Its copy of the state and its compressing threads make room for those of the capture.
    try observer.prepareToSave()
    let place = checkpoint(tensors: [:])
    try observer.capture(
      StepCapture(
        place, state: trainedState, batch: batch, of: model, labels: Array(labels.prefix(batch.count)),
        classes: classes, convolutions: convolutions, figures: figures))
  }

  /// Takes the step that follows a state that is not finite, so that it is kept as any such step is. A run
  /// that ends with such a state has no step to keep.
  private func captureNext(_ observer: some TrainingObserver) throws {
    guard step < stepsTotal else { return }
    // That the step diverges as well adds nothing to what is thrown for the state.
    do { try advance(observer) } catch is TrainingError {}
  }

  private func save(_ observer: some TrainingObserver) throws {
    guard savedStep != step else { return }
    try observer.prepareToSave()
    let checkpoint = checkpoint()
    if let name = checkpoint.notFinite.first {
      try captureNext(observer)
      throw TrainingError.diverged(
        step: checkpoint.step, what: "\(name) holds a value that is not finite")
    }
    try observer.save(
      ResumableState(step: checkpoint.step, epoch: checkpoint.epoch, file: checkpoint.file))
    savedStep = step
  }
}

extension EpochOrder {
  /// The order of one epoch of a training on all `count` images, or on some of them.
  fileprivate init(_ specification: TrainSpecification, count: Int, images: [Int]?, epoch: Int) {
    let (size, shuffle, dropLast) = (specification.batchSize, specification.shuffle, specification.dropLast)
    if let images {
      self.init(
        images: images, batchSize: size, shuffle: shuffle, dropLast: dropLast, seed: specification.seed,
        epoch: epoch)
    } else {
      self.init(
        count: count, batchSize: size, shuffle: shuffle, dropLast: dropLast, seed: specification.seed,
        epoch: epoch)
    }
  }
}

extension OnlineSplit {
  /// That of a training on `dataset`.
  ///
  /// - Throws: `TrainingError.tooFewHeldBack`.
  fileprivate init(
    _ online: OnlineSpecification, _ specification: TrainSpecification, of dataset: ImageDataset
  ) throws(TrainingError) {
    self.init(online, count: dataset.count, seed: specification.seed)
    guard heldBack.count >= OnlineSpecification.heldBackMin else {
      throw .tooFewHeldBack(dataset: dataset.name, count: dataset.count, heldBack: heldBack.count)
    }
  }
}
