/// An update rule with its constants; the learning rate comes with each step.
package enum OptimizerConfiguration: Sendable, Equatable {
  /// `torch.optim.Adam` (weight decay added to the gradient) or, `decoupled`, `torch.optim.AdamW`.
  case adam(beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, decoupled: Bool)
  /// `torch.optim.SGD` without dampening, with Nesterov's momentum where it is asked for.
  case sgd(momentum: Double, weightDecay: Double, nesterov: Bool = false)
  /// Layer-wise adaptive rates, in the two published variants.
  case lars(LARSConfiguration)
}

/// The constants of LARS (You, Gitman, Ginsburg, arXiv:1708.03888).
package struct LARSConfiguration: Sendable, Equatable {
  /// Decay of the velocity.
  package var momentum: Double
  /// The trust coefficient, η.
  package var trust: Double
  /// Weight decay, added to the gradient.
  package var weightDecay: Double
  /// False: `η ‖p‖ / ‖g + λp‖` as in facebookresearch/vicreg. True: `η ‖p‖ / (‖g‖ + λ‖p‖ + 1e-8)`, never
  /// more than the learning rate, as in solo-learn with `clip_lr`.
  package var clip: Bool
  /// One-dimensional parameters (biases, norms) are neither decayed nor adapted.
  package var excludeBiasAndNorm: Bool

  /// All constants; the published ones are in the presets.
  package init(momentum: Double, trust: Double, weightDecay: Double, clip: Bool, excludeBiasAndNorm: Bool) {
    self.momentum = momentum
    self.trust = trust
    self.weightDecay = weightDecay
    self.clip = clip
    self.excludeBiasAndNorm = excludeBiasAndNorm
  }
}
