import Tensors

/// The constants of Adam for one step.
package struct AdamStep: Sendable {
  /// Number of this step, from 1.
  package var step: Int
  /// Learning rate of this step.
  package var learningRate: Float
  /// Decay of the first moment.
  package var beta1: Float
  /// Decay of the second moment.
  package var beta2: Float
  /// Added to the root of the second moment.
  package var epsilon: Float
  /// Weight decay.
  package var weightDecay: Float
  /// Decay the weights directly (AdamW) instead of adding the decay to the gradient (Adam).
  package var decoupled: Bool

  /// Constants as PyTorch's `Adam` and `AdamW` name them.
  package init(
    step: Int, learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
    weightDecay: Float = 0, decoupled: Bool = false
  ) {
    self.step = step
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decoupled = decoupled
  }
}

/// The constants of one step of gradient descent with momentum.
package struct MomentumStep: Sendable {
  /// Learning rate of this step.
  package var learningRate: Float
  /// Momentum; 0 without.
  package var momentum: Float
  /// Weight decay, added to the gradient.
  package var weightDecay: Float
  /// Multiplies gradient and decay: the trust ratio of LARS, 1 for plain SGD.
  package var gradientScale: Float

  /// Constants as PyTorch's `SGD` names them.
  package init(learningRate: Float, momentum: Float = 0, weightDecay: Float = 0, gradientScale: Float = 1) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }
}

// Updates of a run of parameters.
extension Compute {
  /// Adam or AdamW: PyTorch's `torch.optim.Adam`, not its amsgrad variant. All runs have the same count.
  package func adam(value: Floats, gradient: Floats, firstMoment: Floats, secondMoment: Floats, _ s: AdamStep)
  {
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<s.step {
      power1 *= Double(s.beta1)
      power2 *= Double(s.beta2)
    }
    let stepSize = Float(Double(s.learningRate) / (1 - power1))
    let root = Float((1 - power2).squareRoot())
    for i in 0..<value.count {
      let g = s.decoupled ? gradient[i] : gradient[i] + s.weightDecay * value[i]
      if s.decoupled { value[i] *= 1 - s.learningRate * s.weightDecay }
      firstMoment[i] = s.beta1 * firstMoment[i] + (1 - s.beta1) * g
      secondMoment[i] = s.beta2 * secondMoment[i] + (1 - s.beta2) * g * g
      value[i] -= stepSize * firstMoment[i] / (secondMoment[i].squareRoot() / root + s.epsilon)
    }
  }

  /// `d = gradientScale (gradient + weightDecay · value)`, `velocity = momentum · velocity + d`,
  /// `value −= learningRate · velocity`. Without `velocity`, `d` takes its place.
  package func momentum(value: Floats, gradient: Floats, velocity: Floats?, _ s: MomentumStep) {
    for i in 0..<value.count {
      var d = s.gradientScale * (gradient[i] + s.weightDecay * value[i])
      if let velocity {
        d += s.momentum * velocity[i]
        velocity[i] = d
      }
      value[i] -= s.learningRate * d
    }
  }
}
