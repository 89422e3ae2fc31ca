import Datasets
import Kernels
import NeuralNet
import Parallel
import Tensors

/// Linear evaluation of a frozen encoder, with its two baselines: the untrained encoder and the raw pixels.
///
/// One subject after the other gets a classifier of its own, trained by the same protocol on the same order
/// of images. An epoch of a classifier is a step of the stream.
final class LinearEvaluation: Evaluation {
  var stepsTotal: Int { subjects.all.count * linear.epochs }
  var step: Int { subjectIndex * linear.epochs + epoch }

  let subjects: EvaluationSubjects
  private let linear: LinearProtocol
  private var subjectIndex = 0
  private var epoch = 0
  private var outcomes: [EvaluationSubject: EvaluationOutcome] = [:]
  /// The state after the last whole epoch.
  private var lastEpoch: EvaluationState?
  /// The step whose state is saved already.
  private var savedStep: Int?
  private var meter = ThroughputMeter()

  /// Begins, or goes on from `state`, which belongs to the same specification.
  init(_ subjects: EvaluationSubjects, resumingFrom state: EvaluationState?) throws {
    self.subjects = subjects
    linear = LinearProtocol(subjects.specification)
    if let state {
      guard let index = subjects.all.firstIndex(of: state.subject) else {
        throw CheckpointError.otherSpecification
      }
      subjectIndex = index
      epoch = state.epoch
      outcomes = state.outcomes
      lastEpoch = state
      savedStep = step
    }
  }

  func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<EvaluationResult> {
    do {
      while subjectIndex < subjects.all.count {
        let subject = subjects.all[subjectIndex]
        outcomes[subject] = try evaluate(subject, observer)
        subjectIndex += 1
        epoch = 0
      }
      return .finished(subjects.result(outcomes))
    } catch let stop as EvaluationStop {
      return .stopped(stop.request)
    }
  }

  /// Trains and tests the classifier of one subject; returns what it gave after the last epoch.
  private func evaluate(
    _ subject: EvaluationSubject, _ observer: some TrainingObserver
  ) throws -> EvaluationOutcome {
    let proceed = { [self] in
      guard let request = observer.stopRequest else { return }
      if request != .cancelNow { try saveLastEpoch(observer) }
      throw EvaluationStop(request: request)
    }
    let probe = try probe(of: subject, proceed)
    while epoch < linear.epochs {
      let rate = linear.rate(epoch: epoch)
      meter.start()
      let result = try probe.run(epoch: epoch, rate: rate, proceed)
      meter.stop(images: subjects.train.count)
      guard result.loss.isFinite else {
        throw TrainingError.diverged(step: step + 1, what: "the loss of the classifier is \(result.loss)")
      }
      epoch += 1
      outcomes[subject] = EvaluationOutcome(top1: result.top1)
      lastEpoch = EvaluationState(
        subject: subject, epoch: epoch, outcomes: outcomes, classifier: probe.state.tensors)
      try report(subject, result, rate: rate, to: observer)
      if subjects.specification.features == .augmented { try saveLastEpoch(observer) }
    }
    return outcomes[subject] ?? EvaluationOutcome(top1: 0)
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
        file: lastEpoch.file(of: subjects.specification, instructionSet: instructionSet.rawValue)))
    savedStep = step
  }

  /// The subject's classifier with its features, where the evaluation stands.
  private func probe(of subject: EvaluationSubject, _ proceed: () throws -> Void) throws -> LinearProbe {
    let source = try subjects.source(of: subject)
    let isCached = subjects.specification.features == .cached
    let trainRows = try subjects.rows(
      subjects.train, isCached ? .plain : .random(.cropAndFlip()), normalizes: true, source)
    if isCached { try trainRows.keep(proceed) }
    let testRows = try subjects.rows(subjects.test, .plain, normalizes: linear.normalizesTest, source)
    try testRows.keep(proceed)
    let probe = try LinearProbe(
      train: trainRows, test: testRows, classes: subjects.train.classes.count,
      seed: subjects.specification.seed, team: subjects.team)
    if let lastEpoch, lastEpoch.subject == subject {
      try probe.state.load(lastEpoch.classifier, strictly: true)
    }
    return probe
  }
}
