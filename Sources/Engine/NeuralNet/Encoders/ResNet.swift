import Kernels
import Recipe
import Tensors

/// A ResNet: planar images `[N][3][S][S]` to features `[N, D]`.
///
/// Parameters carry torchvision's names behind a prefix. Cached for the backward pass: what the stem and each
/// block say, and the pooled maps.
final class ResNet {
  /// What the network computes.
  let description: NetworkDescription
  private let stem: EncoderStem
  private let blocks: [ResidualBlock]
  /// Training only: where the gradient of the last block's output begins.
  private let dMaps: Floats
  /// Training only, and empty where gradients take the place of the blocks' inputs: two buffers for
  /// gradients, in turns.
  private let gradients: [Floats]
  private let poolName: String
  private let pooled: Activation
  private let dPooled: Activation
  private let fc: (layer: Linear, output: Activation)?
  private let check: FiniteCheck?
  private let compute: Compute

  /// Plans the network for at most `images` images of `imageSide` × `imageSide`. `views` as in `BatchNorm`.
  ///
  /// Throws `NetworkDescriptionError` for images that are too small, `SystemError` without memory.
  init(
    _ configuration: EncoderSpecification, prefix: String, images: Int, imageSide: Int, views: Int,
    plan: NetworkPlan
  ) throws {
    let network = try NetworkDescription(configuration, imageSide: imageSide, prefix: prefix)
    description = network
    check = plan.check
    poolName = plan.layerName("\(prefix)avgpool")
    compute = plan.compute
    let memory = try NetworkMemory(network, images: images, plan: plan)
    stem = try EncoderStem(network, images: images, views: views, memory: memory.stem, plan: plan)
    blocks = try zip(network.blocks, memory.blocks).map { block, memory in
      try ResidualBlock(block, images: images, views: views, memory: memory, plan: plan)
    }
    let replaces = !plan.isTraining || blocks.dropFirst().allSatisfy { $0.canReplaceInput }
    let largest = network.blocks.map { $0.last.outputCount(images: images) }.max() ?? 0
    gradients = replaces ? [] : [try plan.arena.allocate(largest), try plan.arena.allocate(largest)]
    dMaps = try plan.arena.allocate(plan.isTraining ? blocks.last?.output.storage.count ?? 0 : 0)
    pooled = try plan.activation(images: images, channels: network.pooledCount, side: 1)
    dPooled =
      plan.isTraining
      ? try plan.activation(images: images, channels: network.pooledCount, side: 1) : pooled
    if let linear = network.fc {
      let layer = try Linear(
        linear.name, rows: images, inputs: linear.inputs, outputs: linear.outputs, bias: true, plan: plan)
      fc = (layer, try plan.activation(images: images, channels: linear.outputs, side: 1))
    } else {
      fc = nil
    }
  }

  /// Forward with batch statistics over the first `count` images; returns the features `[count, D]`.
  func forward(_ images: Floats, count: Int) -> Activation {
    var (maps, norm) = stem.forward(images, count: count)
    for block in blocks {
      maps = block.forward(maps, norm: norm)
      norm = nil
    }
    return head(maps)
  }

  /// Forward with running statistics over the first `count` images; returns the features `[count, D]`, or the
  /// pooled maps before `fc`.
  func evaluate(_ images: Floats, count: Int, layer: EncoderLayer) -> Activation {
    let maps = blocks.reduce(stem.evaluate(images, count: count)) { $1.evaluate($0) }
    return layer == .pooled ? pool(maps) : head(maps)
  }

  /// Backward from the gradient of the features, into the gradients of all parameters.
  ///
  /// `images` are those of the last `forward`; the cache is used up.
  func backward(_ images: Floats, dFeatures: Activation) {
    let range = 0..<dFeatures.images
    guard let first = blocks.first, let last = blocks.last else {
      preconditionFailure("a ResNet has blocks")
    }
    var dPool = dFeatures
    if let (layer, _) = fc {
      layer.backwardParameters(input: pooled.images(range), dOutput: dFeatures)
      dPool = dPooled.images(range)
      layer.backwardInput(dOutput: dFeatures, dInput: dPool)
    }
    var gradient = dMaps.activation(like: last.output.images(range))
    compute.averagePoolBackward(dOutput: dPool, into: gradient)
    compute.applyEpilogue(to: gradient, last.backwardEpilogue(images: range))
    for index in blocks.indices.dropFirst().reversed() {
      let below = blocks[index - 1]
      let input = below.output.images(range)
      let dInput = gradients.isEmpty ? input : gradients[index % 2].activation(like: input)
      blocks[index].backward(input: input, gradient: gradient, dInput: dInput) {
        below.backwardEpilogue(images: range, residual: $0)
      }
      gradient = dInput
    }
    stem.backward(images, through: first, gradient: gradient)
  }

  /// The pooled maps of the first `count` images of the last pass, before `fc`.
  func pooledMaps(count: Int) -> Activation { pooled.images(0..<count) }

  private func head(_ maps: Activation) -> Activation {
    let pooled = pool(maps)
    guard let (layer, output) = fc else { return pooled }
    layer.forward(pooled, output: output.images(0..<maps.images))
    return output.images(0..<maps.images)
  }

  private func pool(_ maps: Activation) -> Activation {
    let output = pooled.images(0..<maps.images)
    compute.averagePool(maps, into: output)
    check?.forward(poolName, output) { $0.finiteness(of: maps) }
    return output
  }
}
