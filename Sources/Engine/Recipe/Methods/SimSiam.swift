import JSONText

/// Predicts what the network itself makes of the other view, without a gradient through it.
///
/// Chen, He, "Exploring Simple Siamese Representation Learning" (CVPR 2021).
package struct SimSiam: MethodSpecification, Equatable {
  package static let name = MethodName("simsiam")
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

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: SimSiam(), projector: projector([2048, 2048, 2048]), predictor: predictor([512, 2048]),
    optimizer: OptimizerSpecification(name: .sgd, learningRate: 0.5, weightDecay: 1e-5), referenceBatch: 256)

  /// The rate is the best of those tried, as `BYOL.small`'s: 73.4% and 75.8% (SGD at 0.1: 68.4% and 68.6%; at
  /// 2 76.2% and 77.7%, but with three effective dimensions left).
  package static let small = MethodRecipe(
    constants: SimSiam(), projector: projector([256, 256, 256]), predictor: predictor([64, 256]),
    optimizer: OptimizerSpecification(name: .sgd, learningRate: 1, weightDecay: 1e-5), referenceBatch: 64)

  private static func projector(_ widths: [Int]) -> ProjectorSpecification {
    ProjectorSpecification(widths: widths, lastBias: false, hiddenBias: false, lastBatchNorm: true)
  }

  private static func predictor(_ widths: [Int]) -> ProjectorSpecification {
    ProjectorSpecification(widths: widths, hiddenBias: false)
  }

  package static let fields = Fields<Self> {
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `simsiam`.
  package static let simsiam = SimSiam.name
}
