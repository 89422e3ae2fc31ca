import Kernels
import Tensors

/// The sizes of a block: `[N, C, S, S]` to `[N, K, S′, S′]`.
struct BlockShape {
  /// Most images, N.
  let images: Int
  /// C.
  let inputChannels: Int
  /// S.
  let inputSide: Int
  /// K.
  let channels: Int
  /// Of the first convolution.
  let stride: Int

  /// S′.
  var side: Int { (inputSide - 1) / stride + 1 }
  /// Whether the identity needs a convolution to fit the output.
  var isDownsampled: Bool { stride != 1 || inputChannels != channels }
  /// Floats of the output.
  var outputCount: Int { Activation.count(images: images, channels: channels, height: side, width: side) }
  /// Maps of the output's size that a training keeps between its passes, beside the output.
  var keptMaps: Int { isDownsampled ? 3 : 2 }
  /// Floats that a training needs inside a pass.
  var scratchCount: Int {
    let input = Activation.count(
      images: images, channels: inputChannels, height: inputSide, width: inputSide)
    return max(outputCount, isDownsampled ? input : 0)
  }
}

/// The memory of a block.
struct BlockMemory {
  /// What the first convolution gives.
  let convolved1: Floats
  /// What the second convolution gives.
  let convolved2: Floats
  /// What the downsampling convolution gives, where there is one.
  let downsampled: Floats
  /// What the block gives; for inference it may be `convolved2`.
  let output: Floats
  /// Training only: what lives only inside a pass, `BlockShape.scratchCount` floats.
  let scratch: Floats
}

/// torchvision's `BasicBlock`: `relu(bn2(conv2(relu(bn1(conv1(x))))) + identity(x))`.
///
/// Cached for the backward pass: both convolutions' outputs, the downsample's, and the block's output. What
/// lies between the convolutions is normalised where it is read, and so is the input of a block that the stem
/// feeds. The backward pass overwrites what it has used up.
final class BasicBlock {
  /// What the last forward pass gave, `[N, K, H′, W′]`.
  let output: Activation
  private let conv1: Convolution2D
  private let norm1: BatchNorm
  private let conv2: Convolution2D
  private let norm2: BatchNorm
  private let downsample: (convolution: Convolution2D, norm: BatchNorm, output: Activation)?
  private let convolved1: Activation
  private let convolved2: Activation
  private let scratch: Floats
  private let compute: Compute

  /// Plans block `name` with its parameters.
  init(_ name: String, _ shape: BlockShape, views: Int, memory: BlockMemory, plan: NetworkPlan) throws {
    compute = plan.compute
    let first = ConvolutionShape(
      images: shape.images, inputChannels: shape.inputChannels, height: shape.inputSide,
      width: shape.inputSide, outputChannels: shape.channels, kernel: 3, stride: shape.stride, padding: 1)
    conv1 = try Convolution2D("\(name).conv1", first, plan: plan)
    norm1 = try BatchNorm("\(name).bn1", channels: shape.channels, views: views, plan: plan)
    let second = ConvolutionShape(
      images: shape.images, inputChannels: shape.channels, height: shape.side, width: shape.side,
      outputChannels: shape.channels, kernel: 3, padding: 1)
    conv2 = try Convolution2D("\(name).conv2", second, plan: plan)
    norm2 = try BatchNorm("\(name).bn2", channels: shape.channels, views: views, plan: plan)

    func activation(_ floats: Floats) -> Activation {
      floats.activation(images: shape.images, channels: shape.channels, side: shape.side)
    }
    if shape.isDownsampled {
      let narrow = ConvolutionShape(
        images: shape.images, inputChannels: shape.inputChannels, height: shape.inputSide,
        width: shape.inputSide, outputChannels: shape.channels, kernel: 1, stride: shape.stride)
      downsample = (
        try Convolution2D("\(name).downsample.0", narrow, plan: plan),
        try BatchNorm("\(name).downsample.1", channels: shape.channels, views: views, plan: plan),
        activation(memory.downsampled)
      )
    } else {
      downsample = nil
    }
    convolved1 = activation(memory.convolved1)
    convolved2 = activation(memory.convolved2)
    output = activation(memory.output)
    scratch = memory.scratch
  }

  /// Forward with batch statistics; returns `output` for as many images as `input` has.
  ///
  /// With `norm`, which a downsampled block does not take, the block's input is what `norm` makes of `input`,
  /// with a ReLU.
  func forward(_ input: Activation, norm: BatchNorm? = nil) -> Activation {
    precondition(norm == nil || downsample == nil, "only the stem's maps are normalised on the way")
    let images = 0..<input.images
    let x1 = convolved1.images(images)
    let x2 = convolved2.images(images)
    let inner = scratch.activation(like: x1)
    if let norm {
      conv1.forward(norm.map(input, scratch: inner), output: x1, followedBy: norm1)
    } else {
      conv1.forward(input, output: x1, followedBy: norm1)
    }
    conv2.forward(norm1.map(x1, scratch: inner), output: x2, followedBy: norm2)
    var identity = input
    if let (convolution, norm, convolved) = downsample {
      identity = inner
      convolution.forward(input, output: convolved.images(images), followedBy: norm)
      norm.normalize(convolved.images(images), relu: false, output: identity)
    }
    let result = output.images(images)
    norm2.normalize(x2, residual: identity, residualNorm: norm, relu: true, output: result)
    return result
  }

  /// Forward with running statistics; returns memory that the next but one block overwrites.
  func evaluate(_ input: Activation) -> Activation {
    let images = 0..<input.images
    let x1 = convolved1.images(images)
    let x2 = convolved2.images(images)
    conv1.evaluate(input, output: x1, followedBy: norm1.frozen(relu: true))
    var identity = input
    if let (convolution, norm, convolved) = downsample {
      identity = convolved.images(images)
      convolution.evaluate(input, output: identity, followedBy: norm.frozen(relu: false))
    }
    conv2.evaluate(x1, output: x2, followedBy: norm2.frozen(residual: identity, relu: true))
    return x2
  }

  /// Whether the gradient of the input may take the place of the input.
  var canReplaceInput: Bool { conv1.receivesOnTheWay(views: norm1.normalization.views) }

  /// Where the gradient of `output` arrives, for as many images as `residual` has.
  ///
  /// `residual` is a gradient of `output` from elsewhere, to be added.
  func site(images: Range<Int>, residual: Activation? = nil) -> GradientSite {
    norm2.site(input: convolved2.images(images), mask: .output(output.images(images)), residual: residual)
  }

  /// Memory of the output's shape that `backward` has used up before it writes `dInput`.
  func spent(images: Range<Int>) -> Activation { convolved2.images(images) }

  /// Backward: from the gradient of `output`, received at this block's site, to that of the block's input,
  /// which is received at the site that `below` makes of the gradient from the identity.
  ///
  /// `input` and `norm` are those of the last `forward`. `dInput` may be `input` if `canReplaceInput` and
  /// there is no `norm`.
  func backward(
    input: Activation, norm: BatchNorm? = nil, gradient: Activation, dInput: Activation,
    below: (Activation) -> GradientSite
  ) {
    let images = 0..<input.images
    let x1 = convolved1.images(images)
    let x2 = convolved2.images(images)
    let inner = scratch.activation(like: x1)
    conv2.backwardParameters(
      input: norm1.map(x1, scratch: inner), dOutput: x2, pending: norm2.pending(gradient, input: x2))
    conv2.backwardInput(dOutput: x2, dInput: inner, site: norm1.site(input: x1, mask: .recomputed))
    let pending = norm1.pending(inner, input: x1)
    if let norm {
      conv1.backwardParameters(input: norm.map(input, scratch: inner), dOutput: x1, pending: pending)
    } else {
      conv1.backwardParameters(input: input, dOutput: x1, pending: pending)
    }
    guard let (convolution, norm, convolved) = downsample else {
      conv1.backwardInput(dOutput: x1, dInput: dInput, site: below(gradient))
      return
    }
    let xd = convolved.images(images)
    let branch = scratch.activation(like: input)
    compute.receive(gradient, at: norm.site(input: xd, mask: .none))
    convolution.backwardParameters(input: input, dOutput: xd, pending: norm.pending(gradient, input: xd))
    convolution.backwardInput(dOutput: xd, dInput: branch)
    conv1.backwardInput(dOutput: x1, dInput: dInput, site: below(branch))
  }
}

extension Floats {
  /// The start of this memory as an activation.
  func activation(images: Int, channels: Int, side: Int) -> Activation {
    let count = Activation.count(images: images, channels: channels, height: side, width: side)
    return Activation(
      images: images, channels: channels, height: side, width: side, storage: slice(0, count))
  }

  /// The start of this memory as an activation of the same shape as `other`.
  func activation(like other: Activation) -> Activation {
    activation(images: other.images, channels: other.channels, side: other.height)
  }
}
