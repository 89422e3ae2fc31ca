import JSONText

/// How gradients become steps. Fields that the named optimiser does not use have no effect.
package struct OptimizerSpecification: JSONRecord, Equatable {
  /// Adam (arXiv:1412.6980), AdamW (arXiv:1711.05101), SGD with momentum, LARS (arXiv:1708.03888).
  package enum Name: String, Sendable, CaseIterable { case adam, adamw, sgd, lars }
  package var name: Name
  package var learningRate: Double
  /// Adam and AdamW: decay of the averages of the gradient and of its square.
  package var betas: [Double]
  /// Adam and AdamW.
  package var epsilon: Double
  /// Added to the gradient; AdamW: apart from it.
  package var weightDecay: Double
  /// SGD and LARS: decay of the velocity.
  package var momentum: Double
  /// SGD: Nesterov's momentum, as PyTorch computes it.
  package var nesterov: Bool
  /// LARS: the trust coefficient, η.
  package var trust: Double
  /// LARS, false: `η ‖p‖ / ‖g + λp‖` as in facebookresearch/vicreg. True: `η ‖p‖ / (‖g‖ + λ‖p‖ + 1e-8)`,
  /// never more than the learning rate, as in solo-learn with `clip_lr`.
  package var clip: Bool
  /// LARS: one-dimensional parameters (biases, norms) are neither decayed nor adapted.
  package var excludeBiasAndNorm: Bool

  /// The default values are those of the `seed` recipe.
  package init(
    name: Name = .adam, learningRate: Double = 2e-4, betas: [Double] = [0.9, 0.999], epsilon: Double = 1e-8,
    weightDecay: Double = 1e-6, momentum: Double = 0.9, nesterov: Bool = false, trust: Double = 0.001,
    clip: Bool = false, excludeBiasAndNorm: Bool = false
  ) {
    self.name = name
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.momentum = momentum
    self.nesterov = nesterov
    self.trust = trust
    self.clip = clip
    self.excludeBiasAndNorm = excludeBiasAndNorm
  }

  package static let fields = Fields<Self> {
    Field("name", \.name, .choice, "The optimiser; members that it does not use have no effect.")
    Field("lr", \.learningRate, .number(.positive(1000)), "Learning rate after the warm-up.")
    Field(
      "betas", \.betas, .numbers(count: 2, .halfOpen(0, 1)),
      "adam and adamw: decay of the averages of the gradient and of its square.")
    Field("eps", \.epsilon, .number(.positive(1)), "adam and adamw: added to the denominator.")
    Field(
      "weight_decay", \.weightDecay, .number(.closed(0, 100)),
      "Weight decay; in adam and sgd as an L2 penalty.")
    Field("momentum", \.momentum, .number(.halfOpen(0, 1)), "sgd and lars: momentum.")
    Field("nesterov", \.nesterov, .boolean, "sgd: whether the momentum is Nesterov's.")
    Field("trust", \.trust, .number(.positive(100)), "lars: trust coefficient.")
    Field("clip", \.clip, .boolean, "lars: whether the trust ratio never raises the learning rate.")
    Field(
      "exclude_bias_and_norm", \.excludeBiasAndNorm, .boolean,
      "lars: whether biases and norm parameters are neither decayed nor adapted.")
  }
}

/// How the learning rate changes over the run.
package struct ScheduleSpecification: JSONRecord, Equatable {
  /// The course after the warm-up.
  package enum Name: String, Sendable, CaseIterable { case constant, cosine }
  package var name: Name
  /// Linear warm-up from 0, in epochs (fractions allowed), ≥ 0.
  package var warmupEpochs: Double
  /// Cosine ends at this share of the learning rate, 0…1.
  package var finalFactor: Double
  /// Epochs that it spans; `nil`: those of the run.
  package var horizonEpochs: Int?

  /// The default values are those of the `seed` recipe.
  package init(
    name: Name = .constant, warmupEpochs: Double = 0, finalFactor: Double = 0, horizonEpochs: Int? = nil
  ) {
    self.name = name
    self.warmupEpochs = warmupEpochs
    self.finalFactor = finalFactor
    self.horizonEpochs = horizonEpochs
  }

  package static let fields = Fields<Self> {
    Field("name", \.name, .choice, "The course of the learning rate after the warm-up.")
    Field(
      "warmup_epochs", \.warmupEpochs, .number(.closed(0, 1e6)),
      "Epochs in which the learning rate rises linearly from 0; fractions are allowed.")
    Field(
      "final_factor", \.finalFactor, .number(.fraction),
      "cosine: share of the learning rate at which it ends.")
    Field(
      "horizon_epochs", \.horizonEpochs, .integerOrNull(1...1_000_000),
      "Epochs that the schedule spans, where the run ends earlier and may be gone on with; null: it ends "
        + "with the run.")
  }
}
