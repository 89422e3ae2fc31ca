import Kernels
import Tensors

/// Memory that the blocks of a network use one after another; each as large as the largest activation.
struct BlockWorkspace {
  /// Inference only: two buffers that carry activations from block to block, in turns.
  let carriers: [Floats]
  /// What lives only inside a block.
  let scratch: Floats
  /// Inference only: the downsampled identity.
  let identity: Floats
}

/// torchvision's `BasicBlock`: `relu(bn2(conv2(relu(bn1(conv1(x))))) + identity(x))`.
///
/// Cached for the backward pass: both convolutions' outputs, the downsample's, and the block's output. What
/// lies between the convolutions is normalised where it is read. The backward pass overwrites what it has
/// used up.
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
  private let workspace: BlockWorkspace
  private let compute: Compute

  /// Plans block `name`, the `index`-th of its network, from `inputChannels` maps of `side` × `side`.
  init(
    _ name: String, index: Int, images: Int, inputChannels: Int, channels: Int, side: Int,
    stride: Int, views: Int, workspace: BlockWorkspace, plan: NetworkPlan
  ) throws {
    self.workspace = workspace
    compute = plan.compute
    let first = ConvolutionShape(
      images: images, inputChannels: inputChannels, height: side, width: side, outputChannels: channels,
      kernel: 3, stride: stride, padding: 1)
    let outputSide = first.outputHeight
    conv1 = try Convolution2D("\(name).conv1", first, plan: plan)
    norm1 = try BatchNorm("\(name).bn1", channels: channels, views: views, plan: plan)
    let second = ConvolutionShape(
      images: images, inputChannels: channels, height: outputSide, width: outputSide,
      outputChannels: channels,
      kernel: 3, padding: 1)
    conv2 = try Convolution2D("\(name).conv2", second, plan: plan)
    norm2 = try BatchNorm("\(name).bn2", channels: channels, views: views, plan: plan)

    func activation(inference floats: Floats) throws -> Activation {
      if plan.isTraining { return try plan.activation(images: images, channels: channels, side: outputSide) }
      return floats.activation(images: images, channels: channels, side: outputSide)
    }
    if stride != 1 || inputChannels != channels {
      let shape = ConvolutionShape(
        images: images, inputChannels: inputChannels, height: side, width: side, outputChannels: channels,
        kernel: 1, stride: stride)
      downsample = (
        try Convolution2D("\(name).downsample.0", shape, plan: plan),
        try BatchNorm("\(name).downsample.1", channels: channels, views: views, plan: plan),
        try activation(inference: workspace.identity)
      )
    } else {
      downsample = nil
    }
    let carrier = workspace.carriers[(index + 1) % 2]
    convolved1 = try activation(inference: workspace.scratch)
    convolved2 = try activation(inference: carrier)
    output = plan.isTraining ? try activation(inference: carrier) : convolved2
  }

  /// Forward with batch statistics; returns `output` for as many images as `input` has.
  func forward(_ input: Activation) -> Activation {
    let images = 0..<input.images
    let x1 = convolved1.images(images)
    let x2 = convolved2.images(images)
    let inner = workspace.scratch.activation(like: x1)
    conv1.forward(input, output: x1, followedBy: norm1)
    conv2.forward(norm1.map(x1, scratch: inner), output: x2, followedBy: norm2)
    var identity = input
    if let (convolution, norm, convolved) = downsample {
      identity = inner
      convolution.forward(input, output: convolved.images(images), followedBy: norm)
      norm.normalize(convolved.images(images), relu: false, output: identity)
    }
    let result = output.images(images)
    norm2.normalize(x2, residual: identity, relu: true, output: result)
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

  /// Backward: from the gradient of `output`, received at this block's site, to that of `input`, which is
  /// received at the site that `below` makes of the gradient from the identity.
  ///
  /// `input` is that of the last `forward`. `dInput` may be `input` if `canReplaceInput`.
  func backward(
    input: Activation, gradient: Activation, dInput: Activation, below: (Activation) -> GradientSite
  ) {
    let images = 0..<input.images
    let x1 = convolved1.images(images)
    let x2 = convolved2.images(images)
    let inner = workspace.scratch.activation(like: x1)
    norm2.backward(input: x2, gradient: gradient, dInput: x2)
    conv2.backwardParameters(input: norm1.map(x1, scratch: inner), dOutput: x2)
    conv2.backwardInput(dOutput: x2, dInput: inner, site: norm1.site(input: x1, mask: .recomputed))
    norm1.backward(input: x1, gradient: inner, dInput: x1)
    conv1.backwardParameters(input: input, dOutput: x1)
    guard let (convolution, norm, convolved) = downsample else {
      conv1.backwardInput(dOutput: x1, dInput: dInput, site: below(gradient))
      return
    }
    let xd = convolved.images(images)
    let branch = workspace.scratch.activation(like: input)
    compute.receive(gradient, at: norm.site(input: xd, mask: .none))
    norm.backward(input: xd, gradient: gradient, dInput: xd)
    convolution.backwardParameters(input: input, dOutput: xd)
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
