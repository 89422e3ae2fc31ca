import KernelsABI
import Tensors

/// The constants of Adam for one step.
package struct AdamStep: Sendable {
  /// Number of this step, from 1.
  package var step: Int
  /// Learning rate of this step.
  package var learningRate: Float
  /// Decay of the first moment.
  package var beta1: Double
  /// Decay of the second moment.
  package var beta2: Double
  /// Added to the root of the second moment.
  package var epsilon: Float
  /// Weight decay.
  package var weightDecay: Float
  /// Decay the weights directly (AdamW) instead of adding the decay to the gradient (Adam).
  package var decoupled: Bool

  /// Constants as PyTorch's `Adam` and `AdamW` name them.
  package init(
    step: Int, learningRate: Float, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8,
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
  /// Whether the step looks ahead by Nesterov's momentum.
  package var nesterov: Bool
  /// Weight decay, added to the gradient.
  package var weightDecay: Float
  /// Multiplies gradient and decay: the trust ratio of LARS, 1 for plain SGD.
  package var gradientScale: Float

  /// Constants as PyTorch's `SGD` names them.
  package init(
    learningRate: Float, momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0,
    gradientScale: Float = 1
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }
}

// Updates of parameters.
extension Compute {
  /// Adam or AdamW: PyTorch's `torch.optim.Adam`, not its amsgrad variant. Every parameter has both moments.
  ///
  /// Overwrites values and moments element by element; the gradients are read.
  ///
  /// Reference: `Adam and AdamW follow their definition`
  package func adam(_ updates: ParameterUpdates, _ s: AdamStep) {
    let correction1 = 1 - Compute.power(s.beta1, s.step)
    let correction2 = 1 - Compute.power(s.beta2, s.step)
    let constants = AdamConstants(
      stepSize: Float(Double(s.learningRate) / correction1), inverseRoot: Float(1 / correction2.squareRoot()),
      beta1: Float(s.beta1), gain1: Float(1 - s.beta1), beta2: Float(s.beta2), gain2: Float(1 - s.beta2),
      epsilon: s.epsilon, gradientDecay: s.decoupled ? 0 : s.weightDecay,
      valueFactor: s.decoupled ? 1 - s.learningRate * s.weightDecay : 1)
    eachPiece(of: updates) { _, p, start, count in
      guard let first = p.first, let second = p.second else { preconditionFailure("Adam needs two moments") }
      kernels.updateAdam(
        constants, p.gradient.pointer + start, count, p.value.pointer + start, first.pointer + start,
        second.pointer + start)
    }
  }

  /// `d = gradientScale (gradient + weightDecay · value)`, `velocity = momentum · velocity + d`,
  /// `value −= learningRate · velocity`, with the constants of each parameter; with Nesterov's momentum
  /// `value −= learningRate (d + momentum · velocity)`. Without `first`, the velocity, `d` takes its place.
  ///
  /// Overwrites values and velocities element by element; the gradients are read.
  ///
  /// Reference: `momentum follows its definition`
  package func momentum(_ updates: ParameterUpdates, _ steps: [MomentumStep]) {
    precondition(steps.count == updates.parameters.count, "every parameter has its constants")
    eachPiece(of: updates) { index, p, start, count in
      let s = steps[index]
      kernels.updateMomentum(
        s.learningRate, s.momentum, s.nesterov, s.weightDecay, s.gradientScale, p.gradient.pointer + start,
        count, p.value.pointer + start, p.first.map { $0.pointer + start })
    }
  }

  /// One step of a moving average: `target = rate · target + (1 − rate) · source`.
  ///
  /// Overwrites `target`, of the same count as `source`, element by element.
  ///
  /// Reference: `ten steps of BYOL follow PyTorch's, and so does its moving average`
  package func average(_ target: Floats, toward source: Floats, rate: Double) {
    precondition(source.count == target.count, "an average needs equal counts")
    let (keep, take) = (Float(rate), Float(1 - rate))
    let (from, to) = (source.pointer, target.pointer)
    eachChunk(target.count) { start, count in
      for i in start..<start + count { to[i] = keep * to[i] + take * from[i] }
    }
  }

  private func eachPiece(
    of updates: ParameterUpdates,
    _ body: (_ index: Int, _ parameter: ParameterUpdate, _ start: Int, _ count: Int) -> Void
  ) {
    team.run(tasks: updates.tasks.count) { task in
      for piece in updates.pieces[updates.tasks[task]] {
        body(piece.parameter, updates.parameters[piece.parameter], piece.start, piece.count)
      }
    }
  }

  /// `base` to a whole power ≥ 0, by squaring.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}
