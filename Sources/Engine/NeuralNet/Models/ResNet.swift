import Kernels
import Tensors

/// A ResNet of `BasicBlock`s for small images: planar images `[N][3][S][S]` to features `[N, D]`.
///
/// Parameters carry torchvision's names behind a prefix. Cached for the backward pass: the stem's output
/// before its normalisation, what each block says, and the pooled maps.
final class ResNet {
  private let stem: Stem
  private let stemNorm: BatchNorm
  private let stemConvolved: Activation
  private let blocks: [BasicBlock]
  /// Training only: where the gradient of the last block's output begins.
  private let dMaps: Floats
  /// Training only, and empty where gradients take the place of the blocks' inputs: two buffers for
  /// gradients, in turns.
  private let gradients: [Floats]
  private let pooled: Activation
  private let dPooled: Activation
  private let fc: (layer: Linear, output: Activation)?
  private let compute: Compute

  /// Plans the network for at most `images` images of `imageSide` × `imageSide`. `views` as in `BatchNorm`.
  init(
    _ configuration: EncoderConfiguration, prefix: String, images: Int, imageSide: Int, views: Int,
    plan: NetworkPlan
  ) throws {
    compute = plan.compute
    let width = configuration.width
    let stemShape = ConvolutionShape(
      images: images, inputChannels: configuration.inputChannels, height: imageSide, width: imageSide,
      outputChannels: width, kernel: 3, padding: configuration.stemPadding)
    let side = stemShape.outputHeight
    stem = try Stem("\(prefix)conv1", stemShape, bias: configuration.stemBias, plan: plan)
    stemNorm = try BatchNorm("\(prefix)bn1", channels: width, views: views, plan: plan)
    let shapes = ResNet.shapes(configuration, images: images, side: side)
    let largest = shapes.map(\.outputCount).reduce(
      Activation.count(images: images, channels: width, height: side, width: side), max)
    let carriers = try (0..<2).map { _ in try plan.arena.allocate(plan.isTraining ? 0 : largest) }
    stemConvolved =
      plan.isTraining
      ? try plan.activation(images: images, channels: width, side: side)
      : carriers[0].activation(images: images, channels: width, side: side)
    let memories =
      plan.isTraining
      ? try ResNet.trainingMemories(shapes, plan: plan)
      : try ResNet.inferenceMemories(shapes, carriers: carriers, largest: largest, plan: plan)
    blocks = try ResNet.blocks(
      configuration, prefix: prefix, shapes, memories, views: views, plan: plan)
    let replaces = !plan.isTraining || blocks.dropFirst().allSatisfy { $0.canReplaceInput }
    gradients = replaces ? [] : [try plan.arena.allocate(largest), try plan.arena.allocate(largest)]
    dMaps = try plan.arena.allocate(plan.isTraining ? blocks.last?.output.storage.count ?? 0 : 0)
    pooled = try plan.activation(images: images, channels: configuration.pooledCount, side: 1)
    dPooled =
      plan.isTraining
      ? try plan.activation(images: images, channels: configuration.pooledCount, side: 1) : pooled
    if let outputs = configuration.fc {
      let layer = try Linear(
        "\(prefix)fc", rows: images, inputs: configuration.pooledCount, outputs: outputs, bias: true,
        plan: plan)
      fc = (layer, try plan.activation(images: images, channels: outputs, side: 1))
    } else {
      fc = nil
    }
  }

  /// Forward with batch statistics over the first `count` images; returns the features `[count, D]`.
  func forward(_ images: Floats, count: Int) -> Activation {
    let convolved = stemConvolved.images(0..<count)
    stem.forward(images, output: convolved, followedBy: stemNorm)
    var maps = convolved
    for (index, block) in blocks.enumerated() {
      maps = block.forward(maps, norm: index == 0 ? stemNorm : nil)
    }
    return head(maps)
  }

  /// Forward with running statistics over the first `count` images; returns the features `[count, D]`, or the
  /// pooled maps before `fc`.
  func evaluate(_ images: Floats, count: Int, layer: EncoderLayer) -> Activation {
    let convolved = stemConvolved.images(0..<count)
    stem.evaluate(images, output: convolved, followedBy: stemNorm.frozen(relu: true))
    let maps = blocks.reduce(convolved) { $1.evaluate($0) }
    return layer == .pooled ? pool(maps) : head(maps)
  }

  /// Backward from the gradient of the features, into the gradients of all parameters.
  ///
  /// `images` are those of the last `forward`; the cache is used up.
  func backward(_ images: Floats, dFeatures: Activation) {
    let range = 0..<dFeatures.images
    guard let last = blocks.last else { preconditionFailure("a ResNet has blocks") }
    var dPool = dFeatures
    if let (layer, _) = fc {
      layer.backwardParameters(input: pooled.images(range), dOutput: dFeatures)
      dPool = dPooled.images(range)
      layer.backwardInput(dOutput: dFeatures, dInput: dPool)
    }
    let convolved = stemConvolved.images(range)
    var gradient = dMaps.activation(like: last.output.images(range))
    compute.averagePoolBackward(dOutput: dPool, into: gradient)
    compute.receive(gradient, at: last.site(images: range))
    for (index, block) in blocks.enumerated().reversed() {
      guard index > 0 else {
        let dInput = block.spent(images: range)
        block.backward(input: convolved, norm: stemNorm, gradient: gradient, dInput: dInput) {
          stemNorm.site(input: convolved, mask: .recomputed, residual: $0)
        }
        gradient = dInput
        continue
      }
      let below = blocks[index - 1]
      let input = below.output.images(range)
      let dInput = gradients.isEmpty ? input : gradients[index % 2].activation(like: input)
      block.backward(input: input, gradient: gradient, dInput: dInput) {
        below.site(images: range, residual: $0)
      }
      gradient = dInput
    }
    stem.backwardParameters(
      images: images, dOutput: convolved, pending: stemNorm.pending(gradient, input: convolved))
  }

  private func head(_ maps: Activation) -> Activation {
    let pooled = pool(maps)
    guard let (layer, output) = fc else { return pooled }
    layer.forward(pooled, output: output.images(0..<maps.images))
    return output.images(0..<maps.images)
  }

  private func pool(_ maps: Activation) -> Activation {
    let output = pooled.images(0..<maps.images)
    compute.averagePool(maps, into: output)
    return output
  }

  private static func shapes(
    _ configuration: EncoderConfiguration, images: Int, side: Int
  ) -> [BlockShape] {
    var shapes: [BlockShape] = []
    for (stage, count) in configuration.architecture.blocks.enumerated() {
      for position in 0..<count {
        shapes.append(
          BlockShape(
            images: images, inputChannels: shapes.last?.channels ?? configuration.width,
            inputSide: shapes.last?.side ?? side, channels: configuration.width << stage,
            stride: stage > 0 && position == 0 ? 2 : 1))
      }
    }
    return shapes
  }

  /// What a block keeps lies unused before its forward and after its backward pass: just when the block
  /// before it runs, which takes it as scratch where it is large enough.
  private static func trainingMemories(
    _ shapes: [BlockShape], plan: NetworkPlan
  ) throws -> [BlockMemory] {
    let kept = try shapes.map { try plan.arena.allocate($0.keptMaps * $0.outputCount) }
    return try shapes.enumerated().map { index, shape in
      let count = shape.outputCount
      let next = index + 1 < kept.count ? kept[index + 1] : kept[index].slice(0, 0)
      return BlockMemory(
        convolved1: kept[index].slice(0, count), convolved2: kept[index].slice(count, count),
        downsampled: kept[index].slice(2 * count, (shape.keptMaps - 2) * count),
        output: try plan.arena.allocate(count),
        scratch: next.count >= shape.scratchCount ? next : try plan.arena.allocate(shape.scratchCount))
    }
  }

  /// Two buffers carry activations from block to block, in turns. A forward pass with batch statistics fits
  /// in the same memory: where a block has scratch and an identity, the one takes the place of the other.
  private static func inferenceMemories(
    _ shapes: [BlockShape], carriers: [Floats], largest: Int, plan: NetworkPlan
  ) throws -> [BlockMemory] {
    let convolved = try plan.arena.allocate(largest)
    let identity = try plan.arena.allocate(largest)
    return shapes.indices.map { index in
      let carrier = carriers[(index + 1) % 2]
      return BlockMemory(
        convolved1: convolved, convolved2: carrier, downsampled: identity, output: carrier,
        scratch: identity)
    }
  }

  private static func blocks(
    _ configuration: EncoderConfiguration, prefix: String, _ shapes: [BlockShape], _ memories: [BlockMemory],
    views: Int, plan: NetworkPlan
  ) throws -> [BasicBlock] {
    let names = configuration.architecture.blocks.enumerated().flatMap { stage, count in
      (0..<count).map { "\(prefix)layer\(stage + 1).\($0)" }
    }
    return try zip(names, zip(shapes, memories)).map { name, planned in
      try BasicBlock(name, planned.0, views: views, memory: planned.1, plan: plan)
    }
  }
}
