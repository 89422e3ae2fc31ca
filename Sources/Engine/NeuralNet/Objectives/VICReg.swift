import Kernels
import Tensors

/// `inv · mse + var · v + cov · c`, with the variants that published code tells apart.
package struct VICReg: Method, Equatable {
  /// How the variance terms of the views are joined.
  package enum Variance: Sendable, Equatable {
    /// `v(z1) + v(z2)`; of more views twice their mean.
    case sum
    /// `(v(z1) + v(z2)) / 2`; of more views their mean.
    case mean
  }

  package static let name = "vicreg"
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

  package var views: ClosedRange<Int> { 2...8 }
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .raw(epsilon: epsilon) }

  package func health(dimension: Int) -> HealthScale { HealthScale(spread: gamma) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try VICRegObjective(self, shape, plan: plan)
  }
}
