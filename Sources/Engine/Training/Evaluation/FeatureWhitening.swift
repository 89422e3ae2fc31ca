import Kernels
import Parallel
import TensorElements
import Tensors

/// A linear map after which features are uncorrelated and have a deviation of 1:
/// `z = L⁻¹ (x − mean) / deviation`.
///
/// `L Lᵀ` is the correlation matrix of the rows that are measured, shrunk towards the identity as Ledoit and
/// Wolf have it, so that directions in which rows hardly differ do not become noise, and that fewer rows than
/// features will do. The cosine of two such rows does not depend on which square root of the matrix is taken.
/// No label is used.
///
/// Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004;
/// scikit-learn's `LedoitWolf` on rows of its `StandardScaler`.
final class FeatureWhitening {
  /// Floats of a block of rows, and rows of it at most.
  private static let blockFloats = 1 << 20
  private static let blockRowsMax = 4096
  private static let blockRowsMin = 64
  /// Rounding of the single-precision moments: no less is shrunk.
  private static let shrinkageMin = 1e-6

  private let featureCount: Int
  private let blockRows: Int
  private let team: ThreadTeam
  private let moments: MatrixProduct
  private let map: MatrixProduct
  private let block: Floats
  /// Of each row of a block its squared length.
  private let lengths: Doubles
  /// `[D][D]`: the correlation matrix, and then L⁻¹.
  private let matrix: Floats
  private let factor: CholeskyFactor

  /// Plans it for at most `rows` rows. Throws `SystemError` without memory.
  init(featureCount: Int, rows: Int, team: ThreadTeam, arena: Arena) throws {
    self.featureCount = featureCount
    self.team = team
    let wanted = max(Self.blockRowsMin, Self.blockFloats / featureCount)
    blockRows = max(1, min(rows, wanted, Self.blockRowsMax))
    let compute = Compute(team: team)
    moments = MatrixProduct(m: featureCount, n: featureCount, k: blockRows, compute: compute)
    map = MatrixProduct(m: blockRows, n: featureCount, k: featureCount, compute: compute)
    block = try arena.allocate(blockRows * featureCount)
    lengths = try arena.allocateDoubles(blockRows)
    matrix = try arena.allocate(featureCount * featureCount)
    factor = try CholeskyFactor(order: featureCount, team: team, arena: arena)
    try compute.allocate(from: arena)
  }

  /// Measures all rows, whose scaling must be that of the same rows.
  ///
  /// - Parameter proceed: called before each block; what it throws ends the computation.
  /// - Returns: the share of the identity in what the map is made of.
  @discardableResult
  func measure(_ rows: StandardizedRows, _ proceed: () throws -> Void = {}) throws -> Double {
    let result = Matrix(matrix, rowStride: featureCount)
    // Σ‖x‖⁴
    var fourth = 0.0
    for range in blocks(rows.count) {
      try proceed()
      rows.load(Array(range)[...], into: block)
      moments.run(
        Matrix(block, rowStride: featureCount), transposeA: true, Matrix(block, rowStride: featureCount),
        into: result, depth: range.count, alpha: 1 / Float(rows.count), beta: range.lowerBound == 0 ? 0 : 1)
      team.run(tasks: range.count) { [featureCount, block, lengths] row in
        var sum = 0.0
        for place in row * featureCount..<(row + 1) * featureCount {
          sum += Double(block[place]) * Double(block[place])
        }
        lengths[row] = sum
      }
      for row in 0..<range.count { fourth += lengths[row] * lengths[row] }
    }
    let (share, mean) = shrinkage(fourth: fourth, rows: rows.count)
    try proceed()
    // Rows that are all the same have nothing to decorrelate.
    factor.factor(matrix, scale: 1 - share, shift: mean > 0 ? share * mean : 1)
    factor.inverse(into: matrix)
    return share
  }

  /// Writes the whitened rows to `table`, `[rows.count][D]`; it may be what they are read from.
  func apply(_ rows: StandardizedRows, into table: Floats, _ proceed: () throws -> Void = {}) throws {
    for range in blocks(rows.count) {
      try proceed()
      rows.load(Array(range)[...], into: block)
      let target = table.slice(range.lowerBound * featureCount, range.count * featureCount)
      map.run(
        Matrix(block, rowStride: featureCount), Matrix(matrix, rowStride: featureCount), transposeB: true,
        into: Matrix(target, rowStride: featureCount), rows: range.count)
    }
  }

  private func blocks(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: blockRows).map { $0..<min($0 + blockRows, count) }
  }

  /// The share of the identity that Ledoit and Wolf take, and the mean of the matrix's diagonal.
  private func shrinkage(fourth: Double, rows: Int) -> (share: Double, mean: Double) {
    var (trace, squares) = (0.0, 0.0)
    for row in 0..<featureCount {
      trace += Double(matrix[row * featureCount + row])
      for place in row * featureCount..<(row + 1) * featureCount {
        squares += Double(matrix[place]) * Double(matrix[place])
      }
    }
    let mean = trace / Double(featureCount)
    let spread = squares - mean * trace
    let noise = (fourth / Double(rows) - squares) / Double(rows)
    guard spread > 0 else { return (1, mean) }
    return (min(max(noise / spread, Self.shrinkageMin), 1), mean)
  }
}
