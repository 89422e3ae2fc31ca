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

// The passes of batch normalisation over an activation, or over a range of its images (`activation.images(_:)`).
extension Compute {
  /// Mean and biased variance of each channel of `input`.
  package func statistics(of input: Activation, into statistics: ChannelStatistics) {
    let count = Double(input.images * input.pixels)
    for c in 0..<input.channels {
      var sum = 0.0
      var squares = 0.0
      each(input, c) { sum += Double(input[$0, c, $1, $2]) }
      let mean = sum / count
      each(input, c) { n, y, x in
        let d = Double(input[n, c, y, x]) - mean
        squares += d * d
      }
      statistics.mean[c] = Float(mean)
      statistics.variance[c] = Float(squares / count)
    }
  }

  /// `output = γ (input − mean) / √(variance + ε) + β`, plus `residual` if given, through a ReLU if asked for.
  ///
  /// `output` may be `input`.
  package func normalize(
    _ input: Activation, statistics: ChannelStatistics, parameters: NormParameters,
    residual: Activation? = nil,
    relu: Bool, output: Activation
  ) {
    for c in 0..<input.channels {
      let scale = parameters.weight[c] / (statistics.variance[c] + parameters.epsilon).squareRoot()
      let shift = parameters.bias[c] - statistics.mean[c] * scale
      each(input, c) { n, y, x in
        let value = input[n, c, y, x] * scale + shift + (residual.map { $0[n, c, y, x] } ?? 0)
        output[n, c, y, x] = relu ? max(value, 0) : value
      }
    }
  }

  /// The backward pass of `normalize` with batch statistics.
  ///
  /// `input` and `statistics` are those of the forward pass. `dWeight`, `dBias` (C floats) are overwritten, or
  /// added to with `accumulate`. `dInput` may be `dOutput`. `dResidual` receives the gradient behind the ReLU: that
  /// of the residual; it may be `dOutput` too, if `dInput` is another one.
  package func normalizeBackward(
    input: Activation, dOutput: Activation, mask: ReLUMask, statistics: ChannelStatistics,
    parameters: NormParameters, dInput: Activation, dWeight: Floats, dBias: Floats, accumulate: Bool = false,
    dResidual: Activation? = nil
  ) {
    let count = Double(input.images * input.pixels)
    for c in 0..<input.channels {
      let inverse = 1 / (statistics.variance[c] + parameters.epsilon).squareRoot()
      let weight = parameters.weight[c]
      let bias = parameters.bias[c]
      func normal(_ n: Int, _ y: Int, _ x: Int) -> Float {
        (input[n, c, y, x] - statistics.mean[c]) * inverse
      }
      func gradient(_ n: Int, _ y: Int, _ x: Int) -> Float {
        switch mask {
        case .none: return dOutput[n, c, y, x]
        case .recomputed: return normal(n, y, x) * weight + bias > 0 ? dOutput[n, c, y, x] : 0
        case .output(let output): return output[n, c, y, x] > 0 ? dOutput[n, c, y, x] : 0
        }
      }
      var sum = 0.0
      var product = 0.0
      each(input, c) { n, y, x in
        let g = gradient(n, y, x)
        sum += Double(g)
        product += Double(g * normal(n, y, x))
      }
      dBias[c] = Float(sum) + (accumulate ? dBias[c] : 0)
      dWeight[c] = Float(product) + (accumulate ? dWeight[c] : 0)
      each(input, c) { n, y, x in
        let g = gradient(n, y, x)
        let centred = g - Float(sum / count) - normal(n, y, x) * Float(product / count)
        dResidual?[n, c, y, x] = g
        dInput[n, c, y, x] = weight * inverse * centred
      }
    }
  }

  private func each(_ input: Activation, _ c: Int, _ body: (_ n: Int, _ y: Int, _ x: Int) -> Void) {
    for n in 0..<input.images {
      for y in 0..<input.height {
        for x in 0..<input.width { body(n, y, x) }
      }
    }
  }
}
