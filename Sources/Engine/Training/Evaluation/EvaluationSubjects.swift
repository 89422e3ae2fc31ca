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
  let team: ThreadTeam
  let instructionSet: InstructionSet
  /// With the weights of the subject whose `source` was asked for last.
  let encoder: EncoderInference
  private let layer: EncoderLayer

  /// Images that the encoder takes at once.
  static let batchSize = LinearProtocol.batchSize

  init(
    _ specification: EvaluateSpecification, checkpoint: Checkpoint, train: ImageDataset, test: ImageDataset,
    threads: Int, recorded: ConvolutionRecord?
  ) throws {
    for split in [train, test] { _ = try split.requireLabels() }
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
    layer = try specification.encoderLayer(hasFC: checkpoint.specification.encoder.fc != nil)
    instructionSet = try InstructionSet.fromEnvironment()
    team = try ThreadTeam(threads: threads)
    encoder = try EncoderInference(
      checkpoint.specification.encoder,
      imageSide: checkpoint.specification.viewSide(storedSide: train.side),
      batchSize: Self.batchSize, team: team, layer: layer,
      convolutions: checkpoint.specification.convolution, recorded: recorded)
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
      let state = encoder.parameters.map { StoredTensor($0) } + encoder.buffers.map { StoredTensor($0) }
      try state.load(checkpoint.tensors, strictly: false)
    }
    return .encoder(encoder)
  }

  /// Features of a split, made from such views by `source`; an encoder's have the side that it was trained
  /// with.
  func rows(
    _ dataset: ImageDataset, _ view: ViewMaker, normalizes: Bool, _ source: FeatureSource
  ) throws -> FeatureRows {
    let side =
      if case .encoder(let encoder) = source { encoder.description.imageSide } else { dataset.side }
    let loader = try BatchLoader(
      dataset: dataset, views: [view], side: side, normalizes: normalizes, seed: specification.seed,
      team: team)
    return try FeatureRows(loader: loader, source: source, batchSize: Self.batchSize)
  }

  /// The result, once every subject has an outcome.
  func result(_ outcomes: [EvaluationSubject: EvaluationOutcome]) -> EvaluationResult {
    var baselines: EvaluationResult.Baselines?
    if let rawPixels = outcomes[.rawPixels], let untrained = outcomes[.untrained] {
      baselines = EvaluationResult.Baselines(rawPixels: rawPixels.top1, untrained: untrained.top1)
    }
    let isFC = layer == .output && checkpoint.specification.encoder.fc != nil
    let trained = outcomes[.trained]
    return EvaluationResult(
      protocol: specification.protocol, features: specification.features,
      layer: isFC ? .fc : .pooled, isa: instructionSet.rawValue, trainImages: train.count,
      testImages: test.count, preset: checkpoint.specification.preset,
      dataset: specification.dataset.name.string, top1: trained?.top1 ?? 0, fit: trained?.fit,
      baselines: baselines)
  }
}

extension EvaluateSpecification {
  /// What of an encoder is evaluated, which has a final Linear or not.
  func encoderLayer(hasFC: Bool) throws(TrainingError) -> EncoderLayer {
    switch layer {
    case .pooled: return .pooled
    case .fc:
      guard hasFC else { throw .missingLayer(EvaluationLayer.fc.rawValue) }
      return .output
    case nil: return self.protocol == .logistic ? .pooled : .output
    }
  }
}
