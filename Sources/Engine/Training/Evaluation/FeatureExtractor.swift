import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import TensorElements
import Tensors

/// A frozen encoder that describes images by the output of one of its layers: what evaluations, embeddings
/// and searches for neighbours have in common.
///
///     let extractor = try FeatureExtractor(
///       of: checkpoint.specification, .pooled, storedSide: dataset.side, threads: 2)
///     try extractor.load(checkpoint)
///     try extractor.features(of: dataset, from: 0) { features, images in … }
package final class FeatureExtractor {
  /// Images that the encoder takes at once, if there is memory for them.
  package static let batchSizeMax = EmbedSpecification.stepImages

  /// Who computes.
  package let team: ThreadTeam
  package let instructionSet: InstructionSet
  let encoder: EncoderInference

  /// Plans the encoder of a training and takes its memory; it has no weights before `load`.
  ///
  /// - Parameters:
  ///   - storedSide: of the dataset's images in pixels, where the training takes them as they are.
  ///   - recorded: how each layer was computed by an earlier attempt.
  /// - Throws: as `EncoderInference`.
  package init(
    of training: TrainSpecification, _ layer: EncoderLayer, storedSide: Int,
    batchSize: Int = FeatureExtractor.batchSizeMax, threads: Int, recorded: ConvolutionRecord? = nil
  ) throws {
    instructionSet = try InstructionSet.fromEnvironment()
    team = try ThreadTeam(threads: threads)
    encoder = try Self.encoder(
      of: training, layer, storedSide: storedSide, batchSize: batchSize, team: team, recorded: recorded)
  }

  /// The encoder alone, such as for an estimate.
  static func encoder(
    of training: TrainSpecification, _ layer: EncoderLayer, storedSide: Int, batchSize: Int,
    team: ThreadTeam, recorded: ConvolutionRecord? = nil, arena: Arena? = nil
  ) throws -> EncoderInference {
    try EncoderInference(
      training.encoder, projector: training.projector,
      imageSide: training.viewSide(storedSide: storedSide), batchSize: batchSize, team: team, layer: layer,
      convolutions: training.convolution, recorded: recorded, arena: arena)
  }

  /// How many images at once the encoder takes with at most so many bytes of memory: 256, or half as many
  /// until it fits, or one.
  package static func batchSize(
    of training: TrainSpecification, _ layer: EncoderLayer, storedSide: Int, threads: Int, bytesMax: Int
  ) throws -> Int {
    var batchSize = batchSizeMax
    while batchSize > 1 {
      let arena = Arena.counting()
      _ = try encoder(
        of: training, layer, storedSide: storedSide, batchSize: batchSize,
        team: ThreadTeam(planning: threads), arena: arena)
      if arena.allocatedBytes <= bytesMax { break }
      batchSize /= 2
    }
    return batchSize
  }

  /// Numbers that describe an image, D.
  package var featureCount: Int { encoder.featureCount }
  /// Side in pixels of the images that the encoder takes.
  package var imageSide: Int { encoder.description.imageSide }
  /// Images that the encoder takes at once.
  package var batchSize: Int { encoder.batchSize }
  /// How each layer of the encoder is computed.
  package var convolutions: ConvolutionRecord { encoder.convolutions }

  /// Takes the weights of a checkpoint.
  ///
  /// - Throws: `CheckpointError` for a tensor that is missing or of another shape.
  package func load(_ checkpoint: Checkpoint) throws {
    let state = encoder.parameters.map { StoredTensor($0) } + encoder.buffers.map { StoredTensor($0) }
    try state.load(checkpoint.tensors, strictly: false)
  }

  /// Computes the features of the images of a split, normalised by the statistics of its dataset, batch by
  /// batch.
  ///
  /// - Parameters:
  ///   - first: the first image; a multiple of the batch size, so that batches are always the same.
  ///   - take: gets the features of a batch, row-major `[images][D]`, valid until it returns; false ends it.
  package func features(
    of dataset: ImageDataset, from first: Int = 0, _ take: (Floats, _ images: Int) throws -> Bool
  ) throws {
    precondition(first % batchSize == 0, "embedding goes on at the beginning of a batch")
    let loader = try BatchLoader(
      dataset: dataset, views: [.plain], side: imageSide, seed: 0, team: team)
    for start in stride(from: first, to: dataset.count, by: batchSize) {
      let images = Array(start..<min(start + batchSize, dataset.count))
      loader.load(images[...], epoch: 0, into: encoder.input)
      guard try take(encoder.features(count: images.count), images.count) else { return }
    }
  }
}

extension EvaluationLayer {
  /// The layer of a network that was trained so.
  ///
  /// - Throws: `TrainingError.missingLayer`.
  package func encoderLayer(of training: TrainSpecification) throws(TrainingError) -> EncoderLayer {
    guard problem(with: training) == nil else { throw .missingLayer(rawValue) }
    return switch self {
    case .pooled: .pooled
    case .fc: .output
    case .embedding: .embedding
    }
  }
}
