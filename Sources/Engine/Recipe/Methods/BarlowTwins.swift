import JSONText

/// `scale · (Σ_i (C_ii − 1)² + lambda Σ_{i≠j} C_ij²)` for the cross-correlation C of the views.
///
/// Zbontar et al., "Barlow Twins" (ICML 2021), with solo-learn's scale.
package struct BarlowTwins: MethodSpecification, Equatable {
  package static let name = MethodName("barlow-twins")
  package static let views = 2...8
  package static let takesLocalViews = true
  package static let figures = [
    Metric("on_diagonal", "On the diagonal", "How far a dimension's correlation between views is from 1."),
    Metric("off_diagonal", "Off the diagonal", "Squared correlations of different dimensions, summed."),
  ]
  package static let hasProjector = true
  package static let hasPredictor = false

  /// Weight of the off-diagonal elements.
  package var lambda: Double
  /// Of the whole loss.
  package var scale: Double
  package var batchNorm: BatchNormScope

  /// The default values are those of solo-learn's CIFAR script.
  package init(lambda: Double = 0.0051, scale: Double = 0.1, batchNorm: BatchNormScope = .perView) {
    self.lambda = lambda
    self.scale = scale
    self.batchNorm = batchNorm
  }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: BarlowTwins(), projector: ProjectorSpecification(widths: [2048, 2048, 2048]),
    optimizer: .publishedLARS(0.3, weightDecay: 1e-4), referenceBatch: 256)
  package static let small = MethodRecipe.narrow(BarlowTwins())

  package static let fields = Fields<Self> {
    Field(
      "lambda", \.lambda, .number(.closed(0, 1000)), "Weight of the correlations of different dimensions.")
    Field("scale", \.scale, .number(.positive(1000)), "Factor of the whole loss.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `barlow-twins`.
  package static let barlowTwins = BarlowTwins.name
}
