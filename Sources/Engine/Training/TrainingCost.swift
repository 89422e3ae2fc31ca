import NeuralNet
import Recipe

/// What a training takes that has one network, batch size and kind of image, however long it is.
package struct TrainingCost: Sendable, Equatable {
  /// Bytes of memory that its process takes at most.
  package let memoryBytes: Int
  /// Bytes of a checkpoint before compression, which saves about a tenth.
  let checkpointBytes: Int
  /// Bytes of a step that is not finite and kept, before compression.
  let captureBytes: Int
  /// Multiply-adds of an image's part of a step, and of what a step does once.
  let workPerImage: Double
  let workPerStep: Double
  /// Multiply-adds of an online evaluation; 0 where there is none.
  let workPerEvaluation: Double
  /// Bytes of the artifacts.
  let pictureBytes: Int
  /// Multiply-adds before the first step and after the last one.
  let workOnce: Double

  /// Plans the network, which takes about a millisecond; what `MemoryEstimate` says holds here as well.
  package init(
    _ specification: TrainSpecification, images: MemoryEstimate.Images, threads: Int
  ) throws {
    memoryBytes = try MemoryEstimate.bytes(training: specification, images: images, threads: threads)
    let limited = images.limited(specification.dataset.limit)
    let side = specification.viewSide(storedSide: limited.side)
    let plan = try MemoryEstimate.plan(specification, images: limited, side: side, threads: threads)
    checkpointBytes = MemoryEstimate.checkpointBytes(plan)
    captureBytes = StepCapture.byteCount(
      checkpoint: checkpointBytes, model: plan.model.configuration, images: plan.model.batchSize, side: side)
    workPerImage = try WorkUnits.image(of: plan.model)
    workPerEvaluation = try WorkUnits.evaluation(of: plan)
    pictureBytes =
      ViewSheet.byteCount(specification, storedSide: limited.side)
      + (plan.online.map { LayoutFiles.byteCount(images: $0.heldBack, dimensions: plan.model.pooledCount) }
        ?? 0)
    // The last checkpoint is waited for; the others are written next to the steps.
    workOnce =
      WorkUnits.process + WorkUnits.reading(limited) + Double(checkpointBytes) * WorkUnits.checkpointByte
    workPerStep =
      WorkUnits.update * plan.model.parameters.reduce(0) { $0 + Double($1.value.count) }
  }

  /// Of a training with so many images.
  package func cost(of specification: TrainSpecification, imageCount: Int) -> JobCost {
    let stepsPerEpoch = max(1, specification.stepsPerEpoch(imageCount: imageCount))
    let steps = specification.stepCount(imageCount: imageCount)
    let images = specification.trainedCount(of: imageCount)
    let perStep = min(specification.batchSize, images)
    // The last batch of an epoch may be a short one.
    let seen =
      Double(steps / stepsPerEpoch) * Double(specification.dropLast ? stepsPerEpoch * perStep : images)
      + Double(steps % stepsPerEpoch) * Double(perStep)
    let period = stepsPerEpoch * (specification.online?.everyEpochs ?? 1)
    let evaluations = Double((steps + period - 1) / period)
    let kind = specification.convolution == .direct ? "train direct" : "train"
    return JobCost(
      memoryBytes: memoryBytes,
      diskBytes: diskBytes(specification, steps: steps, stepsPerEpoch: stepsPerEpoch),
      work: Work(
        kind: kind,
        amount: seen * workPerImage + Double(steps) * workPerStep + evaluations * workPerEvaluation,
        once: workOnce, perImage: workPerImage),
      epochs: (steps + stepsPerEpoch - 1) / stepsPerEpoch, stepImages: perStep)
  }

  /// The checkpoints that there are at the same time, a step that is not finite, and the lines of events, log
  /// and database.
  private func diskBytes(_ specification: TrainSpecification, steps: Int, stepsPerEpoch: Int) -> Int {
    let policy = specification.checkpoint
    let epochs = (steps + stepsPerEpoch - 1) / stepsPerEpoch
    let first = policy.initial ? 1 : 0
    let written = first + (epochs + policy.everyEpochs - 1) / policy.everyEpochs
    let kept =
      first + policy.keepLast + (policy.keepBest?.count ?? 0) + (policy.keepEvery.map { epochs / $0 } ?? 0)
    // Older ones are removed when the next one is whole.
    let checkpoints = min(written, kept + 1)
    let evaluations =
      specification.online.map { (epochs + $0.everyEpochs - 1) / $0.everyEpochs } ?? 0
    // An evaluation has a line of its own, and those of its artifacts.
    let lines = steps / specification.logEverySteps + 2 + 3 * evaluations
    return Self.otherFilesBytes + pictureBytes + checkpoints * (checkpointBytes + Self.checkpointHeaderBytes)
      + captureBytes + Self.checkpointHeaderBytes
      + lines * Self.lineBytes
  }

  /// Bytes that a metric line takes in all: in the stream, the log, the database's events and its columns.
  static let lineBytes = 1_100
  /// Bytes of files whose size is about the same for every job.
  static let otherFilesBytes = 64 << 10
  /// Bytes of a checkpoint's names, shapes and manifest.
  private static let checkpointHeaderBytes = 24 << 10
}

/// What operations cost in multiply-adds of a convolution: as many as take the same time.
///
/// Fitted to the CPU time of six trainings of different networks on a core with AVX-512, and to the lines of
/// seven evaluations.
enum WorkUnits {
  /// A number that a layer puts out, in a training step: normalisation, activation and addition, forward and
  /// backward.
  static let trainedOutput = 400.0
  /// The same in inference.
  static let inferredOutput = 100.0
  /// A pixel value of an augmented view.
  static let viewValue = 500.0
  /// A parameter in an optimiser step.
  static let update = 600.0
  /// A pixel value of an image that is only normalised.
  static let pixelValue = 30.0
  /// A byte of a checkpoint that is compressed and made durable.
  static let checkpointByte = 4_000.0
  /// A worker's start.
  static let process = 2e10
  /// A byte of the images that are read at the start.
  static let storedByte = 400.0

  /// An image's part of a training step: of its views, and of the objective.
  static func image(of model: PretrainingModel) throws -> Double {
    let configuration = model.configuration
    let outputs = Double(configuration.embeddingCount)
    func views(_ count: Int, side: Int, _ layers: [PlannedLayer]) throws -> Double {
      let network = try NetworkDescription(configuration.encoder, imageSide: side)
      return Double(count) * (training(layers) + pooling(network, trainedOutput) + view(side: side))
    }
    // The covariance of two branches, forward and backward.
    let globals =
      try views(configuration.views, side: model.imageSide, model.layers.filter { !$0.isLocal })
      + 4 * outputs * outputs
    guard let local = configuration.localViews else { return globals }
    return try globals + views(local.count, side: local.size, model.layers.filter(\.isLocal))
      + 2 * Double(local.count) * outputs * outputs
  }

  /// An online evaluation: features of the held-back images and of the bank, and the objective on the views
  /// of the held-back images.
  static func evaluation(of plan: MemoryEstimate.Plan) throws -> Double {
    guard let online = plan.online else { return 0 }
    let model = plan.model
    let network = try NetworkDescription(model.configuration.encoder, imageSide: model.imageSide)
    let encoder = model.layers.filter { $0.name.hasPrefix("encoder.") && !$0.isLocal }
    let image =
      inference(encoder) + pooling(network, inferredOutput) + self.image(side: model.imageSide)
    // A forward pass takes about a third of a step.
    let lost = try self.image(of: model) / 3
    let comparisons = Double(online.heldBack * online.bank * model.pooledCount)
    return Double(online.heldBack + online.bank) * image + Double(online.heldBack) * lost + comparisons
  }

  /// One view's way through the layers and back; through those of a moving average forward only.
  static func training(_ layers: [PlannedLayer]) -> Double {
    layers.reduce(0) { sum, layer in
      if layer.name.hasPrefix("target.") { return sum + inference([layer]) }
      // The stem has no gradient of its input.
      return sum + Double(layer.shape.multiplyAddsPerImage) * (layer.algorithms == nil ? 2 : 3)
        + outputs(layer) * trainedOutput
    }
  }

  /// One image's way through the layers.
  static func inference(_ layers: [PlannedLayer]) -> Double {
    layers.reduce(0) {
      $0 + Double($1.shape.multiplyAddsPerImage) + outputs($1) * inferredOutput
    }
  }

  /// Max-pooling of one image: each value that is pooled counts as an output of a layer.
  static func pooling(_ network: NetworkDescription, _ output: Double) -> Double {
    let nodes = network.nodes
    return nodes.reduce(0) { sum, node in
      guard case .maxPool = node.operation else { return sum }
      return sum
        + node.inputs.reduce(0) { $0 + Double(nodes[$1].channels * nodes[$1].side * nodes[$1].side) } * output
    }
  }

  /// The reading of images into memory.
  static func reading(_ images: MemoryEstimate.Images) -> Double { storedByte * Double(images.bytes) }

  /// The making of one augmented view.
  static func view(side: Int) -> Double { values(side: side) * viewValue }

  /// The making of one normalised image.
  static func image(side: Int) -> Double { values(side: side) * pixelValue }

  private static func values(side: Int) -> Double { Double(3 * side * side) }

  private static func outputs(_ layer: PlannedLayer) -> Double {
    Double(layer.shape.outputChannels * layer.shape.outputHeight * layer.shape.outputWidth)
  }
}
