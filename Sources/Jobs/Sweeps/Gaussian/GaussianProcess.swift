import Platform

/// A Gaussian process over feature vectors: a Matérn kernel with ν = 5/2, one length scale per parameter
/// (automatic relevance determination), and noise.
///
/// k(x, x′) = s · (1 + √5 r + 5/3 r²) · e^(−√5 r), r² = Σ w_p · d_p(x, x′)², over the parameters p.
/// Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), chapters 2, 4 and 5.
package struct GaussianProcess: Sendable {
  /// N feature vectors `[N][F]`.
  let features: [[Double]]
  /// Which parameter each feature belongs to, `[F]`.
  let groups: [Int]
  package let hyper: Hyperparameters
  /// L⁻¹ of K + noise · I = L · Lᵀ.
  private let inverse: LowerTriangle
  /// (K + noise · I)⁻¹ · y, `[N]`.
  private let weights: [Double]

  /// What the kernel and the noise depend on.
  package struct Hyperparameters: Sendable, Equatable {
    /// w: 1 / (length scale)², per parameter.
    package var inverseSquares: [Double]
    /// s: the variance of the process.
    package var scale: Double
    /// The variance of the noise.
    package var noise: Double

    package init(inverseSquares: [Double], scale: Double, noise: Double) {
      self.inverseSquares = inverseSquares
      self.scale = scale
      self.noise = noise
    }
  }

  /// The process after observing `values` at `features`; nil: the covariance is not positive definite in
  /// double precision.
  package init?(features: [[Double]], groups: [Int], values: [Double], hyper: Hyperparameters) {
    let count = features.count
    var covariance = LowerTriangle(size: count)
    for i in 0..<count {
      for j in 0..<i {
        let square = Self.squaredDistance(features[i], features[j], groups, hyper)
        covariance[i, j] = hyper.scale * Self.matern(square).value
      }
      covariance[i, i] = hyper.scale + hyper.noise
    }
    guard let root = covariance.cholesky() else { return nil }
    self.features = features
    self.groups = groups
    self.hyper = hyper
    inverse = root.inverse()
    weights = inverse.transposedTimes(inverse.times(values))
  }

  /// The mean and variance of the function, without noise, at a feature vector.
  package func posterior(_ x: [Double]) -> (mean: Double, variance: Double) {
    let covariance = features.map {
      hyper.scale * Self.matern(Self.squaredDistance(x, $0, groups, hyper)).value
    }
    let root = inverse.times(covariance)
    return (dot(covariance, weights), max(0, hyper.scale - dot(root, root)))
  }

  /// Mean and variance, and their derivatives with respect to some of the features.
  package func posteriorWithSlopes(
    _ x: [Double], of columns: [Int]
  ) -> (mean: Double, variance: Double, meanSlopes: [Double], varianceSlopes: [Double]) {
    var covariance = Array(repeating: 0.0, count: features.count)
    var slopes = covariance
    for (index, row) in features.enumerated() {
      let matern = Self.matern(Self.squaredDistance(x, row, groups, hyper))
      covariance[index] = hyper.scale * matern.value
      slopes[index] = hyper.scale * matern.slope
    }
    let root = inverse.times(covariance)
    let solved = inverse.transposedTimes(root)
    var meanSlopes: [Double] = []
    var varianceSlopes: [Double] = []
    for column in columns {
      let weight = 2 * hyper.inverseSquares[groups[column]]
      var (mean, variance) = (0.0, 0.0)
      for (index, row) in features.enumerated() {
        let slope = slopes[index] * weight * (x[column] - row[column])
        mean += slope * weights[index]
        variance -= 2 * slope * solved[index]
      }
      meanSlopes.append(mean)
      varianceSlopes.append(variance)
    }
    return (dot(covariance, weights), max(0, hyper.scale - dot(root, root)), meanSlopes, varianceSlopes)
  }

  /// r² of two feature vectors.
  static func squaredDistance(
    _ a: [Double], _ b: [Double], _ groups: [Int], _ hyper: Hyperparameters
  ) -> Double {
    var total = 0.0
    for column in groups.indices {
      let difference = a[column] - b[column]
      total += hyper.inverseSquares[groups[column]] * difference * difference
    }
    return total
  }

  /// The kernel of variance 1 at r², and its derivative with respect to r².
  static func matern(_ square: Double) -> (value: Double, slope: Double) {
    let root = (5 * square).squareRoot()
    let decay = Mathematics.exponential(-root)
    return ((1 + root + 5.0 / 3 * square) * decay, -5.0 / 6 * (1 + root) * decay)
  }
}
