import Kernels
import Tensors

/// Batch normalisation over images and pixels, with the ReLU and the residual addition that may follow it.
///
/// `y = relu(γ (x − mean) / √(var + ε) + β + residual)`. The layers around it do part of its work in passes
/// of their own: the one before takes the statistics, the one after may normalise what it reads, and the one
/// that computes the gradient of the output applies this layer's `backwardEpilogue` to it. Cached for the
/// backward pass: mean and biased variance of each channel, once for each view that is normalised on its own.
/// The caller keeps the input, and the output where a residual was added. As `torch.nn.BatchNorm2d` /
/// `BatchNorm1d` with ε = 1e-5 and momentum 0.1.
final class BatchNorm {
  /// Share of a batch's statistics in the running ones.
  static let momentum: Float = 0.1

  /// What the layers around share with this one.
  let normalization: Normalization
  /// As the names of its parameters begin: `encoder.bn1`.
  let name: String
  /// The gradient of γ, `[C]`.
  let dWeight: Floats
  /// The gradient of β, `[C]`.
  let dBias: Floats
  private let runningMean: Buffer
  private let runningVariance: Buffer
  private let batchesTracked: Buffer
  private let compute: Compute
  private let check: FiniteCheck?

  /// Plans `name.weight`, `name.bias` and the running statistics of `channels` channels.
  ///
  /// - Parameters:
  ///   - views: 1 normalises the whole batch together; n normalises each of its n equal parts separately, as
  ///     n passes through the network would.
  ///   - initialWeight: what the weights start with.
  ///   - isAffine: false leaves weight and bias out, as `affine=False` does: 1 and 0.
  init(
    _ name: String, channels: Int, views: Int, initialWeight: Float = 1, isAffine: Bool = true,
    plan: NetworkPlan
  ) throws {
    self.name = plan.layerName(name)
    compute = plan.compute
    check = plan.check
    let parameters: NormParameters
    if isAffine {
      let weight = try plan.parameter("\(name).weight", [channels], .norm, initial: .constant(initialWeight))
      let bias = try plan.parameter("\(name).bias", [channels], .norm)
      parameters = NormParameters(weight: weight.value, bias: bias.value)
      (dWeight, dBias) = (weight.gradient, bias.gradient)
    } else {
      parameters = NormParameters(
        weight: try plan.arena.allocate(channels), bias: try plan.arena.allocate(channels))
      compute.fill(parameters.weight, with: 1)
      compute.fill(parameters.bias, with: 0)
      (dWeight, dBias) = (try plan.arena.allocate(channels), try plan.arena.allocate(channels))
    }
    runningMean = try plan.buffer("\(name).running_mean", [channels], value: 0)
    runningVariance = try plan.buffer("\(name).running_var", [channels], value: 1)
    batchesTracked = try plan.buffer("\(name).num_batches_tracked", [], value: 0, isCount: true)
    normalization = try Normalization(parameters, views: views, arena: plan.arena)
  }

  /// Normalises by the statistics of the batch. `output` may be `input` if no backward pass follows.
  ///
  /// The residual is a map as it is, or what `residualNorm` makes of it, with a ReLU.
  func normalize(
    _ input: Activation, residual: Activation? = nil, residualNorm: BatchNorm? = nil, relu: Bool,
    output: Activation
  ) {
    compute.normalize(
      input, normalization, residual: residual, residualNormalization: residualNorm?.normalization,
      relu: relu, output: output)
  }

  /// `input` as a convolution may read it, normalised and rectified.
  func map(_ input: Activation, scratch: Activation) -> NormalizedMap {
    NormalizedMap(input, normalization, scratch: scratch)
  }

  /// Normalisation by the running statistics, as in PyTorch's eval mode.
  func frozen(residual: Activation? = nil, relu: Bool) -> FrozenNormalization {
    FrozenNormalization(
      ChannelStatistics(mean: runningMean.value, variance: runningVariance.value), normalization.parameters,
      residual: residual, relu: relu)
  }

  /// The epilogue of the gradient of this layer's output; it overwrites the gradients of γ and β.
  func backwardEpilogue(input: Activation, mask: ReLUMask, residual: Activation? = nil) -> BackwardEpilogue {
    BackwardEpilogue(
      normalization, input: input, mask: mask, residual: residual, dWeight: dWeight, dBias: dBias)
  }

  /// Takes a gradient of this layer's output, and overwrites `dInput`, which may be `input` or `gradient`.
  func backward(input: Activation, open gradient: Activation, dInput: Activation) {
    compute.applyEpilogue(to: gradient, backwardEpilogue(input: input, mask: .none))
    backward(input: input, gradient: gradient, dInput: dInput)
  }

  /// The prologue by which the layer before computes the gradient of `input`, the input of the forward pass,
  /// from what this layer's epilogue has left.
  func backwardPrologue(_ gradient: Activation, input: Activation) -> BackwardPrologue {
    BackwardPrologue(gradient, behind: normalization, input: input)
  }

  /// Overwrites `dInput` from such a gradient; it may be `input` or `gradient`.
  func backward(input: Activation, gradient: Activation, dInput: Activation) {
    compute.normalizeBackward(backwardPrologue(gradient, input: input), dInput: dInput)
    check?.backward(self, dInput: dInput)
  }

  /// Moves the running statistics on by the batch's, each view in order; `input` is what was normalised.
  func updateRunning(by input: Activation) {
    compute.updateRunning(
      ChannelStatistics(mean: runningMean.value, variance: runningVariance.value),
      tracked: batchesTracked.value, by: normalization.statistics,
      count: input.images / normalization.views * input.pixels, momentum: BatchNorm.momentum)
  }
}
