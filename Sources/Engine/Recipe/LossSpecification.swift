import JSONText

/// `inv·mse + var·v + cov·c`, with the variants that published code tells apart.
package struct LossSpecification: JSONRecord, Equatable {
  /// How the hinge terms of both views are joined.
  package enum Variance: String, Sendable, CaseIterable {
    /// `v(z1) + v(z2)`.
    case sum
    /// `(v(z1) + v(z2)) / 2`.
    case mean
  }
  /// Over which images a BatchNorm takes its statistics.
  package enum BatchNormScope: String, Sendable, CaseIterable {
    /// Both views pass the network as one batch.
    case concatenated
    /// Each view has its own batch statistics, view one first.
    case perView = "per_view"
  }
  /// Weight of the invariance term.
  package var inv = 25.0
  /// Weight of the variance term.
  package var `var` = 25.0
  /// Weight of the covariance term.
  package var cov = 1.0
  /// The standard deviation that the hinge of the variance term asks for.
  package var gamma = 1.0
  /// Added to the unbiased variance before its root.
  package var epsilon = 0.0
  package var variance = Variance.sum
  package var batchNorm = BatchNormScope.concatenated

  /// The loss of the `seed` recipe.
  package init() {}

  package static let fields = Fields<Self> {
    Field("inv", \.inv, .number(.closed(0, 1e6)), "Weight of the invariance term.")
    Field("var", \.var, .number(.closed(0, 1e6)), "Weight of the variance term.")
    Field("cov", \.cov, .number(.closed(0, 1e6)), "Weight of the covariance term.")
    Field(
      "gamma", \.gamma, .number(.positive(1000)),
      "Standard deviation that the variance term asks of every output.")
    Field("epsilon", \.epsilon, .number(.fraction), "Added to the variance before its square root.")
    Field(
      "variance", \.variance, .choice, "Whether the variance terms of the two views are added or averaged.")
    Field(
      "batch_norm", \.batchNorm, .choice,
      "Whether BatchNorm takes its statistics over both views together or over each alone.")
  }
}
