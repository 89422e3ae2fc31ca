import Datasets
import NeuralNet
import Recipe
import Tensors

/// The protocols `linear`, `linear-seed` and `linear-official`: one Linear that is trained on a subject's
/// features, and tested after each epoch. An epoch is a step of the stream.
///
/// With protocol `finetune` the raw pixels are evaluated so, by the constants of its head.
final class LinearProbe: Probe {
  private let subjects: EvaluationSubjects
  private let subject: EvaluationSubject
  private let linear: LinearProtocol
  private let isCached: Bool
  /// What all runs share: the encoder, cached features of the training images, those of the test images.
  private var shared: (source: FeatureSource, train: FeatureRows?, test: FeatureRows)?
  private var meter = ThroughputMeter()

  /// Of that subject.
  init(_ subjects: EvaluationSubjects, _ subject: EvaluationSubject) throws {
    self.subjects = subjects
    self.subject = subject
    linear = LinearProtocol(subjects.specification)
    isCached = subjects.specification.protocol.isLinear && subjects.specification.features == .cached
  }

  func prepare(_ progress: any EvaluationProgress) throws {
    let source = try subjects.source(of: subject)
    var train: FeatureRows?
    if isCached {
      let rows = try subjects.rows(subjects.train, subjects.positions, .plain, source)
      try rows.keep(progress.proceed)
      train = rows
    }
    let test = try subjects.rows(
      subjects.test, subjects.testPositions, .plain, normalizes: linear.normalizesTest, source)
    try test.keep(progress.proceed)
    shared = (source, train, test)
  }

  func evaluate(
    run: Int, from place: ProbePlace?, _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome {
    guard let shared else { preconditionFailure("a probe is prepared first") }
    let labelled = subjects.labelled[run]
    let train =
      try shared.train
      ?? subjects.rows(
        subjects.train, subjects.positions, .random(.cropAndFlip()), run: run, shared.source)
    let fit = try LinearFit(
      linear, train: train, labelled: labelled, test: shared.test, classes: subjects.train.classes.count,
      seed: subjects.seed(run: run), team: subjects.team)
    if let place { try fit.state.load(place.tensors, strictly: true) }
    for epoch in (place?.epoch ?? 0)..<linear.epochs {
      let rate = linear.rate(epoch: epoch)
      meter.start()
      let loss = try fit.train(epoch: epoch, rate: rate, progress.proceed)
      let top1 = try fit.test(progress.proceed).top1
      meter.stop(images: labelled.count)
      guard loss.isFinite else {
        throw TrainingError.diverged(step: epoch + 1, what: "the loss of the classifier is \(loss)")
      }
      try progress.report(
        step: epoch + 1, epoch: epoch,
        [
          Figure("loss", loss), Figure("top1", top1), Figure("lr", rate),
          Figure("images_per_second", meter.take()),
        ])
      // An evaluation on fresh views is long: it is saved after each epoch.
      try progress.reached(ProbePlace(epoch: epoch + 1, tensors: fit.state.tensors), isSaved: !isCached)
    }
    return EvaluationOutcome(
      test: try fit.test(progress.proceed),
      trainTop1: try fit.score(epoch: linear.epochs - 1, progress.proceed).top1)
  }
}
