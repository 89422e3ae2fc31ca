import Datasets
import JobModel
import Kernels
import NeuralNet
import Parallel
import Tensors

/// Linear evaluation of a frozen encoder, with its two yardsticks: the untrained encoder and the raw pixels.
///
/// One subject after the other gets a classifier of its own, trained by the same protocol on the same order
/// of images. The result depends on the specification, the checkpoint and the instruction set alone.
package final class LinearEvaluation {
  /// Epochs of all classifiers together; each is a step of the stream.
  package var stepsTotal: Int { subjects.count * linear.epochs }
  /// Epochs done.
  package var step: Int { subjectIndex * linear.epochs + epoch }

  /// The instruction set that computes the features; another one rounds differently.
  package let instructionSet: InstructionSet
  /// How each layer of the encoder is computed: as suits this evaluation's batches, which are others than
  /// those that the encoder was trained with. An evaluation keeps what it began with.
  package var convolutions: ConvolutionRecord { encoder.convolutions }

  private let specification: EvaluateSpecification
  private let checkpoint: Checkpoint
  private let train: ImageDataset
  private let test: ImageDataset
  private let team: ThreadTeam
  private let linear: LinearProtocol
  private let subjects: [EvaluationSubject]
  /// With the weights of the present subject.
  private let encoder: EncoderInference
  private var subjectIndex = 0
  private var epoch = 0
  private var accuracies: [EvaluationSubject: Double] = [:]
  /// The state after the last whole epoch.
  private var lastEpoch: EvaluationState?
  /// The step whose state is saved already.
  private var savedStep: Int?
  private var meter = ThroughputMeter()

  /// Judges the encoder of `checkpoint`; goes on from `state` if there is one.
  ///
  /// - Parameters:
  ///   - threads: how many share the work, ≥ 1; they change nothing but the time.
  ///   - recorded: the `convolutions` that an earlier attempt of the evaluation began with.
  /// - Throws: `TrainingError` for splits that do not fit each other, `CheckpointError` and
  ///   `ConvolutionRecordError` for those of another evaluation, `SystemError` where memory is missing.
  package init(
    _ specification: EvaluateSpecification, checkpoint: Checkpoint, train: ImageDataset, test: ImageDataset,
    threads: Int, recorded: ConvolutionRecord? = nil, resumingFrom state: TensorFile? = nil
  ) throws {
    guard train.classes == test.classes, train.side == test.side else {
      throw TrainingError.otherClasses(dataset: train.name)
    }
    guard train.count >= 2, test.count >= 1 else {
      throw TrainingError.tooFewImages(dataset: train.name, count: min(train.count, test.count), needed: 2)
    }
    self.specification = specification
    self.checkpoint = checkpoint
    self.train = train
    self.test = test
    instructionSet = try InstructionSet.fromEnvironment()
    team = try ThreadTeam(threads: threads)
    linear = LinearProtocol(specification)
    subjects = specification.baselines ? [.trained, .untrained, .rawPixels] : [.trained]
    encoder = try EncoderInference(
      EncoderConfiguration(checkpoint.specification.encoder), imageSide: train.side,
      batchSize: LinearProtocol.batchSize, team: team,
      convolutions: ConvolutionChoice(checkpoint.specification.convolution), recorded: recorded)
    if let state {
      let state = try EvaluationState(state, of: specification)
      guard let index = subjects.firstIndex(of: state.subject) else {
        throw CheckpointError.otherSpecification
      }
      subjectIndex = index
      epoch = state.epoch
      accuracies = state.accuracies
      lastEpoch = state
      savedStep = step
    }
  }

  /// Evaluates to the end, or until the observer asks to stop.
  ///
  /// - Throws: `TrainingError.diverged` for features that are not finite, and what the observer throws.
  package func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<EvaluationResult> {
    do {
      while subjectIndex < subjects.count {
        accuracies[subjects[subjectIndex]] = try evaluate(subjects[subjectIndex], observer)
        subjectIndex += 1
        epoch = 0
      }
      return .finished(result)
    } catch let stop as Stop {
      return .stopped(stop.request)
    }
  }

  /// Thrown through the layers when the observer asks to stop.
  private struct Stop: Error { let request: StopRequest }

  /// Trains and tests the classifier of one subject; returns its accuracy after the last epoch.
  private func evaluate(_ subject: EvaluationSubject, _ observer: some TrainingObserver) throws -> Double {
    let proceed = { [self] in
      guard let request = observer.stopRequest else { return }
      if request != .cancelNow { try saveLastEpoch(observer) }
      throw Stop(request: request)
    }
    let probe = try probe(of: subject, proceed)
    while epoch < linear.epochs {
      let rate = linear.rate(epoch: epoch)
      meter.start()
      let result = try probe.run(epoch: epoch, rate: rate, proceed)
      meter.stop(images: train.count)
      guard result.loss.isFinite else {
        throw TrainingError.diverged(step: step + 1, what: "the loss of the classifier is \(result.loss)")
      }
      epoch += 1
      accuracies[subject] = result.top1
      lastEpoch = EvaluationState(
        subject: subject, epoch: epoch, accuracies: accuracies, classifier: probe.state.tensors)
      try report(subject, result, rate: rate, to: observer)
      if specification.features == .augmented { try saveLastEpoch(observer) }
    }
    return accuracies[subject] ?? 0
  }

  private func report(
    _ subject: EvaluationSubject, _ result: LinearProbe.EpochResult, rate: Double,
    to observer: some TrainingObserver
  ) throws {
    try observer.record(
      StepFigures(
        step: step, epoch: epoch - 1,
        figures: [
          .init(subject.figureName("loss"), result.loss), .init(subject.figureName("top1"), result.top1),
          .init("lr", rate), .init("images_per_second", meter.take()),
        ]))
  }

  /// Saves the state after the last whole epoch, unless that was done.
  private func saveLastEpoch(_ observer: some TrainingObserver) throws {
    guard let lastEpoch, savedStep != step else { return }
    try observer.save(
      ResumableState(
        step: step, epoch: step,
        file: lastEpoch.file(of: specification, instructionSet: instructionSet.rawValue)))
    savedStep = step
  }

  /// The subject's classifier with its features, where the evaluation stands.
  private func probe(of subject: EvaluationSubject, _ proceed: () throws -> Void) throws -> LinearProbe {
    let source = try source(of: subject)
    let isCached = specification.features == .cached
    let trainRows = try rows(train, isCached ? .plain : .random(.cropAndFlip()), normalizes: true, source)
    if isCached { try trainRows.keep(proceed) }
    let testRows = try rows(test, .plain, normalizes: linear.normalizesTest, source)
    try testRows.keep(proceed)
    let probe = try LinearProbe(
      train: trainRows, test: testRows, classes: train.classes.count, seed: specification.seed, team: team)
    if let lastEpoch, lastEpoch.subject == subject {
      try probe.state.load(lastEpoch.classifier, strictly: true)
    }
    return probe
  }

  private func rows(
    _ dataset: ImageDataset, _ view: ViewMaker, normalizes: Bool, _ source: FeatureSource
  ) throws -> FeatureRows {
    let loader = try BatchLoader(
      dataset: dataset, views: [view], normalizes: normalizes, seed: specification.seed, team: team)
    return try FeatureRows(loader: loader, source: source, batchSize: LinearProtocol.batchSize)
  }

  private func source(of subject: EvaluationSubject) throws -> FeatureSource {
    switch subject {
    case .rawPixels:
      let featureCount = 3 * train.side * train.side
      let pixels = try Arena().allocate(LinearProtocol.batchSize * featureCount)
      return .pixels(pixels, featureCount: featureCount)
    case .untrained:
      encoder.initialize(seed: checkpoint.specification.seed)
    case .trained:
      let state = encoder.parameters.map { StoredTensor($0) } + encoder.buffers.map { StoredTensor($0) }
      try state.load(checkpoint.tensors, strictly: false)
    }
    return .encoder(encoder)
  }

  private var result: EvaluationResult {
    var baselines: EvaluationResult.Baselines?
    if let rawPixels = accuracies[.rawPixels], let untrained = accuracies[.untrained] {
      baselines = EvaluationResult.Baselines(rawPixels: rawPixels, untrained: untrained)
    }
    return EvaluationResult(
      protocol: specification.protocol, features: specification.features,
      featureLayer: checkpoint.specification.encoder.fc == nil ? "pooled" : "fc",
      preset: checkpoint.specification.preset, dataset: specification.dataset.name.string,
      top1: accuracies[.trained] ?? 0, baselines: baselines)
  }
}
