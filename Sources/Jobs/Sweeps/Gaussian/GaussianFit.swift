import Platform

/// Finds the hyper-parameters of a Gaussian process that are most likely after its observations (maximum a
/// posteriori), in logarithms.
///
/// Priors, of values that have been standardised: for an inverse squared length scale w, e^(−0.1/w − 0.1·w);
/// for scale and noise gamma distributions of mean 2 and 0.04. They are Optuna 5's, and so are the optima
/// that are found, but for a few (docs/searchers.md). Other priors have not been compared at length.
package struct GaussianFit {
  private let values: [Double]
  private let parametersCount: Int
  /// For each parameter the squared distances of all pairs i > j, in the order of a lower triangle without
  /// its diagonal.
  private let distances: [[Double]]

  private static let noiseMin = 1e-6
  /// Bounds of the logarithms of inverse squared length scales, scale and noise.
  private static let bounds = (inverseSquare: (-9.0, 9.0), scale: (-5.0, 5.0), noise: (-14.0, 1.0))

  package init(features: [[Double]], groups: [Int], parametersCount: Int, values: [Double]) {
    self.values = values
    self.parametersCount = parametersCount
    distances = (0..<parametersCount).map { parameter in
      let columns = groups.indices.filter { groups[$0] == parameter }
      return features.indices.flatMap { i in
        (0..<i).map { j in
          columns.reduce(0) { total, column in
            let difference = features[i][column] - features[j][column]
            return total + difference * difference
          }
        }
      }
    }
  }

  /// The most likely hyper-parameters.
  package func hyperparameters() -> GaussianProcess.Hyperparameters {
    let bounds = Self.bounds
    let lower = Array(repeating: bounds.inverseSquare.0, count: parametersCount)
    let upper = Array(repeating: bounds.inverseSquare.1, count: parametersCount)
    let minimizer = BoxMinimizer(
      lower: lower + [bounds.scale.0, bounds.noise.0], upper: upper + [bounds.scale.1, bounds.noise.1],
      iterationsMax: 60, slopeMin: 1e-2)
    let starts = [(0.0, 0.0), (2.0, -4.0)].map { inverseSquare, noise in
      Array(repeating: inverseSquare, count: parametersCount) + [0, noise]
    }
    let ends = starts.map { minimizer.minimize(from: $0, loss) }
    let best = ends.min { $0.value < $1.value } ?? ends[0]
    return Self.natural(best.place)
  }

  private static func natural(_ logarithms: [Double]) -> GaussianProcess.Hyperparameters {
    let values = logarithms.map(Mathematics.exponential)
    let count = values.count - 2
    return GaussianProcess.Hyperparameters(
      inverseSquares: Array(values.prefix(count)), scale: values[count], noise: noiseMin + values[count + 1])
  }

  /// Minus ln of the posterior, but for a constant, and its slope.
  package func loss(_ logarithms: [Double]) -> (value: Double, slope: [Double]) {
    let hyper = Self.natural(logarithms)
    guard var (value, slope) = likelihoodLoss(hyper) else {
      return (.infinity, Array(repeating: 0, count: logarithms.count))
    }
    for index in 0..<parametersCount {
      let inverseSquare = hyper.inverseSquares[index]
      value += 0.1 / inverseSquare + 0.1 * inverseSquare
      slope[index] += 0.1 * inverseSquare - 0.1 / inverseSquare
    }
    // Gamma(2, 1) and Gamma(1.1, 30): shape and rate.
    for (index, prior) in [(parametersCount, (2.0, 1.0)), (parametersCount + 1, (1.1, 30.0))] {
      let natural = index == parametersCount ? hyper.scale : hyper.noise
      let (shape, rate) = prior
      value -= (shape - 1) * Mathematics.logarithm(natural) - rate * natural
      let ownPart = index == parametersCount ? natural : natural - Self.noiseMin
      slope[index] -= ((shape - 1) / natural - rate) * ownPart
    }
    return (value, slope)
  }

  /// Minus ln of the marginal likelihood, but for a constant, and its slope with respect to the logarithms;
  /// nil: the covariance is not positive definite.
  package func likelihoodLoss(
    _ hyper: GaussianProcess.Hyperparameters
  ) -> (value: Double, slope: [Double])? {
    let count = values.count
    var covariance = LowerTriangle(size: count)
    var slopes = Array(repeating: 0.0, count: count * (count - 1) / 2)
    var pair = 0
    for i in 0..<count {
      for j in 0..<i {
        var square = 0.0
        for p in 0..<parametersCount { square += hyper.inverseSquares[p] * distances[p][pair] }
        let matern = GaussianProcess.matern(square)
        covariance[i, j] = hyper.scale * matern.value
        slopes[pair] = hyper.scale * matern.slope
        pair += 1
      }
      covariance[i, i] = hyper.scale + hyper.noise
    }
    guard let root = covariance.cholesky() else { return nil }
    let inverse = root.inverse()
    let half = inverse.times(values)
    let weights = inverse.transposedTimes(half)
    var value = dot(half, half) / 2
    for index in 0..<count { value += Mathematics.logarithm(root[index, index]) }
    let precision = inverse.square()
    return (value, slope(hyper, covariance, slopes, precision: precision, weights: weights))
  }

  /// −½ tr((α αᵀ − K⁻¹) · dK/dθ) for each logarithm θ.
  private func slope(
    _ hyper: GaussianProcess.Hyperparameters, _ covariance: LowerTriangle, _ kernelSlopes: [Double],
    precision: LowerTriangle, weights: [Double]
  ) -> [Double] {
    var result = Array(repeating: 0.0, count: parametersCount + 2)
    var (scaleSum, traceSum) = (0.0, 0.0)
    var factors = kernelSlopes
    var pair = 0
    for i in weights.indices {
      for j in 0..<i {
        let influence = weights[i] * weights[j] - precision[i, j]
        scaleSum += influence * covariance[i, j]
        factors[pair] *= influence
        pair += 1
      }
      traceSum += weights[i] * weights[i] - precision[i, i]
    }
    for p in 0..<parametersCount { result[p] = -dot(factors, distances[p]) * hyper.inverseSquares[p] }
    result[parametersCount] = -(scaleSum + traceSum * hyper.scale / 2)
    result[parametersCount + 1] = -traceSum * (hyper.noise - Self.noiseMin) / 2
    return result
  }
}
