import JSONText

/// Predicts what the network itself makes of the other view, without a gradient through it.
///
/// Chen, He, "Exploring Simple Siamese Representation Learning" (CVPR 2021).
package struct SimSiam: MethodSpecification, Equatable {
  package static let name = MethodName.simsiam
  package static let views = 2...2
  package static let figures = [
    Metric(
      "similarity", "Similarity", "Mean cosine between a prediction and the embedding that it predicts.",
      best: .highest)
  ]
  package static let hasProjector = true
  package static let hasPredictor = true

  package var batchNorm: BatchNormScope

  /// BatchNorm per view, as published.
  package init(batchNorm: BatchNormScope = .perView) { self.batchNorm = batchNorm }

  package static let fields = Fields<Self> {
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}
