/// How gradients become steps. Fields that the named optimiser does not use have no effect.
package struct OptimizerSpecification: Sendable, Equatable {
  /// Adam (arXiv:1412.6980), AdamW (arXiv:1711.05101), SGD with momentum, LARS (arXiv:1708.03888).
  package enum Name: String, Sendable, CaseIterable { case adam, adamw, sgd, lars }
  package var name: Name
  package var learningRate: Double
  /// Adam and AdamW.
  package var betas: [Double]
  /// Adam and AdamW.
  package var epsilon: Double
  package var weightDecay: Double
  /// SGD and LARS.
  package var momentum: Double
  /// LARS: the trust coefficient.
  package var trust: Double
  /// LARS: never scales the rate up (trust ratio clipped at the learning rate).
  package var clip: Bool
  /// LARS: biases and norm parameters are neither decayed nor adapted.
  package var excludeBiasAndNorm: Bool

  package init(
    name: Name, learningRate: Double, betas: [Double], epsilon: Double, weightDecay: Double,
    momentum: Double, trust: Double, clip: Bool, excludeBiasAndNorm: Bool
  ) {
    self.name = name
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.momentum = momentum
    self.trust = trust
    self.clip = clip
    self.excludeBiasAndNorm = excludeBiasAndNorm
  }
}

/// How the learning rate changes over the run.
package struct ScheduleSpecification: Sendable, Equatable {
  /// The course after the warm-up.
  package enum Name: String, Sendable, CaseIterable { case constant, cosine }
  package var name: Name
  /// Linear warm-up from 0, in epochs (fractions allowed), ≥ 0.
  package var warmupEpochs: Double
  /// Cosine ends at this share of the learning rate, 0…1.
  package var finalFactor: Double

  package init(
    name: Name, warmupEpochs: Double, finalFactor: Double
  ) {
    self.name = name
    self.warmupEpochs = warmupEpochs
    self.finalFactor = finalFactor
  }
}
