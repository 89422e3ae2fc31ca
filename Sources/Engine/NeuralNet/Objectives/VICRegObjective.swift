import Kernels
import Recipe
import Tensors

/// The VICReg loss of an embedding `[views · n, d]` (view after view) and its gradient.
///
/// Bardes, Ponce, LeCun, "VICReg" (ICLR 2022), with the factors of the published code: the mean over n·d in
/// the invariance term, covariances with n − 1, off-diagonal squares over d. The gradient of a standard
/// deviation that is 0 is 0. With more than two views, local ones counted, the invariance is
/// `ViewInvariance`, and variance and covariance are twice their mean over all views (the variance once,
/// where the variant is the mean): with two views the published loss. Needs the embedding until `evaluate`
/// returns; keeps nothing between calls but the last figures.
final class VICRegObjective: Objective {
  var figures: [Figure] {
    [Figure("inv", parts.inv), Figure("var", parts.var), Figure("cov", parts.cov)]
  }
  private var parts = (inv: 0.0, var: 0.0, cov: 0.0)

  private let configuration: VICReg
  private let compute: Compute
  /// Global and local ones.
  private let views: Int
  private let dimension: Int
  private let centred: Activation
  private let gradient: Activation
  private let statistics: ChannelStatistics
  private let covariance: Matrix
  private let covarianceProduct: MatrixProduct
  private let gradientProduct: MatrixProduct
  private let invariance: ViewInvariance
  private let ones: Floats
  private let zeros: Floats
  /// √(unbiased variance + ε) of each dimension of a view.
  private let deviations: Doubles

  /// Plans the loss for at most `shape.batchSize` images.
  init(_ configuration: VICReg, _ shape: EmbeddingShape, plan: NetworkPlan) throws {
    self.configuration = configuration
    views = shape.allViews
    dimension = shape.dimension
    compute = plan.compute
    let arena = plan.arena
    centred = try plan.activation(images: shape.batchSize, channels: dimension, side: 1)
    gradient = try plan.activation(images: views * shape.batchSize, channels: dimension, side: 1)
    statistics = ChannelStatistics(
      mean: try arena.allocate(dimension), variance: try arena.allocate(dimension))
    let rowStride = centred.imageStride
    covariance = Matrix(try arena.allocate(dimension * rowStride), rowStride: rowStride)
    covarianceProduct = MatrixProduct(m: dimension, n: dimension, k: shape.batchSize, compute: compute)
    gradientProduct = MatrixProduct(m: shape.batchSize, n: dimension, k: dimension, compute: compute)
    invariance = try ViewInvariance(shape, plan: plan)
    ones = try arena.allocate(dimension)
    compute.fill(ones, with: 1)
    zeros = try arena.allocate(dimension)
    compute.fill(zeros, with: 0)
    deviations = try arena.allocateDoubles(dimension)
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    let z = outputs.embedding
    precondition(
      z.channels == dimension && z.images.isMultiple(of: views) && z.images >= 2 * views,
      "each view has two rows")
    let rows = z.images / views
    parts = (0, 0, 0)
    for view in 0..<views {
      let images = view * rows..<(view + 1) * rows
      centre(z.images(images))
      compute.deviations(statistics, rows: rows, epsilon: configuration.epsilon, into: deviations)
      parts.var += varianceShare * compute.hinge(deviations, gamma: configuration.gamma) / Double(dimension)
      parts.cov += covarianceTerm(rows: rows)
      covarianceGradient(rows: rows, into: gradient.images(images))
    }
    parts.inv = invariance.add(z, weight: configuration.inv, to: gradient.images(0..<z.images))
    let loss = configuration.inv * parts.inv + configuration.var * parts.var + configuration.cov * parts.cov
    return (loss, gradient.images(0..<z.images))
  }

  /// What the terms of one view count for: two views give the sum of both.
  private var viewShare: Double { 2 / Double(views) }
  private var varianceShare: Double { viewShare * (configuration.variance == .mean ? 0.5 : 1) }

  /// Takes a view's statistics and writes `z − mean` to `centred`.
  private func centre(_ z: Activation) {
    compute.statistics(of: z, into: statistics)
    compute.normalize(
      z, statistics: ChannelStatistics(mean: statistics.mean, variance: ones),
      parameters: NormParameters(weight: ones, bias: zeros, epsilon: 0), relu: false,
      output: centred.images(0..<z.images))
  }

  /// Computes a view's covariance matrix with a zero diagonal, and the covariance term.
  private func covarianceTerm(rows: Int) -> Double {
    let z = Matrix(centred.images(0..<rows))
    covarianceProduct.run(
      z, transposeA: true, z, into: covariance, depth: rows, alpha: 1 / Float(rows - 1))
    compute.setDiagonal(covariance, order: dimension, to: 0)
    return viewShare * (compute.sumOfSquares(covariance.floats) / Double(dimension))
  }

  /// Writes the gradients of a view's covariance and variance terms.
  ///
  /// With c = Σ_{i≠j} C_ij² / d the gradient is `4 / (d (n−1)) · z · offdiag(C)` for centred z; that of the
  /// hinge is `−z_ij / (d (n−1) std_j)` where std_j < γ. Both are one product with a matrix that holds the
  /// latter in its diagonal. Centring needs no term of its own: the columns of both sum to 0.
  private func covarianceGradient(rows: Int, into gradient: Activation) {
    let common = 1 / (Double(dimension) * Double(rows - 1))
    compute.scale(covariance.floats, by: Float(4 * configuration.cov * viewShare * common))
    compute.setHingeGradient(
      covariance, deviations: deviations, gamma: configuration.gamma,
      factor: -configuration.var * varianceShare * common)
    gradientProduct.run(Matrix(centred.images(0..<rows)), covariance, into: Matrix(gradient), rows: rows)
  }
}
