import Kernels
import Platform
import Recipe
import Tensors

/// Measures of an embedding `[views · n, d]` that every method reports, of the matrix that its loss sees
/// (`DiagnosedEmbedding`). They cost too much for every step; the embedding must still be there.
final class EmbeddingDiagnostics {
  private let diagnosed: DiagnosedEmbedding
  private let views: Int
  private let compute: Compute
  private let centred: Activation
  /// The rows divided by their norms, where the method asks for it.
  private let unit: Activation?
  private let inverse: Doubles
  /// √(unbiased variance + ε) of each dimension of a view.
  private let deviations: Doubles
  private let statistics: ChannelStatistics
  private let covariance: Matrix
  private let covarianceProduct: MatrixProduct
  private let ones: Floats
  private let zeros: Floats
  private var eigenvalues: SymmetricEigenvalues
  private var gram: [Double]

  /// Plans them for embeddings of at most `shape.batchSize` images.
  init(_ diagnosed: DiagnosedEmbedding, _ shape: EmbeddingShape, plan: NetworkPlan) throws {
    self.diagnosed = diagnosed
    views = shape.views
    compute = plan.compute
    let (n, d) = (shape.batchSize, shape.dimension)
    let arena = plan.arena
    centred = try plan.activation(images: n, channels: d, side: 1)
    let isScaled = diagnosed == .unitRows
    unit = isScaled ? try plan.activation(images: views * n, channels: d, side: 1) : nil
    inverse = try arena.allocateDoubles(isScaled ? views * n : 0)
    deviations = try arena.allocateDoubles(d)
    statistics = ChannelStatistics(mean: try arena.allocate(d), variance: try arena.allocate(d))
    covariance = Matrix(try arena.allocate(d * centred.imageStride), rowStride: centred.imageStride)
    covarianceProduct = MatrixProduct(m: d, n: d, k: n, compute: compute)
    ones = try arena.allocate(d)
    compute.fill(ones, with: 1)
    zeros = try arena.allocate(d)
    compute.fill(zeros, with: 0)
    let order = min(n, d)
    plan.count(otherBytes: (2 * order * order + 2 * order) * MemoryLayout<Double>.stride)
    // Their memory is not the arena's: a plan that nobody will run takes none.
    eigenvalues = SymmetricEigenvalues(order: arena.isCounting ? 0 : order)
    gram = Array(repeating: 0, count: arena.isCounting ? 0 : order * order)
  }

  /// `std_mean` and `std_min` over dimensions and views (collapse shows here first), `corr`, the mean
  /// absolute correlation of two different dimensions over the views, and `rankme` of view one.
  func figures(_ embedding: Activation) -> [Figure] {
    let z = scaled(embedding)
    let rows = z.images / views
    var (mean, least, correlation) = (0.0, Double.infinity, 0.0)
    for view in 0..<views {
      let part = z.images(view * rows..<(view + 1) * rows)
      compute.statistics(of: part, into: statistics)
      compute.deviations(statistics, rows: rows, epsilon: epsilon, into: deviations)
      compute.spread(
        deviations, divisor: Double(views * z.channels), addedTo: &mean, least: &least)
      takeCovariance(part)
      correlation += compute.meanCorrelation(covariance, deviations: deviations, epsilon: epsilon)
    }
    return [
      Figure("std_mean", mean), Figure("std_min", least), Figure("corr", correlation / Double(views)),
      Figure("rankme", effectiveRank(z.images(0..<rows))),
    ]
  }

  private var epsilon: Double {
    switch diagnosed {
    case .raw(let epsilon): epsilon
    case .unitRows: 0
    }
  }

  private func scaled(_ z: Activation) -> Activation {
    guard let unit else { return z }
    let result = unit.images(0..<z.images)
    compute.inverseNorms(of: z, into: inverse)
    compute.scaleRows(z, by: inverse, into: result)
    return result
  }

  /// The covariance of one view, with a zero diagonal.
  private func takeCovariance(_ z: Activation) {
    let rows = 0..<z.images
    compute.normalize(
      z, statistics: ChannelStatistics(mean: statistics.mean, variance: ones),
      parameters: NormParameters(weight: ones, bias: zeros, epsilon: 0), relu: false,
      output: centred.images(rows))
    let matrix = Matrix(centred.images(rows))
    covarianceProduct.run(
      matrix, transposeA: true, matrix, into: covariance, depth: z.images,
      alpha: 1 / Float(max(1, z.images - 1)))
    compute.setDiagonal(covariance, order: z.channels, to: 0)
  }

  /// RankMe of the rows: the singular values are the roots of the eigenvalues of the smaller Gram matrix,
  /// computed in double precision.
  func effectiveRank(_ z: Activation) -> Double {
    let order = min(z.images, z.channels)
    compute.lowerGram(of: z, into: &gram)
    guard let values = eigenvalues.ofLowerTriangle(gram, order: order) else { return .nan }
    return RankMe.rank(ofSingularValues: values.map { max($0, 0).squareRoot() })
  }
}

/// RankMe: how many dimensions a matrix of embeddings really uses.
///
/// Source: Garrido et al., "RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised
/// Representations by Their Rank", ICML 2023, equation 1.
package enum RankMe {
  /// `exp(−Σ p log p)` of the singular values' shares p + 1e-7; 1 without any that is positive.
  package static func rank(ofSingularValues singular: some Collection<Double>) -> Double {
    let sum = singular.reduce(0, +)
    guard sum > 0 else { return 1 }
    let entropy = singular.reduce(0.0) {
      let share = $1 / sum + 1e-7
      return $0 - share * Mathematics.logarithm(share)
    }
    return Mathematics.exponential(entropy)
  }
}
