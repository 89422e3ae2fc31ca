import Kernels
import Tensors

/// A ResNet of `BasicBlock`s for small images: planar images `[N][3][S][S]` to features `[N, D]`.
///
/// Parameters carry torchvision's names behind a prefix. Cached for the backward pass: the stem's output
/// before and after its normalisation, what each block says, and the pooled maps.
final class ResNet {
  private let stem: Stem
  private let stemNorm: BatchNorm
  private let stemConvolved: Activation
  private let stemOutput: Activation
  private let blocks: [BasicBlock]
  /// Training only: where the gradient of the last block's output begins.
  private let dMaps: Floats
  /// Training only, and empty where gradients take the place of the blocks' inputs: two buffers for
  /// gradients, in turns.
  private let carriers: [Floats]
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
    let workspace = try ResNet.workspace(images: images, width: width, side: side, plan: plan)
    stem = try Stem("\(prefix)conv1", stemShape, bias: configuration.stemBias, plan: plan)
    stemNorm = try BatchNorm("\(prefix)bn1", channels: width, views: views, plan: plan)
    stemOutput =
      plan.isTraining
      ? try plan.activation(images: images, channels: width, side: side)
      : workspace.carriers[0].activation(images: images, channels: width, side: side)
    stemConvolved =
      plan.isTraining ? try plan.activation(images: images, channels: width, side: side) : stemOutput
    blocks = try ResNet.blocks(
      configuration, prefix: prefix, images: images, side: side, views: views, workspace: workspace,
      plan: plan)
    let largest = stemOutput.storage.count
    let replaces = !plan.isTraining || blocks.allSatisfy { $0.canReplaceInput }
    carriers = replaces ? [] : [try plan.arena.allocate(largest), try plan.arena.allocate(largest)]
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
    stemNorm.normalize(convolved, relu: true, output: stemOutput.images(0..<count))
    return head(blocks.reduce(stemOutput.images(0..<count)) { $1.forward($0) })
  }

  /// Forward with running statistics over the first `count` images; returns the features `[count, D]`.
  func evaluate(_ images: Floats, count: Int) -> Activation {
    let convolved = stemConvolved.images(0..<count)
    stem.evaluate(images, output: convolved, followedBy: stemNorm.frozen(relu: true))
    return head(blocks.reduce(convolved) { $1.evaluate($0) })
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
      let input = (index > 0 ? blocks[index - 1].output : stemOutput).images(range)
      let dInput = carriers.isEmpty ? input : carriers[index % 2].activation(like: input)
      block.backward(input: input, gradient: gradient, dInput: dInput) { residual in
        index > 0
          ? blocks[index - 1].site(images: range, residual: residual)
          : stemNorm.site(input: convolved, mask: .recomputed, residual: residual)
      }
      gradient = dInput
    }
    stemNorm.backward(input: convolved, gradient: gradient, dInput: convolved)
    stem.backwardParameters(images: images, dOutput: convolved)
  }

  private func head(_ maps: Activation) -> Activation {
    let range = 0..<maps.images
    compute.averagePool(maps, into: pooled.images(range))
    guard let (layer, output) = fc else { return pooled.images(range) }
    layer.forward(pooled.images(range), output: output.images(range))
    return output.images(range)
  }

  private static func workspace(
    images: Int, width: Int, side: Int, plan: NetworkPlan
  ) throws -> BlockWorkspace {
    // Each stage doubles the channels and at least halves the pixels: the first one is the largest.
    let largest = Activation.count(images: images, channels: width, height: side, width: side)
    return BlockWorkspace(
      carriers: try (0..<2).map { _ in try plan.arena.allocate(plan.isTraining ? 0 : largest) },
      scratch: try plan.arena.allocate(largest),
      identity: try plan.arena.allocate(plan.isTraining ? 0 : largest))
  }

  private static func blocks(
    _ configuration: EncoderConfiguration, prefix: String, images: Int, side: Int, views: Int,
    workspace: BlockWorkspace, plan: NetworkPlan
  ) throws -> [BasicBlock] {
    var blocks: [BasicBlock] = []
    var channels = configuration.width
    var side = side
    for (stage, count) in configuration.architecture.blocks.enumerated() {
      for position in 0..<count {
        let block = try BasicBlock(
          "\(prefix)layer\(stage + 1).\(position)", index: blocks.count, images: images,
          inputChannels: channels, channels: configuration.width << stage, side: side,
          stride: stage > 0 && position == 0 ? 2 : 1, views: views, workspace: workspace, plan: plan)
        channels = configuration.width << stage
        side = block.output.height
        blocks.append(block)
      }
    }
    return blocks
  }
}
