import JSONText

/// `(1 − lambda) · inv + lambda · SIGReg`: the views of an image near their mean, and the embedding's
/// projections on random directions like N(0, 1).
///
/// Balestriero, LeCun, "LeJEPA" (2025), as its minimal example.
package struct SIGReg: MethodSpecification, Equatable {
  package static let name = MethodName("sigreg")
  package static let views = 2...8
  package static let takesLocalViews = true
  package static let figures = [
    Metric("inv", "Invariance", "Distance between the embeddings of an image's views."),
    Metric("sigreg", "SIGReg", "Distance of random projections of the embedding from a normal distribution."),
  ]
  package static let hasProjector = true
  package static let hasPredictor = false

  /// The share of SIGReg, 0…1.
  package var lambda: Double
  /// Random directions of each step.
  package var slices: Int
  /// Knots of [0, 3].
  package var points: Int
  package var batchNorm: BatchNormScope

  /// The default values are those of LeJEPA's minimal example.
  package init(
    lambda: Double = 0.02, slices: Int = 256, points: Int = 17, batchNorm: BatchNormScope = .perView
  ) {
    self.lambda = lambda
    self.slices = slices
    self.points = points
    self.batchNorm = batchNorm
  }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: SIGReg(), projector: ProjectorSpecification(widths: [2048, 2048, 64]),
    optimizer: OptimizerSpecification(name: .adamw, learningRate: 5e-4, weightDecay: 5e-4),
    referenceBatch: 256, finalFactor: 0.001)
  package static let small = MethodRecipe.narrow(
    SIGReg(), projector: ProjectorSpecification(widths: [256, 256, 64]))

  package static let fields = Fields<Self> {
    Field(
      "lambda", \.lambda, .number(.fraction),
      "Weight of the test for a normal distribution against invariance.")
    Field("slices", \.slices, .integer(1...4096), "Random directions that each step tests.")
    Field("points", \.points, .integer(2...129), "Knots of the integral over the characteristic function.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `sigreg`.
  package static let sigreg = SIGReg.name
}
