/// What one step of the loss reports, in the names that the field uses.
package struct LossComponents: Sendable, Equatable {
  /// The weighted sum that is minimised.
  package var loss: Double
  /// Mean squared difference between the views, unweighted.
  package var inv: Double
  /// Variance term of both views as it enters the loss (summed or averaged), unweighted.
  package var `var`: Double
  /// Covariance term, sum of both views, unweighted.
  package var cov: Double
  /// Mean over dimensions and views of the standard deviation (with the loss's epsilon).
  package var stdMean: Double
  /// Least standard deviation of any dimension in any view: collapse shows here first.
  package var stdMin: Double
  /// Mean absolute correlation of two different dimensions, both views; only with diagnostics.
  package var corr: Double?
  /// RankMe of view one's embedding (Garrido et al. 2023), 1…min(n, d); only with diagnostics.
  package var rankMe: Double?

  /// Whether training can go on from this loss.
  package var isFinite: Bool { loss.isFinite }
}
