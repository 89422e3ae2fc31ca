import Kernels
import Tensors

/// The start of an encoder: a convolution on planar images, its normalisation, a ReLU and, in networks for
/// large images, max-pooling.
///
/// Where the first block can normalise what it reads, the maps are never written normalised. Cached for the
/// backward pass: what the convolution gave, and what the first block reads.
final class EncoderStem {
  private let stem: Stem
  private let norm: BatchNorm
  private let pool: PoolWindow?
  /// What the convolution gave.
  private let convolved: Activation
  /// What the first block reads; `nil` where that is `convolved`, which it normalises itself.
  private let output: Activation?
  /// Training with pooling only: the gradient in front of the pooling.
  private let dConvolved: Floats
  private let compute: Compute

  /// The memory of a stem.
  struct Memory {
    /// For what the convolution gives.
    let convolved: Floats
    /// For what the first block reads, unless it reads `convolved`.
    let output: Floats?
    /// Training with pooling only: what is unused when the backward pass arrives here, as large as
    /// `convolved`.
    let dConvolved: Floats
  }

  /// Plans the stem of `network` for at most `images` images. `views` as in `BatchNorm`.
  init(_ network: NetworkDescription, images: Int, views: Int, memory: Memory, plan: NetworkPlan) throws {
    let unit = network.stem
    var shape = unit.shape
    shape.images = images
    compute = plan.compute
    pool = network.stemPool
    // torchvision initialises its own stem as every convolution; one that replaces it has PyTorch's default.
    stem = try Stem(
      unit.convolution, shape, bias: unit.hasBias, initial: pool == nil ? .uniformFanIn : .normalFanOut,
      plan: plan)
    norm = try BatchNorm(unit.norm, channels: unit.channels, views: views, plan: plan)
    convolved = memory.convolved.activation(images: images, channels: unit.channels, side: unit.side)
    output = memory.output?.activation(images: images, channels: unit.channels, side: network.stemSide)
    dConvolved = memory.dConvolved
  }

  /// Forward with batch statistics over the first `count` images; returns what the first block reads, and the
  /// normalisation that it applies to it, with a ReLU.
  func forward(_ images: Floats, count: Int) -> (maps: Activation, norm: BatchNorm?) {
    let maps = convolved.images(0..<count)
    stem.forward(images, output: maps, followedBy: norm)
    guard let output else { return (maps, norm) }
    let result = output.images(0..<count)
    if let pool {
      compute.maxPool(maps, pool, normalization: norm.normalization, into: result)
    } else {
      norm.normalize(maps, relu: true, output: result)
    }
    return (result, nil)
  }

  /// Forward with running statistics over the first `count` images.
  func evaluate(_ images: Floats, count: Int) -> Activation {
    let maps = convolved.images(0..<count)
    stem.evaluate(images, output: maps, followedBy: norm.frozen(relu: true))
    guard let pool, let output else { return maps }
    let result = output.images(0..<count)
    compute.maxPool(maps, pool, into: result)
    return result
  }

  /// Backward through the first block, from the gradient of its output, and through the stem, into the
  /// gradients of its parameters. `images` are those of the last `forward`.
  func backward(_ images: Floats, through block: ResidualBlock, gradient: Activation) {
    let range = 0..<gradient.images
    let maps = convolved.images(range)
    var dMaps = block.spent(images: range)
    if let output {
      let input = output.images(range)
      // The block's input is used up when its gradient is written.
      block.backward(input: input, gradient: gradient, dInput: input) {
        pool == nil ? backwardEpilogue(maps, residual: $0) : nil
      }
      dMaps = input
    } else {
      block.backward(input: maps, norm: norm, gradient: gradient, dInput: dMaps) {
        backwardEpilogue(maps, residual: $0)
      }
    }
    if let pool {
      let dPooled = dMaps
      dMaps = dConvolved.activation(like: maps)
      compute.maxPoolBackward(
        input: maps, pool, normalization: norm.normalization, dOutput: dPooled, into: dMaps)
      compute.applyEpilogue(to: dMaps, backwardEpilogue(maps))
    }
    stem.backwardParameters(
      images: images, dOutput: maps, prologue: norm.backwardPrologue(dMaps, input: maps))
  }

  /// The epilogue of the gradient of the normalised and rectified maps.
  private func backwardEpilogue(_ maps: Activation, residual: Activation? = nil) -> BackwardEpilogue {
    norm.backwardEpilogue(input: maps, mask: .recomputed, residual: residual)
  }
}
