import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors

/// The subjects of an evaluation: the trained encoder and, as baselines, the same encoder untrained and the
/// raw pixels; with the images that all of them are evaluated on.
package final class EvaluationSubjects {
  /// In the order in which they are evaluated.
  let all: [EvaluationSubject]
  let specification: EvaluateSpecification
  let checkpoint: Checkpoint
  let train: ImageDataset
  let test: ImageDataset
  /// Labels of the training images at `positions`.
  let trainLabels: [Int]
  /// Labels of all test images.
  let testLabels: [Int]
  /// Positions of the training images that any run uses, in order: rows of features are those of these.
  let positions: [Int]
  /// For each run the rows of the images whose labels it uses, in order.
  let labelled: [[Int]]
  /// With the weights of the subject whose `source` was asked for last.
  private let extractor: FeatureExtractor
  /// What of the network is evaluated.
  let layer: EncoderLayer

  /// Images that the encoder takes at once.
  static let batchSize = FeatureExtractor.batchSizeMax

  var team: ThreadTeam { extractor.team }
  var instructionSet: InstructionSet { extractor.instructionSet }
  var encoder: EncoderInference { extractor.encoder }

  init(
    _ specification: EvaluateSpecification, checkpoint: Checkpoint, train: ImageDataset, test: ImageDataset,
    threads: Int, recorded: ConvolutionRecord?
  ) throws {
    let allLabels = try train.requireLabels()
    testLabels = try test.requireLabels()
    guard train.classes == test.classes, train.side == test.side, train.planes == test.planes else {
      throw TrainingError.otherClasses(dataset: train.name)
    }
    guard train.count >= 2, test.count >= 1 else {
      throw TrainingError.tooFewImages(dataset: train.name, count: min(train.count, test.count), needed: 2)
    }
    self.specification = specification
    self.checkpoint = checkpoint
    self.train = train
    self.test = test
    all = specification.baselines ? [.trained, .untrained, .rawPixels] : [.trained]
    layer = try specification.encoderLayer(of: checkpoint.specification)
    (positions, labelled) = try Self.labelled(train, allLabels, specification)
    trainLabels = positions.map { allLabels[$0] }
    extractor = try FeatureExtractor(
      of: checkpoint.specification, layer, storedSide: train.side, threads: threads, recorded: recorded)
  }

  /// The encoder with the weights of that subject, or room for pixels.
  func source(of subject: EvaluationSubject) throws -> FeatureSource {
    switch subject {
    case .rawPixels:
      let featureCount = 3 * train.side * train.side
      let pixels = try Arena().allocate(Self.batchSize * featureCount)
      return .pixels(pixels, featureCount: featureCount)
    case .untrained:
      encoder.initialize(seed: checkpoint.specification.seed)
    case .trained:
      try extractor.load(checkpoint)
    }
    return .encoder(encoder)
  }

  /// How often each subject is evaluated.
  var runs: Int { specification.runs }
  /// The seed of a run.
  func seed(run: Int) -> UInt64 { specification.seed &+ UInt64(run) }
  /// All test images.
  var testPositions: [Int] { Array(0..<test.count) }

  /// The images whose labels the runs use: all that any of them uses, and rows of these for each.
  private static func labelled(
    _ train: ImageDataset, _ labels: [Int], _ specification: EvaluateSpecification
  ) throws(TrainingError) -> (positions: [Int], rows: [[Int]]) {
    let count = specification.labelledCount(of: train.count)
    let classes = train.classes.count
    guard specification.labelShare == 1 || count >= classes else {
      throw .tooFewLabels(dataset: train.name, count: count, classes: classes)
    }
    let chosen = (0..<specification.runs).map { run in
      LabelSubset.positions(
        count, of: labels, classes: classes, seed: specification.seed &+ UInt64(run))
    }
    let positions = count == train.count ? Array(0..<count) : Set(chosen.joined()).sorted()
    let rows = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
    return (positions, chosen.map { $0.compactMap { rows[$0] } })
  }

  /// Features of some images of a split, made from such views by `source`; an encoder's have the side that it
  /// was trained with.
  ///
  /// - Parameters:
  ///   - mirror: the mean of the features of the view and of its mirror image is kept.
  ///   - run: whose seed random views have.
  func rows(
    _ dataset: ImageDataset, _ positions: [Int], _ view: ViewMaker, normalizes: Bool = true,
    mirror: Bool = false, run: Int = 0, _ source: FeatureSource
  ) throws -> FeatureRows {
    let side =
      if case .encoder(let encoder) = source { encoder.description.imageSide } else { dataset.side }
    let loaders = try ([view] + (mirror ? [.mirrored] : [])).map {
      try BatchLoader(
        dataset: dataset, views: [$0], side: side, normalizes: normalizes, seed: seed(run: run),
        team: team)
    }
    return try FeatureRows(
      loaders: loaders, positions: positions, source: source, batchSize: Self.batchSize, team: team)
  }

  /// The result, once every subject has an outcome for each run.
  func result(_ outcomes: [EvaluationSubject: [EvaluationOutcome]]) -> EvaluationResult {
    let training = checkpoint.specification
    let reported: EvaluationLayer =
      switch layer {
      case .embedding: .embedding
      case .output where training.encoder.fc != nil: .fc
      case .output, .pooled: .pooled
      }
    return EvaluationResult(
      specification, training, layer: reported, isa: instructionSet.rawValue,
      trainImages: labelled.first?.count ?? 0, testLabels: testLabels, classes: test.classes,
      outcomes: outcomes)
  }
}

extension EvaluateSpecification {
  /// What of a network that was trained so is evaluated.
  func encoderLayer(of training: TrainSpecification) throws(TrainingError) -> EncoderLayer {
    guard let layer else { return self.protocol == .logistic ? .pooled : .output }
    return try layer.encoderLayer(of: training)
  }
}
