import Kernels
import Tensors

/// Batch normalisation over images and pixels, with the ReLU and the residual addition that may follow it.
///
/// `y = relu(γ (x − mean) / √(var + ε) + β + residual)`. Cached for the backward pass: mean and biased
/// variance of each channel, once for each view that is normalised on its own. The caller keeps the input,
/// and the output where a residual was added. As `torch.nn.BatchNorm2d` / `BatchNorm1d` with ε = 1e-5 and
/// momentum 0.1.
final class BatchNorm {
  /// Share of a batch's statistics in the running ones.
  static let momentum: Float = 0.1

  private let weight: Parameter
  private let bias: Parameter
  private let runningMean: Buffer
  private let runningVariance: Buffer
  private let batchesTracked: Buffer
  private let statistics: [ChannelStatistics]
  private let compute: Compute

  /// Plans `name.weight`, `name.bias` and the running statistics of `channels` channels.
  ///
  /// `views`: 1 normalises the whole batch together; 2 each half of it, as two passes of the network would.
  init(_ name: String, channels: Int, views: Int, plan: NetworkPlan) throws {
    compute = plan.compute
    weight = try plan.parameter("\(name).weight", [channels], .norm)
    bias = try plan.parameter("\(name).bias", [channels], .norm)
    runningMean = try plan.buffer("\(name).running_mean", [channels], value: 0)
    runningVariance = try plan.buffer("\(name).running_var", [channels], value: 1)
    batchesTracked = try plan.buffer("\(name).num_batches_tracked", [], value: 0, isCount: true)
    statistics = try (0..<views).map { _ in
      ChannelStatistics(mean: try plan.arena.allocate(channels), variance: try plan.arena.allocate(channels))
    }
  }

  /// Takes the statistics of the batch, updates the running ones (each view in order) and normalises.
  ///
  /// `output` may be `input` if no backward pass follows.
  func forward(_ input: Activation, residual: Activation? = nil, relu: Bool, output: Activation) {
    for view in statistics.indices {
      let images = range(of: view, input.images)
      compute.statistics(of: input.images(images), into: statistics[view])
      updateRunning(statistics[view], count: images.count * input.pixels)
    }
    normalizeAgain(input, residual: residual, relu: relu, output: output)
  }

  /// Normalises with the statistics of the last `forward`: gives its output once more.
  func normalizeAgain(_ input: Activation, residual: Activation? = nil, relu: Bool, output: Activation) {
    for view in statistics.indices {
      let images = range(of: view, input.images)
      compute.normalize(
        input.images(images), statistics: statistics[view], parameters: parameters,
        residual: residual?.images(images), relu: relu, output: output.images(images))
    }
  }

  /// Normalises with the running statistics, as in PyTorch's eval mode. `output` may be `input`.
  func evaluate(_ input: Activation, residual: Activation? = nil, relu: Bool, output: Activation) {
    compute.normalize(
      input, statistics: ChannelStatistics(mean: runningMean.value, variance: runningVariance.value),
      parameters: parameters, residual: residual, relu: relu, output: output)
  }

  /// Overwrites the gradients of γ and β, `dInput`, and `dResidual` if there was a residual.
  ///
  /// `input` is that of the last `forward`. `dInput` may be `input` or `dOutput`; `dResidual`, the gradient
  /// behind the ReLU, may be `dOutput` if `dInput` is not.
  func backward(
    input: Activation, dOutput: Activation, mask: ReLUMask, dInput: Activation, dResidual: Activation? = nil
  ) {
    for view in statistics.indices {
      let images = range(of: view, input.images)
      let viewMask: ReLUMask
      if case .output(let output) = mask {
        viewMask = .output(output.images(images))
      } else {
        viewMask = mask
      }
      compute.normalizeBackward(
        input: input.images(images), dOutput: dOutput.images(images), mask: viewMask,
        statistics: statistics[view], parameters: parameters, dInput: dInput.images(images),
        dWeight: weight.gradient, dBias: bias.gradient, accumulate: view > 0,
        dResidual: dResidual?.images(images))
    }
  }

  private var parameters: NormParameters { NormParameters(weight: weight.value, bias: bias.value) }

  private func range(of view: Int, _ images: Int) -> Range<Int> {
    precondition(images.isMultiple(of: statistics.count), "each view has the same number of images")
    let share = images / statistics.count
    return view * share..<(view + 1) * share
  }

  private func updateRunning(_ batch: ChannelStatistics, count: Int) {
    precondition(count >= 2, "batch statistics need two values a channel")
    // PyTorch keeps the unbiased variance, but normalises with the biased one.
    let unbias = Float(Double(count) / Double(count - 1))
    let keep = 1 - BatchNorm.momentum
    for c in 0..<batch.mean.count {
      runningMean.value[c] = keep * runningMean.value[c] + BatchNorm.momentum * batch.mean[c]
      runningVariance.value[c] =
        keep * runningVariance.value[c] + BatchNorm.momentum * unbias * batch.variance[c]
    }
    batchesTracked.value[0] += 1
  }
}
