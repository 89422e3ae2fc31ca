import JSONText

/// Predicts what a moving average of the network makes of the other view.
///
/// Grill et al., "Bootstrap your own latent" (NeurIPS 2020).
package struct BYOL: MethodSpecification, Equatable {
  package static let name = MethodName("byol")
  package static let views = 2...2
  package static let figures = [
    Metric(
      "similarity", "Similarity", "Mean cosine between a prediction and the embedding that it predicts.",
      best: .highest)
  ]
  package static let hasProjector = true
  package static let hasPredictor = true

  /// τ of the moving average at the first update.
  package var momentum: Double
  /// τ at the end of the run.
  package var momentumEnd: Double
  package var batchNorm: BatchNormScope

  /// The default values are those of solo-learn's CIFAR script.
  package init(momentum: Double = 0.99, momentumEnd: Double = 1, batchNorm: BatchNormScope = .perView) {
    self.momentum = momentum
    self.momentumEnd = momentumEnd
    self.batchNorm = batchNorm
  }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: BYOL(), projector: ProjectorSpecification(widths: [4096, 256]),
    predictor: ProjectorSpecification(widths: [4096, 256]),
    optimizer: .publishedLARS(1, weightDecay: 1e-5), referenceBatch: 256)

  /// The rate is the best of those tried, by 5,000 training images that were held back, after 400 steps on
  /// 50,000 images of Fashion-MNIST: by nearest neighbours 74.1%, by logistic regression on pooled features
  /// 78.2% (Adam at 3e-3: 68.4% and 71.9%; `vicreg`: 80.1% and 83.8%).
  package static let small = MethodRecipe(
    constants: BYOL(), projector: ProjectorSpecification(widths: [256, 128]),
    predictor: ProjectorSpecification(widths: [256, 128]),
    optimizer: OptimizerSpecification(name: .sgd, learningRate: 0.5, weightDecay: 1e-5), referenceBatch: 64)

  package static let fields = Fields<Self> {
    Field(
      "momentum", \.momentum, .number(.fraction),
      "Share that the moving average keeps at each step, at the beginning.")
    Field("momentum_end", \.momentumEnd, .number(.fraction), "The same at the end of the run.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `byol`.
  package static let byol = BYOL.name
}
