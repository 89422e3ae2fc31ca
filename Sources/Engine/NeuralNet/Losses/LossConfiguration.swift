/// `inv · mse + var · v + cov · c`, with the variants that published code tells apart.
package struct LossConfiguration: Sendable, Equatable {
  /// How the variance terms of the two views are joined.
  package enum Variance: Sendable, Equatable {
    /// `v(z1) + v(z2)`.
    case sum
    /// `(v(z1) + v(z2)) / 2`.
    case mean
  }
  /// What a BatchNorm of the network sees at once.
  package enum BatchNormScope: Sendable, Equatable {
    /// Both views as one batch.
    case concatenated
    /// Each view on its own, view one first.
    case perView
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
}
