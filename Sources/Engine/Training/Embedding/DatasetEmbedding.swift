import Datasets
import Kernels
import NeuralNet
import Recipe
import TensorElements

/// Embeds the images of a split in their order, batch by batch: memory does not grow with their number.
///
/// The features depend on the specification, the checkpoint and the instruction set alone: a run that goes on
/// after some batches gives the same bits as one that begins with the first.
package final class DatasetEmbedding {
  /// Steps of the stream until the end: one for each batch.
  package let stepsTotal: Int
  private let dataset: ImageDataset
  private let extractor: FeatureExtractor

  /// Lines of the stream, about.
  private static let linesMax = 100

  /// Prepares to embed the images of `dataset`, of which no more than the specification's limit are there.
  ///
  /// - Parameters:
  ///   - threads: how many share the work, ≥ 1; they change nothing but the time.
  ///   - recorded: the `convolutions` that an earlier attempt began with.
  /// - Throws: `TrainingError` for a layer that the network lacks or a split without images,
  ///   `CheckpointError`, `ConvolutionRecordError`, or `SystemError` where memory is missing.
  package init(
    _ specification: EmbedSpecification, checkpoint: Checkpoint, dataset: ImageDataset, threads: Int,
    recorded: ConvolutionRecord? = nil
  ) throws {
    guard dataset.count > 0 else {
      throw TrainingError.noImage(dataset: dataset.name, split: dataset.split.rawValue)
    }
    self.dataset = dataset
    stepsTotal = specification.stepCount(imageCount: dataset.count)
    extractor = try FeatureExtractor(
      of: checkpoint.specification,
      specification.layer.encoderLayer(of: checkpoint.specification), storedSide: dataset.side,
      threads: threads, recorded: recorded)
    try extractor.load(checkpoint)
  }

  /// Numbers that describe an image, D.
  package var featureCount: Int { extractor.featureCount }
  /// The instruction set that computes the features; another one rounds differently.
  package var instructionSet: InstructionSet { extractor.instructionSet }
  /// How each layer of the encoder is computed. A run keeps what it began with.
  package var convolutions: ConvolutionRecord { extractor.convolutions }

  /// How many of so many images are whole batches, after which embedding can go on.
  package static func wholeBatches(_ images: Int) -> Int {
    images / FeatureExtractor.batchSizeMax * FeatureExtractor.batchSizeMax
  }

  /// Embeds all images from `first` on, or until the observer asks to stop.
  ///
  /// - Parameters:
  ///   - first: as many images as have been embedded already, whole batches.
  ///   - take: gets the features of each batch, `[images][D]`, as bytes of little-endian floats.
  /// - Returns: what it was stopped by; `nil`: all images are embedded.
  /// - Throws: `TrainingError.featuresNotFinite`, and what the arguments throw.
  package func run(
    from first: Int, _ observer: any TrainingObserver, _ take: (_ rows: [UInt8], _ images: Int) throws -> Void
  ) throws -> StopRequest? {
    var done = first
    var stopped = observer.stopRequest
    if stopped != nil { return stopped }
    let compute = Compute(team: extractor.team)
    let stepsPerLine = max(1, stepsTotal / Self.linesMax)
    var meter = ThroughputMeter()
    meter.start()
    try extractor.features(of: dataset, from: first) { features, images in
      guard compute.finiteness(of: features).notFinite == 0 else {
        throw TrainingError.featuresNotFinite
      }
      meter.stop(images: images)
      try take(features.littleEndianBytes, images)
      done += images
      let step = (done + FeatureExtractor.batchSizeMax - 1) / FeatureExtractor.batchSizeMax
      if step % stepsPerLine == 0 || step == stepsTotal {
        try observer.record(
          StepFigures(
            step: step, epoch: 0,
            figures: [Figure("images", Double(done)), Figure("images_per_second", meter.take())]))
      }
      meter.start()
      stopped = done < dataset.count ? observer.stopRequest : nil
      return stopped == nil
    }
    return stopped
  }
}
