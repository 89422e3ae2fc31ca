import Recipe
import Kernels
import Tensors

/// The VICReg loss of an embedding `[2n, d]` (view one, then view two) and its gradient.
///
/// Bardes, Ponce, LeCun, "VICReg" (ICLR 2022), with the factors of the published code: the mean over n·d in
/// the invariance term, covariances with n − 1, off-diagonal squares over d. The gradient of a standard
/// deviation that is 0 is 0. Needs the embedding until `evaluate` returns; keeps nothing between calls.
final class VICRegLoss {
  private let configuration: LossSpecification
  private let compute: Compute
  private let dimension: Int
  private let centred: Activation
  private let gradient: Activation
  private let difference: Floats
  private let statistics: [ChannelStatistics]
  private let covariances: [Matrix]
  private let covarianceProduct: MatrixProduct
  private let gradientProduct: MatrixProduct
  private let ones: Floats
  private let zeros: Floats
  private var diagnostics: EmbeddingDiagnostics
  private var deviations: [Double]

  /// Plans the loss for at most `batchSize` images (twice as many rows) of `dimension` numbers.
  init(_ configuration: LossSpecification, batchSize: Int, dimension: Int, plan: NetworkPlan) throws {
    self.configuration = configuration
    self.dimension = dimension
    compute = plan.compute
    let arena = plan.arena
    centred = try plan.activation(images: 2 * batchSize, channels: dimension, side: 1)
    gradient = try plan.activation(images: 2 * batchSize, channels: dimension, side: 1)
    difference = try arena.allocate(batchSize * centred.imageStride)
    statistics = try (0..<2).map { _ in
      ChannelStatistics(mean: try arena.allocate(dimension), variance: try arena.allocate(dimension))
    }
    let rowStride = centred.imageStride
    covariances = try (0..<2).map { _ in
      Matrix(try arena.allocate(dimension * rowStride), rowStride: rowStride)
    }
    covarianceProduct = MatrixProduct(m: dimension, n: dimension, k: batchSize, compute: compute)
    gradientProduct = MatrixProduct(m: batchSize, n: dimension, k: dimension, compute: compute)
    ones = try arena.allocate(dimension)
    ones.fill(1)
    zeros = try arena.allocate(dimension)
    zeros.fill(0)
    plan.count(otherBytes: EmbeddingDiagnostics.bytes(batchSize: batchSize, dimension: dimension))
    // Their memory is not the arena's: a plan that nobody will run takes none.
    diagnostics =
      arena.isCounting
      ? EmbeddingDiagnostics(batchSize: 0, dimension: 0)
      : EmbeddingDiagnostics(batchSize: batchSize, dimension: dimension)
    deviations = Array(repeating: 0, count: dimension)
  }

  /// The loss with its parts, and its gradient `[2n, d]`, which stays valid until the next call.
  func evaluate(_ z: Activation, diagnostics wantsDiagnostics: Bool) -> (LossComponents, Activation) {
    precondition(
      z.channels == dimension && z.images.isMultiple(of: 2) && z.images >= 4, "two views of 2 rows")
    var parts = LossComponents(loss: 0, inv: 0, var: 0, cov: 0, stdMean: 0, stdMin: .infinity)
    var correlations = 0.0
    for view in 0..<2 {
      centre(z, view: view)
      takeDeviations(view: view, rows: z.images / 2)
      addVariance(to: &parts)
      parts.cov += covariance(view: view, rows: z.images / 2)
      if wantsDiagnostics {
        correlations += diagnostics.meanCorrelation(
          covariances[view], variances: deviations.map { max(0, $0 * $0 - configuration.epsilon) })
      }
      covarianceGradient(view: view, rows: z.images / 2)
    }
    invariance(z, into: &parts)
    if wantsDiagnostics {
      parts.corr = correlations / 2
      parts.rankMe = diagnostics.effectiveRank(z.images(0..<z.images / 2))
    }
    parts.loss =
      configuration.inv * parts.inv + configuration.var * parts.var + configuration.cov * parts.cov
    return (parts, gradient.images(0..<z.images))
  }

  private func rows(of view: Int, _ count: Int) -> Range<Int> { view * count..<(view + 1) * count }

  /// Takes a view's statistics and writes `z − mean` to `centred`.
  private func centre(_ z: Activation, view: Int) {
    let range = rows(of: view, z.images / 2)
    compute.statistics(of: z.images(range), into: statistics[view])
    compute.normalize(
      z.images(range), statistics: ChannelStatistics(mean: statistics[view].mean, variance: ones),
      parameters: NormParameters(weight: ones, bias: zeros, epsilon: 0), relu: false,
      output: centred.images(range))
  }

  /// √(unbiased variance + ε) of each dimension.
  private func takeDeviations(view: Int, rows: Int) {
    let unbias = Double(rows) / Double(rows - 1)
    for j in 0..<dimension {
      deviations[j] = (Double(statistics[view].variance[j]) * unbias + configuration.epsilon).squareRoot()
    }
  }

  private func addVariance(to parts: inout LossComponents) {
    var hinge = 0.0
    for deviation in deviations {
      // `max` would turn a deviation that is not a number into a hinge of 0.
      hinge += deviation >= configuration.gamma ? 0 : configuration.gamma - deviation
      parts.stdMean += deviation / Double(2 * dimension)
      parts.stdMin = min(parts.stdMin, deviation)
    }
    parts.var += varianceShare * hinge / Double(dimension)
  }

  private var varianceShare: Double { configuration.variance == .mean ? 0.5 : 1 }

  /// Computes a view's covariance matrix with a zero diagonal, and the covariance term.
  private func covariance(view: Int, rows: Int) -> Double {
    let matrix = covariances[view]
    let z = Matrix(centred.images(self.rows(of: view, rows)))
    covarianceProduct.run(z, transposeA: true, z, into: matrix, depth: rows, alpha: 1 / Float(rows - 1))
    for j in 0..<dimension { matrix.floats[j * matrix.rowStride + j] = 0 }
    return compute.sumOfSquares(matrix.floats) / Double(dimension)
  }

  /// Writes the gradients of a view's covariance and variance terms.
  ///
  /// With c = Σ_{i≠j} C_ij² / d the gradient is `4 / (d (n−1)) · z · offdiag(C)` for centred z; that of the
  /// hinge is `−z_ij / (d (n−1) std_j)` where std_j < γ. Both are one product with a matrix that holds the
  /// latter in its diagonal. Centring needs no term of its own: the columns of both sum to 0.
  private func covarianceGradient(view: Int, rows: Int) {
    let matrix = covariances[view]
    let common = 1 / (Double(dimension) * Double(rows - 1))
    compute.scale(matrix.floats, by: Float(4 * configuration.cov * common))
    for (j, deviation) in deviations.enumerated() where deviation < configuration.gamma && deviation > 0 {
      matrix.floats[j * matrix.rowStride + j] =
        Float(-configuration.var * varianceShare * common / deviation)
    }
    let range = self.rows(of: view, rows)
    gradientProduct.run(
      Matrix(centred.images(range)), matrix, into: Matrix(gradient.images(range)), rows: rows)
  }

  /// Adds the invariance term and its gradient `±2 (z1 − z2) / (n d)`.
  private func invariance(_ z: Activation, into parts: inout LossComponents) {
    let rows = z.images / 2
    let delta = difference.slice(0, rows * z.imageStride)
    delta.copy(from: z.images(self.rows(of: 1, rows)).storage)
    compute.scale(delta, by: -1)
    compute.add(z.images(self.rows(of: 0, rows)).storage, to: delta)
    let count = Double(rows * dimension)
    parts.inv = compute.sumOfSquares(delta) / count
    compute.scale(delta, by: Float(2 * configuration.inv / count))
    compute.add(delta, to: gradient.images(self.rows(of: 0, rows)).storage)
    compute.scale(delta, by: -1)
    compute.add(delta, to: gradient.images(self.rows(of: 1, rows)).storage)
  }
}
