import JSONText

/// `inv · mse + var · v + cov · c`, with the variants that published code tells apart.
package struct VICReg: MethodSpecification, Equatable {
  package static let name = MethodName("vicreg")
  package static let views = 2...8
  package static let takesLocalViews = true
  package static let figures = [
    Metric("inv", "Invariance", "Distance between the embeddings of an image's views."),
    Metric("var", "Variance", "How far the dimensions' standard deviations are below gamma."),
    Metric("cov", "Covariance", "How much dimensions repeat each other."),
  ]
  package static let hasProjector = true
  package static let hasPredictor = false

  /// How the variance terms of the views are joined.
  package enum Variance: String, Sendable, CaseIterable {
    /// `v(z1) + v(z2)`; of more views twice their mean.
    case sum
    /// `(v(z1) + v(z2)) / 2`; of more views their mean.
    case mean
  }

  /// Weight of the invariance term.
  package var inv: Double
  /// Weight of the variance term.
  package var `var`: Double
  /// Weight of the covariance term.
  package var cov: Double
  /// The standard deviation that the hinge of the variance term asks for.
  package var gamma: Double
  /// Added to the unbiased variance before its root.
  package var epsilon: Double
  package var variance: Variance
  package var batchNorm: BatchNormScope

  /// The default values are the seed recipe's.
  package init(
    inv: Double = 25, `var`: Double = 25, cov: Double = 1, gamma: Double = 1, epsilon: Double = 0,
    variance: Variance = .sum, batchNorm: BatchNormScope = .concatenated
  ) {
    self.inv = inv
    self.var = `var`
    self.cov = cov
    self.gamma = gamma
    self.epsilon = epsilon
    self.variance = variance
    self.batchNorm = batchNorm
  }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: VICReg(epsilon: 1e-4), projector: ProjectorSpecification(widths: [2048, 2048, 2048]),
    optimizer: .publishedLARS(0.3, weightDecay: 1e-4), referenceBatch: 256)
  package static let small = MethodRecipe.narrow(VICReg())

  package var mistake: String? {
    inv == 0 && `var` == 0 && cov == 0 ? "must have a weight above 0 among inv, var and cov, all are 0" : nil
  }

  package static let fields = Fields<Self> {
    Field("inv", \.inv, .number(.closed(0, 1e6)), "Weight of the invariance term.")
    Field("var", \.var, .number(.closed(0, 1e6)), "Weight of the variance term.")
    Field("cov", \.cov, .number(.closed(0, 1e6)), "Weight of the covariance term.")
    Field(
      "gamma", \.gamma, .number(.positive(1000)),
      "Standard deviation that the variance term asks of every output.")
    Field("epsilon", \.epsilon, .number(.fraction), "Added to the variance before its square root.")
    Field(
      "variance", \.variance, .choice, "Whether the variance terms of the views are added or averaged.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `vicreg`.
  package static let vicreg = VICReg.name
}
