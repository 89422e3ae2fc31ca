import Datasets
import NeuralNet
import Recipe
import TensorElements
import Tensors

/// The protocol `finetune`: the whole network is trained with one Linear on top, on crops of the labelled
/// images, and tested at its end. An epoch is a step of the stream, and is saved.
///
/// The seed decides which labels are used, the first weights of the Linear, and order and crops of the
/// images.
final class FineTuneProbe: Probe {
  private let subjects: EvaluationSubjects
  private let encoder: EncoderInference
  private let subject: EvaluationSubject
  private var meter = ThroughputMeter()

  /// Of the trained or the untrained encoder.
  init(_ subjects: EvaluationSubjects, _ subject: EvaluationSubject) throws {
    self.subjects = subjects
    self.subject = subject
    encoder = subjects.encoder
  }

  /// Nothing is shared but the encoder.
  func prepare(_ progress: any EvaluationProgress) throws {}

  func evaluate(
    run: Int, from place: ProbePlace?, _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome {
    let labelled = subjects.labelled[run].map { subjects.positions[$0] }
    let specification = subjects.specification
    let tuning = try FineTuning(
      specification, of: subjects.checkpoint.specification, layer: subjects.layer,
      imageSide: encoder.description.imageSide, labels: labelled.count,
      classes: subjects.train.classes.count, team: subjects.team, recorded: subjects.tuning)
    if let place {
      try tuning.state.load(place.tensors, strictly: true)
    } else {
      _ = try subjects.source(of: subject)
      tuning.begin(with: encoder, seed: subjects.seed(run: run))
    }
    let loader = try BatchLoader(
      dataset: subjects.train, views: [.random(.cropAndFlip())], side: encoder.description.imageSide,
      seed: subjects.seed(run: run), team: subjects.team)
    let views = try tuning.model.arena.allocate(loader.viewFloats(tuning.model.batchSize))
    for epoch in (place?.epoch ?? 0)..<specification.epochs {
      try train(tuning, loader, views, labelled, run: run, epoch: epoch, progress)
      try progress.reached(
        ProbePlace(epoch: epoch + 1, tensors: tuning.state.tensors), isSaved: true)
    }
    return try test(tuning, labelled, progress)
  }

  private func train(
    _ tuning: FineTuning, _ loader: BatchLoader, _ views: Floats, _ labelled: [Int], run: Int, epoch: Int,
    _ progress: any EvaluationProgress
  ) throws {
    let order = EpochOrder(
      count: labelled.count, batchSize: tuning.model.batchSize, shuffle: true, dropLast: false,
      seed: subjects.seed(run: run), epoch: epoch)
    var (loss, correct, seen) = (0.0, 0, 0)
    meter.start()
    for index in 0..<order.batches {
      try progress.proceed()
      let images = order.batch(index).map { labelled[$0] }[...]
      loader.load(images, epoch: epoch, into: views)
      let found = tuning.step(views, labels: loader.labels(images), epoch: epoch)
      guard found.loss.isFinite else {
        throw TrainingError.diverged(step: epoch + 1, what: "the loss of the network is \(found.loss)")
      }
      loss += found.loss * Double(images.count)
      correct += found.correct
      seen += images.count
    }
    meter.stop(images: seen)
    let rates = tuning.rates(epoch: epoch)
    try progress.report(
      step: epoch + 1, epoch: epoch,
      [
        Figure("loss", loss / Double(max(seen, 1))),
        Figure("train_top1", Double(correct) / Double(max(seen, 1))), Figure("lr", rates.backbone),
        Figure("lr_head", rates.head), Figure("images_per_second", meter.take()),
      ])
  }

  /// What the network takes the test images and the labelled ones for, in eval mode.
  private func test(
    _ tuning: FineTuning, _ labelled: [Int], _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome {
    let classifier = try LinearClassifier(
      featureCount: encoder.featureCount, classes: subjects.train.classes.count,
      batchSize: EvaluationSubjects.batchSize, team: subjects.team)
    tuning.give(to: encoder, classifier)
    func ranked(_ dataset: ImageDataset, _ positions: [Int]) throws -> RankedImages {
      let rows = try subjects.rows(dataset, positions, .plain, .encoder(encoder))
      var images = RankedImages()
      for batch in rows.batches() {
        try progress.proceed()
        images.add(
          classifier.scores(features: rows.features(batch, epoch: 0)), labels: rows.labels(batch))
      }
      return images
    }
    return EvaluationOutcome(
      test: try ranked(subjects.test, subjects.testPositions),
      trainTop1: try ranked(subjects.train, labelled).top1)
  }
}
