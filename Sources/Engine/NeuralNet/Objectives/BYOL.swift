import Kernels
import Tensors

/// Predicts what a moving average of the network makes of the other view.
///
/// Grill et al., "Bootstrap your own latent" (NeurIPS 2020).
package struct BYOL: Method, Equatable {
  package static let name = "byol"
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

  package var views: ClosedRange<Int> { 2...2 }
  package var branches: Branches {
    Branches(predictor: .scheduled, target: MomentumSchedule(start: momentum, end: momentumEnd))
  }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale { .unitRows(dimension: dimension) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try CosineObjective(shape, factor: -2, offset: 2, plan: plan)
  }
}
