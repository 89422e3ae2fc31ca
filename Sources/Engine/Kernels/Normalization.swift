import KernelsABI
import Platform
import TensorElements
import Tensors

/// Mean and variance of each channel over images and pixels.
package struct ChannelStatistics: Sendable {
  /// The mean of each of C channels.
  package let mean: Floats
  /// The biased variance of each of C channels (divided by the count, not count − 1).
  package let variance: Floats

  /// Two runs of C floats.
  package init(mean: Floats, variance: Floats) {
    precondition(mean.count == variance.count, "one mean and one variance a channel")
    self.mean = mean
    self.variance = variance
  }
}

/// Weight and bias of a normalisation with its epsilon.
package struct NormParameters: Sendable {
  /// γ, C floats.
  package let weight: Floats
  /// β, C floats.
  package let bias: Floats
  /// What is added to the variance.
  package let epsilon: Float

  /// γ and β have C floats each.
  package init(weight: Floats, bias: Floats, epsilon: Float = 1e-5) {
    precondition(weight.count == bias.count, "one weight and one bias a channel")
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }

  /// 1 / √(variance + ε).
  func inverseDeviation(_ channel: Int, _ statistics: ChannelStatistics) -> Float {
    1 / (statistics.variance[channel] + epsilon).squareRoot()
  }
}

/// A batch normalisation of C channels with batch statistics: what its passes, fused into convolutions or on
/// their own, share from the forward to the backward pass.
package struct Normalization: Sendable {
  /// γ, β and ε.
  package let parameters: NormParameters
  /// The batch's statistics, for each view that is normalised on its own: all of the batch, or equal parts.
  package let statistics: [ChannelStatistics]
  /// `[views][blocks][NormConstants.count]`
  let constants: Floats

  /// Most parts of a batch that are normalised on their own: 8 global and 8 local views.
  package static let viewsMax = 16

  /// Takes memory for the statistics of `views` parts of a batch. Throws `SystemError` without memory.
  package init(_ parameters: NormParameters, views: Int, arena: Arena) throws(SystemError) {
    precondition((1...Normalization.viewsMax).contains(views), "a batch has 1 to 16 views")
    self.parameters = parameters
    let channels = parameters.weight.count
    var statistics: [ChannelStatistics] = []
    for _ in 0..<views {
      statistics.append(
        ChannelStatistics(mean: try arena.allocate(channels), variance: try arena.allocate(channels)))
    }
    self.statistics = statistics
    constants = try arena.allocate(views * ((channels + 15) / 16) * NormConstants.count)
  }

  /// Channels, C.
  package var channels: Int { parameters.weight.count }
  /// Parts of the batch that are normalised on their own.
  package var views: Int { statistics.count }
  /// Blocks of 16 channels.
  var blocks: Int { (channels + 15) / 16 }
  /// Floats from the constants of one view to those of the next.
  var constantsStride: Int { blocks * NormConstants.count }

  /// The constants of a view's first block.
  func constants(view: Int) -> Out { constants.pointer + view * constantsStride }

  /// The images of one view among `images`.
  package func images(of view: Int, among images: Int) -> Range<Int> {
    precondition(images.isMultiple(of: views), "each view has the same number of images")
    let share = images / views
    return view * share..<(view + 1) * share
  }
}

/// How a ReLU after the normalisation is undone in the backward pass.
package enum ReLUMask {
  /// There was no ReLU.
  case none
  /// The sign of γ·x̂ + β, computed again from the input; right when nothing was added before the ReLU.
  case recomputed
  /// What came out of the ReLU: the gradient passes where it is positive.
  case output(Activation)

  /// The kernels' name of the mask, and what they read to evaluate it.
  func resolved(_ input: Activation) -> (kind: Int, output: In) {
    switch self {
    case .none: return (GradientMask.none, In(input.storage.pointer))
    case .recomputed: return (GradientMask.recomputed, In(input.storage.pointer))
    case .output(let output):
      precondition(output.sameShape(as: input), "shapes must agree")
      return (GradientMask.output, In(output.storage.pointer))
    }
  }
}

/// The first half of the backward pass of normalisation, addition of a residual and ReLU, as an epilogue of
/// the kernel that computes the gradient of what they gave: adds the residual's gradient, masks by the ReLU,
/// and sums up the gradients of γ and β. `BackwardPrologue` is the second half.
package struct BackwardEpilogue {
  /// The normalisation of the forward pass.
  package let normalization: Normalization
  /// What it normalised.
  package let input: Activation
  /// How its ReLU is undone.
  package let mask: ReLUMask
  /// A gradient of the same map from elsewhere that is added first; may be the gradient's own memory.
  package let residual: Activation?
  /// Where the gradients of γ and β go, C floats each; overwritten.
  package let dWeight: Floats
  /// As `dWeight`.
  package let dBias: Floats

  /// See the properties.
  package init(
    _ normalization: Normalization, input: Activation, mask: ReLUMask, residual: Activation? = nil,
    dWeight: Floats, dBias: Floats
  ) {
    precondition(
      input.channels == normalization.channels && dWeight.count == input.channels
        && dBias.count == input.channels && residual?.sameShape(as: input) ?? true, "shapes must agree")
    self.normalization = normalization
    self.input = input
    self.mask = mask
    self.residual = residual
    self.dWeight = dWeight
    self.dBias = dBias
  }
}

/// A map that a convolution reads normalised and rectified: `max(0, γ x̂ + β)`.
package struct NormalizedMap {
  /// The map before its normalisation.
  package let input: Activation
  /// The normalisation, whose statistics are those of `input`.
  package let normalization: Normalization
  /// Memory of the same shape for algorithms that cannot normalise as they read.
  package let scratch: Activation

  /// See the properties.
  package init(_ input: Activation, _ normalization: Normalization, scratch: Activation) {
    precondition(
      scratch.sameShape(as: input) && input.channels == normalization.channels, "shapes must agree")
    self.input = input
    self.normalization = normalization
    self.scratch = scratch
  }
}

/// A normalisation by given statistics behind a convolution, with the addition of a residual and the ReLU
/// that may follow: `relu(γ (y − mean) / √(variance + ε) + β + residual)`.
package struct FrozenNormalization {
  /// Mean and variance of each channel.
  package let statistics: ChannelStatistics
  /// γ, β and ε.
  package let parameters: NormParameters
  /// A map of the output's shape that is added.
  package let residual: Activation?
  /// Whether a ReLU follows.
  package let relu: Bool

  /// See the properties.
  package init(
    _ statistics: ChannelStatistics, _ parameters: NormParameters, residual: Activation? = nil, relu: Bool
  ) {
    self.statistics = statistics
    self.parameters = parameters
    self.residual = residual
    self.relu = relu
  }
}

/// The second half of the backward pass of a normalisation, as a prologue of the kernel that reads the
/// gradient of what was normalised: computes that gradient from what a `BackwardEpilogue` has left.
package struct BackwardPrologue {
  /// The normalisation.
  package let normalization: Normalization
  /// What it normalised, `[N, C, H, W]`; N is a multiple of the views.
  package let input: Activation
  /// What the epilogue has left, of the same shape.
  package let gradient: Activation

  /// See the properties.
  package init(_ gradient: Activation, behind normalization: Normalization, input: Activation) {
    precondition(
      gradient.sameShape(as: input) && input.channels == normalization.channels, "shapes must agree")
    precondition(
      input.images.isMultiple(of: normalization.views), "each view has the same number of images")
    self.normalization = normalization
    self.input = input
    self.gradient = gradient
  }

  /// Passes lines of one channel block of one view, from `offset` in the maps' memory on.
  func pass(_ runs: Runs, at offset: Int, view: Int, block: Int, into dInput: Out, _ kernels: KernelTable) {
    let constants = normalization.constants(view: view) + block * NormConstants.count
    kernels.applyNormGradient(
      input.storage.pointer + offset, gradient.storage.pointer + offset, constants, runs, dInput + offset)
  }

  /// The view of an image.
  func view(of image: Int) -> Int { image / (input.images / normalization.views) }
}
