import JSONText

/// Predicts what a moving average of the network makes of the other view.
///
/// Grill et al., "Bootstrap your own latent" (NeurIPS 2020).
package struct BYOL: MethodSpecification, Equatable {
  package static let name = MethodName.byol
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

  package static let fields = Fields<Self> {
    Field(
      "momentum", \.momentum, .number(.fraction),
      "Share that the moving average keeps at each step, at the beginning.")
    Field("momentum_end", \.momentumEnd, .number(.fraction), "The same at the end of the run.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}
