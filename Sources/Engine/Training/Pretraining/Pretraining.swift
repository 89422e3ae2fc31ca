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
  /// What the rollbacks have made of the learning rate.
  private let rateScale: Double
  private let stepsPerEpoch: Int
  /// The running statistics before the present step.
  private let buffersBefore: [Floats]
  private var meter = ThroughputMeter()
  private let datasetLabels: [Int]
  private let classes: Int
  /// The labels of the present batch, for methods that need them.
  private var labels: [Int]
  /// The step whose state is saved already.
  private var savedStep: Int?

  /// Plans the network and takes all memory; starts from fresh weights, or goes on from `checkpoint`.
  ///
  /// - Parameters:
  ///   - threads: how many share the work, ≥ 1; they change nothing but the time.
  ///   - recorded: the `convolutions` that an earlier attempt of the run began with.
  ///   - rollbacks: of the run, where there have been more than the checkpoint knows.
  /// - Throws: `TrainingError` and `DatasetError` for a dataset that does not fit the specification,
  ///   `CheckpointError` and `ConvolutionRecordError` for those of another run, `SystemError` where memory
  ///   is missing.
  package init(
    _ specification: TrainSpecification, dataset: ImageDataset, threads: Int,
    recorded: ConvolutionRecord? = nil, resumingFrom checkpoint: Checkpoint? = nil, rollbacks: Int = 0
  ) throws {
    self.rollbacks = max(rollbacks, checkpoint?.rollbacks ?? 0)
    rateScale = (0..<self.rollbacks).reduce(1) { scale, _ in scale * specification.divergence.factor }
    instructionSet = try InstructionSet.fromEnvironment()
    let team = try ThreadTeam(threads: threads)
    self.specification = specification
    let order = { epoch in EpochOrder(specification, count: dataset.count, epoch: epoch) }
    stepsPerEpoch = order(0).batches
    guard stepsPerEpoch > 0 else {
      let needed = specification.dropLast ? specification.batchSize : 2
      throw TrainingError.tooFewImages(dataset: dataset.name, count: dataset.count, needed: needed)
    }
    stepsTotal = min(specification.epochs * stepsPerEpoch, specification.maxSteps ?? .max)
    schedule = LearningRateSchedule(
      specification.schedule, peak: specification.optimizer.learningRate, stepsPerEpoch: stepsPerEpoch,
      stepsTotal: stepsTotal)
    model = try PretrainingModel(
      ModelConfiguration(specification, classes: dataset.classes.count),
      imageSide: specification.viewSide(storedSide: dataset.side),
      batchSize: min(specification.batchSize, dataset.count), team: team,
      convolutions: specification.convolution, recorded: recorded)
    classes = dataset.classes.count
    let needsLabels = model.configuration.method.branches.labels
    datasetLabels = needsLabels ? try dataset.requireLabels() : []
    labels = Array(repeating: 0, count: needsLabels ? model.batchSize : 0)
    optimizer = try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute,
      arena: model.arena)
    let arena = model.arena
    buffersBefore = try model.buffers.map { try arena.allocate($0.value.count) }
    if let checkpoint, checkpoint.specification != specification { throw CheckpointError.otherSpecification }
    batches = try BatchStream(
      loader: BatchLoader(
        dataset: dataset, groups: specification.viewGroups(storedSide: dataset.side),
        seed: specification.seed, team: team),
      batchSize: model.batchSize, steps: min(checkpoint?.step ?? 0, stepsTotal)..<stepsTotal, order: order)
    if let checkpoint {
      try state.load(checkpoint.tensors, strictly: true)
      step = checkpoint.step
      optimizer.stepCount = step
      savedStep = step
    } else {
      model.initialize(seed: specification.seed)
    }
  }

  /// Trains to the end of the run, or until the observer asks to stop.
  ///
  /// - Throws: `TrainingError.diverged` as soon as a loss, a gradient or a state to be saved is not finite
  ///   (what was saved before stays good), and what the observer throws.
  package func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<Void> {
    if step == 0, specification.checkpoint.initial { try save(observer) }
    while step < stepsTotal {
      if let request = observer.stopRequest {
        if request != .cancelNow { try save(observer) }
        return .stopped(request)
      }
      try advance(observer)
      let isDue = step % (stepsPerEpoch * specification.checkpoint.everyEpochs) == 0
      if isDue || step == stepsTotal { try save(observer) }
    }
    return .finished(())
  }

  /// The whole state, copied.
  package func checkpoint() -> Checkpoint { checkpoint(tensors: state.tensors) }

  private func checkpoint(tensors: [String: TensorValue]) -> Checkpoint {
    Checkpoint(
      step: step, epoch: step / stepsPerEpoch, position: step % stepsPerEpoch, specification: specification,
      instructionSet: instructionSet.rawValue, rollbacks: rollbacks, tensors: tensors)
  }

  /// Everything that changes from step to step, where it lies.
  private var state: [StoredTensor] {
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
      model.follow(step: step, of: stepsTotal)
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
        place, state: state, batch: batch, of: model, labels: Array(labels.prefix(batch.count)),
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
  /// The order of one epoch of a training on `count` images.
  fileprivate init(_ specification: TrainSpecification, count: Int, epoch: Int) {
    self.init(
      count: count, batchSize: specification.batchSize, shuffle: specification.shuffle,
      dropLast: specification.dropLast, seed: specification.seed, epoch: epoch)
  }
}
