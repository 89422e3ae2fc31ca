import Kernels
import Tensors

/// Predicts what the network itself makes of the other view, without a gradient through it.
///
/// Chen, He, "Exploring Simple Siamese Representation Learning" (CVPR 2021).
package struct SimSiam: Method, Equatable {
  package static let name = "simsiam"
  package var batchNorm: BatchNormScope

  /// BatchNorm per view, as published.
  package init(batchNorm: BatchNormScope = .perView) { self.batchNorm = batchNorm }

  package var views: ClosedRange<Int> { 2...2 }
  package var branches: Branches { Branches(predictor: .constant) }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale { .unitRows(dimension: dimension, lossMin: -1) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try CosineObjective(shape, factor: -0.5, offset: 0, plan: plan)
  }
}
