import Datasets
import NeuralNet
import Parallel
import Recipe
import Tensors

extension MemoryEstimate {
  /// Bytes that the process of an embedding takes at most: the images, the checkpoint, the encoder, and the
  /// features of a batch. Where they go is a file.
  ///
  /// - Parameter training: what the checkpoint was trained by.
  /// - Throws: as the estimate of an evaluation.
  package static func bytes(
    embedding specification: EmbedSpecification, of training: TrainSpecification, images: Images,
    threads: Int
  ) throws -> Int {
    let images = images.limited(specification.dataset.limit)
    let side = training.viewSide(storedSide: images.side)
    let checkpoint = checkpointBytes(
      try plan(training, batchSize: 2, side: side, classes: images.classes, threads: threads))
    let arena = Arena.counting()
    let encoder = try FeatureExtractor.encoder(
      of: training, specification.layer.encoderLayer(of: training), storedSide: images.side,
      batchSize: FeatureExtractor.batchSizeMax, team: ThreadTeam(planning: threads), arena: arena)
    let rows = 2 * encoder.batchSize * encoder.featureCount * MemoryLayout<Float>.stride
    return programBytes + images.bytes + checkpoint + arena.allocatedBytes + rows
      + augmentationBytes(max(side, images.side), of: images.side, blurKernel: 1, threads: threads)
  }
}

extension JobCost {
  /// What an embedding takes.
  ///
  /// - Parameter training: what the checkpoint was trained by.
  /// - Throws: as `MemoryEstimate.bytes(embedding:…)`.
  package init(
    embedding specification: EmbedSpecification, of training: TrainSpecification,
    images: MemoryEstimate.Images, threads: Int
  ) throws {
    let limited = images.limited(specification.dataset.limit)
    let side = training.viewSide(storedSide: images.side)
    let encoder = try FeatureExtractor.encoder(
      of: training, specification.layer.encoderLayer(of: training), storedSide: images.side,
      batchSize: FeatureExtractor.batchSizeMax, team: ThreadTeam(planning: threads), arena: .counting())
    let image =
      WorkUnits.inference(encoder.layers) + WorkUnits.image(side: side)
      + WorkUnits.pooling(encoder.description, WorkUnits.inferredOutput)
    // A row is there twice while the artifact is made of what has been computed.
    let row = 2 * encoder.featureCount * MemoryLayout<Float>.stride + Self.labelAndPathBytes
    self.init(
      memoryBytes: try MemoryEstimate.bytes(
        embedding: specification, of: training, images: images, threads: threads),
      diskBytes: TrainingCost.otherFilesBytes + limited.count * row
        + min(specification.stepCount(imageCount: limited.count), 200) * TrainingCost.lineBytes,
      work: Work(
        kind: "embed", amount: Double(limited.count) * image,
        once: WorkUnits.process + WorkUnits.reading(limited), perImage: image),
      epochs: 1, stepImages: min(EmbedSpecification.stepImages, max(limited.count, 1)))
  }

  /// A label, and the path of an image in the index, about.
  private static let labelAndPathBytes = 8 + 100
}
