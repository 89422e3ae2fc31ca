import KernelsABI
import Parallel
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
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
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
}

// The passes of batch normalisation over an activation, or over a range of its images
// (`activation.images(_:)`).
extension Compute {
  /// Mean and biased variance of each channel of `input`.
  package func statistics(of input: Activation, into statistics: ChannelStatistics) {
    precondition(statistics.mean.count == input.channels, "one mean and one variance a channel")
    let partition = ImagePartition(input)
    let partials = self.partials
    let source = In(input.storage.pointer)
    team.run(tasks: partition.tasks) { task in
      let entry = partials.entry(task)
      for channel in 0..<Partials.entryDoubles { entry[channel] = 0 }
      withLineScratch { sums in
        var lines = 0.0
        partition.eachPiece(of: task) { offset, runs in
          kernels.channelMoments(source + offset, runs, sums)
          mergeMoments(sums, Double(runs.count * runs.lines), into: entry, of: lines)
          lines += Double(runs.count * runs.lines)
        }
      }
    }
    let count = Double(input.images * input.pixels)
    for channel in 0..<input.channels {
      var mean = 0.0
      var squares = 0.0
      var lines = 0.0
      for group in 0..<partition.groups {
        let entry = partials.entry(group * partition.blocks + channel / 16) + channel % 16
        let added = Double(partition.lines(of: group))
        let distance = entry[0] - mean
        mean += distance * added / (lines + added)
        squares += entry[16] + distance * distance * lines * added / (lines + added)
        lines += added
      }
      statistics.mean[channel] = Float(mean)
      statistics.variance[channel] = Float(squares / count)
    }
  }

  /// `output = γ (input − mean) / √(variance + ε) + β`, plus `residual` if given, through a ReLU if asked
  /// for.
  ///
  /// `output` may be `input`.
  package func normalize(
    _ input: Activation, statistics: ChannelStatistics, parameters: NormParameters,
    residual: Activation? = nil,
    relu: Bool, output: Activation
  ) {
    precondition(output.sameShape(as: input) && residual?.sameShape(as: input) ?? true, "shapes must agree")
    setConstants(input.channels, statistics, parameters)
    let partition = ImagePartition(input)
    let partials = self.partials
    let source = In(input.storage.pointer)
    let added = residual.map { In($0.storage.pointer) }
    let target = output.storage.pointer
    team.run(tasks: partition.tasks) { task in
      let constants = partials.constants(task % partition.blocks)
      partition.eachPiece(of: task) { offset, runs in
        kernels.normalizeLines(
          source + offset, constants, added.map { $0 + offset }, relu, runs, target + offset)
      }
    }
  }

  /// The backward pass of `normalize` with batch statistics.
  ///
  /// `input` and `statistics` are those of the forward pass. `dWeight`, `dBias` (C floats) are overwritten,
  /// or added to with `accumulate`. `dInput` may be `dOutput`. `dResidual` receives the gradient behind the
  /// ReLU: that of the residual; it may be `dOutput` too, if `dInput` is another one.
  package func normalizeBackward(
    input: Activation, dOutput: Activation, mask: ReLUMask, statistics: ChannelStatistics,
    parameters: NormParameters, dInput: Activation, dWeight: Floats, dBias: Floats, accumulate: Bool = false,
    dResidual: Activation? = nil
  ) {
    precondition(
      dOutput.sameShape(as: input) && dInput.sameShape(as: input) && dResidual?.sameShape(as: input) ?? true
        && dWeight.count == input.channels && dBias.count == input.channels, "shapes must agree")
    setConstants(input.channels, statistics, parameters)
    let partition = ImagePartition(input)
    let partials = self.partials
    let (kind, output) = mask.resolved(input)
    let x = In(input.storage.pointer)
    let gradient = In(dOutput.storage.pointer)
    team.run(tasks: partition.tasks) { task in
      let entry = partials.entry(task)
      for channel in 0..<Partials.entryDoubles { entry[channel] = 0 }
      let constants = partials.constants(task % partition.blocks)
      withLineScratch { sums in
        partition.eachPiece(of: task) { offset, runs in
          kernels.reduceNormGradient(
            x + offset, gradient + offset, output + offset, constants, kind, runs, sums)
          for channel in 0..<Partials.entryDoubles { entry[channel] += Double(sums[channel]) }
        }
      }
    }
    setGradientConstants(partition, statistics, parameters, dWeight, dBias, accumulate)
    let passed = dResidual.map { $0.storage.pointer }
    let target = dInput.storage.pointer
    team.run(tasks: partition.tasks) { task in
      let constants = partials.constants(task % partition.blocks)
      partition.eachPiece(of: task) { offset, runs in
        kernels.applyNormGradient(
          x + offset, gradient + offset, output + offset, constants, kind, runs, passed.map { $0 + offset },
          target + offset)
      }
    }
  }

  /// The sum of each channel over images and pixels: the gradient of a bias.
  package func channelSums(of input: Activation, into sums: Floats) {
    precondition(sums.count == input.channels, "one sum a channel")
    let partition = ImagePartition(input)
    let partials = self.partials
    let source = In(input.storage.pointer)
    team.run(tasks: partition.tasks) { task in
      let entry = partials.entry(task)
      for channel in 0..<Partials.entryDoubles { entry[channel] = 0 }
      withLineScratch { sums in
        partition.eachPiece(of: task) { offset, runs in
          kernels.sumLines(source + offset, runs, 1, sums)
          for channel in 0..<16 { entry[channel] += Double(sums[channel]) }
        }
      }
    }
    for channel in 0..<input.channels {
      var sum = 0.0
      for group in 0..<partition.groups {
        sum += partials.entry(group * partition.blocks + channel / 16)[channel % 16]
      }
      sums[channel] = Float(sum)
    }
  }

  private func setConstants(_ channels: Int, _ statistics: ChannelStatistics, _ parameters: NormParameters) {
    precondition(
      statistics.mean.count == channels && parameters.weight.count == channels
        && parameters.bias.count == channels,
      "one value a channel")
    for block in 0..<(channels + 15) / 16 {
      let constants = partials.constants(block)
      for lane in 0..<16 {
        let channel = block * 16 + lane
        let isUsed = channel < channels
        let mean = isUsed ? statistics.mean[channel] : 0
        let scale =
          isUsed ? parameters.weight[channel] * inverseDeviation(channel, statistics, parameters) : 0
        constants[NormConstants.mean + lane] = mean
        constants[NormConstants.scale + lane] = scale
        constants[NormConstants.shift + lane] = isUsed ? parameters.bias[channel] - mean * scale : 0
      }
    }
  }

  private func setGradientConstants(
    _ partition: ImagePartition, _ statistics: ChannelStatistics, _ parameters: NormParameters,
    _ dWeight: Floats,
    _ dBias: Floats, _ accumulate: Bool
  ) {
    let count = Double(partition.images * partition.pixels)
    for channel in 0..<partition.blocks * 16 {
      let constants = partials.constants(channel / 16)
      var sum = 0.0
      var product = 0.0
      guard channel < statistics.mean.count else {
        constants[NormConstants.gradientMean + channel % 16] = 0
        constants[NormConstants.slope + channel % 16] = 0
        continue
      }
      for group in 0..<partition.groups {
        let entry = partials.entry(group * partition.blocks + channel / 16) + channel % 16
        sum += entry[0]
        product += entry[16]
      }
      let inverse = Double(inverseDeviation(channel, statistics, parameters))
      dBias[channel] = Float(sum) + (accumulate ? dBias[channel] : 0)
      dWeight[channel] = Float(product * inverse) + (accumulate ? dWeight[channel] : 0)
      constants[NormConstants.gradientMean + channel % 16] = Float(sum / count)
      constants[NormConstants.slope + channel % 16] = Float(product / count * inverse * inverse)
    }
  }

  private func inverseDeviation(
    _ channel: Int, _ statistics: ChannelStatistics, _ parameters: NormParameters
  ) -> Float {
    1 / (statistics.variance[channel] + parameters.epsilon).squareRoot()
  }
}

/// Merges moments of one piece (first line, Σ(x − s), Σ(x − s)² over `count` lines) into mean and Σ(x −
/// mean)² of `lines` lines (Chan, Golub and LeVeque's formula).
private func mergeMoments(
  _ moments: In, _ count: Double, into entry: UnsafeMutablePointer<Double>, of lines: Double
) {
  let total = lines + count
  for channel in 0..<16 {
    let sum = Double(moments[16 + channel])
    let mean = Double(moments[channel]) + sum / count
    let squares = Double(moments[32 + channel]) - sum * sum / count
    let distance = mean - entry[channel]
    entry[channel] += distance * count / total
    entry[16 + channel] += max(squares, 0) + distance * distance * lines * count / total
  }
}

/// Three lines on the stack for a kernel's sums.
@inline(__always)
private func withLineScratch(_ body: (Out) -> Void) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 48) { buffer in
    if let start = buffer.baseAddress { body(start) }
  }
}

extension ReLUMask {
  /// The kernels' name of the mask, and what they read to evaluate it.
  fileprivate func resolved(_ input: Activation) -> (kind: Int, output: In) {
    switch self {
    case .none: return (GradientMask.none, In(input.storage.pointer))
    case .recomputed: return (GradientMask.recomputed, In(input.storage.pointer))
    case .output(let output):
      precondition(output.sameShape(as: input), "shapes must agree")
      return (GradientMask.output, In(output.storage.pointer))
    }
  }
}
