import Kernels
import Platform
import Tensors

/// Measures of an embedding that are worth a look now and then but cost too much for every step.
struct EmbeddingDiagnostics {
  private var eigenvalues: SymmetricEigenvalues
  private var gram: [Double]

  /// Bytes that these take beside the arena of their network.
  static func bytes(batchSize: Int, dimension: Int) -> Int {
    let order = min(batchSize, dimension)
    return (2 * order * order + 2 * order) * MemoryLayout<Double>.stride
  }

  /// Plans for embeddings of at most `batchSize` rows of `dimension` numbers.
  init(batchSize: Int, dimension: Int) {
    let order = min(batchSize, dimension)
    eigenvalues = SymmetricEigenvalues(order: order)
    gram = Array(repeating: 0, count: order * order)
  }

  /// Mean absolute correlation of two different dimensions; `covariance` has a zero diagonal.
  ///
  /// A dimension without variance has correlation 0 with all others.
  func meanCorrelation(_ covariance: Matrix, variances: [Double]) -> Double {
    let inverse = variances.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
    let d = variances.count
    guard d > 1 else { return 0 }
    var total = 0.0
    for i in 0..<d {
      var sum = 0.0
      for j in 0..<d { sum += Double(abs(covariance.floats[i * covariance.rowStride + j])) * inverse[j] }
      total += sum * inverse[i]
    }
    return total / Double(d * (d - 1))
  }

  /// RankMe: `exp(−Σ p log p)` of the singular values' shares p + 1e-7.
  ///
  /// Source: Garrido et al., "RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised
  /// Representations by Their Rank", ICML 2023, equation 1. The singular values are the roots of the
  /// eigenvalues of the smaller Gram matrix, computed in double precision.
  mutating func effectiveRank(_ z: Activation) -> Double {
    let order = min(z.images, z.channels)
    fillGram(z, order: order)
    guard let values = eigenvalues.ofLowerTriangle(gram, order: order) else { return .nan }
    let singular = values.map { max($0, 0).squareRoot() }
    let sum = singular.reduce(0, +)
    guard sum > 0 else { return 1 }
    let entropy = singular.reduce(0.0) {
      let share = $1 / sum + 1e-7
      return $0 - share * Mathematics.logarithm(share)
    }
    return Mathematics.exponential(entropy)
  }

  /// The lower triangle of `z zᵀ` or `zᵀ z`, whichever is smaller.
  private mutating func fillGram(_ z: Activation, order: Int) {
    let byRows = z.images <= z.channels
    let (outer, inner) = byRows ? (z.imageStride, 1) : (1, z.imageStride)
    let floats = z.storage
    for i in 0..<order {
      for j in 0...i {
        var sum = 0.0
        for l in 0..<(byRows ? z.channels : z.images) {
          sum += Double(floats[i * outer + l * inner]) * Double(floats[j * outer + l * inner])
        }
        gram[i * order + j] = sum
      }
    }
  }
}
