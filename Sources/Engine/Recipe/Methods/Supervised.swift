import JSONText

/// Cross-entropy of the labels on one augmented view: the ceiling that self-supervised figures are read
/// against.
package struct Supervised: MethodSpecification, Equatable {
  package static let name = MethodName("supervised")
  package static let views = 1...1
  package static let needsLabels = true
  package static let figures = [
    Metric("top1", "Accuracy", "Share of the batch whose class is predicted, as a fraction.", best: .highest)
  ]
  package static let hasProjector = false
  package static let hasPredictor = false

  package var batchNorm: BatchNormScope

  /// With one view, both scopes are the same.
  package init(batchNorm: BatchNormScope = .perView) { self.batchNorm = batchNorm }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: Supervised(),
    optimizer: OptimizerSpecification(name: .sgd, learningRate: 0.1, weightDecay: 5e-4, nesterov: true),
    referenceBatch: 256)
  package static let small = MethodRecipe(
    constants: Supervised(), projector: ProjectorSpecification(widths: [256, 256, 256]),
    optimizer: OptimizerSpecification(name: .sgd, learningRate: 0.05, weightDecay: 5e-4, nesterov: true),
    referenceBatch: 64)

  package static let fields = Fields<Self> {
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `supervised`.
  package static let supervised = Supervised.name
}
