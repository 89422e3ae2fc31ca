import Kernels
import NeuralNet
import TensorElements
import Tensors

/// Looks at a matrix of features as a whole: how many of its dimensions are used, and where its rows lie on
/// the two axes along which they differ most.
///
/// In double precision; the same features give the same bits.
final class FeatureSpectrum {
  /// What was found.
  struct Findings: Sendable, Equatable {
    /// Of the features as they are, the largest first, `min(rows, columns)` numbers.
    let singularValues: [Double]
    /// Of each dimension: the standard deviation with n − 1.
    let deviations: [Double]
    /// Where each row lies on the two principal axes, from the mean of all rows. The row that lies furthest
    /// out on an axis lies on its positive side.
    let points: [SIMD2<Double>]
    /// Shares of the variance that lie on the axes.
    let explained: SIMD2<Double>

    /// RankMe of the features.
    var effectiveRank: Double { RankMe.rank(ofSingularValues: singularValues) }
  }

  private let rows: Int
  private let columns: Int
  private let compute: Compute
  private let means: Doubles
  private let variances: Doubles
  private let axes: Doubles
  private let points: Doubles
  private var gram: [Double]
  private var eigenvalues: SymmetricEigenvalues

  /// Plans it for a matrix `[rows][columns]`. Throws `SystemError` without memory.
  init(rows: Int, columns: Int, compute: Compute, arena: Arena) throws {
    precondition(rows >= 2 && columns >= 1, "rows that differ need two")
    (self.rows, self.columns, self.compute) = (rows, columns, compute)
    means = try arena.allocateDoubles(columns)
    variances = try arena.allocateDoubles(columns)
    axes = try arena.allocateDoubles(2 * columns)
    points = try arena.allocateDoubles(2 * rows)
    // Their memory is not the arena's: a plan that nobody will run takes none.
    let order = arena.isCounting ? 0 : min(rows, columns)
    gram = Array(repeating: 0, count: order * order)
    eigenvalues = SymmetricEigenvalues(order: order)
  }

  /// Bytes that one takes outside of its arena.
  static func otherBytes(rows: Int, columns: Int) -> Int {
    let order = min(rows, columns)
    // The Gram matrix, its copy while axes are looked for, and that of the eigenvalues; vectors of both.
    return (3 * order * order + 64 * order) * MemoryLayout<Double>.stride
  }

  /// Looks at `features`, row-major `[rows][columns]`; `nil`: they are not finite.
  func look(at features: Floats) -> Findings? {
    let order = min(rows, columns)
    guard compute.finiteness(of: features).notFinite == 0 else { return nil }
    compute.lowerGram(of: features, rows: rows, columns: columns, into: &gram)
    guard let values = eigenvalues.ofLowerTriangle(gram, order: order) else { return nil }
    let singular = values.map { max($0, 0).squareRoot() }.sorted(by: >)
    compute.columnMoments(of: features, rows: rows, into: means, variances: variances)
    let unbias = Double(rows) / Double(rows - 1)
    let deviations = (0..<columns).map { (variances[$0] * unbias).squareRoot() }
    let total = (0..<columns).reduce(0) { $0 + variances[$1] } * Double(rows)
    guard total > Self.pointShare * singular.reduce(0, { $0 + $1 * $1 }) else {
      return Findings(
        singularValues: singular, deviations: deviations, points: Array(repeating: .zero, count: rows),
        explained: .zero)
    }
    centre()
    var search = PrincipalAxes(gram, order: order)
    let found = search.leading(2)
    return Findings(
      singularValues: singular, deviations: deviations, points: place(features, on: found),
      explained: SIMD2(min(found[0].value / total, 1), min(found[1].value / total, 1)))
  }

  /// Rows whose squared distances from their mean are below this share of their squared lengths lie in one
  /// point: single precision tells them no further apart.
  private static let pointShare = 1e-12

  /// Makes the lower triangle of the features' Gram matrix the whole one of the centred features.
  private func centre() {
    let order = min(rows, columns)
    for i in 0..<order { for j in 0..<i { gram[j * order + i] = gram[i * order + j] } }
    if rows > columns {
      for i in 0..<order {
        for j in 0..<order { gram[i * order + j] -= Double(rows) * means[i] * means[j] }
      }
      return
    }
    let averages = (0..<order).map { i in
      (0..<order).reduce(0) { $0 + gram[i * order + $1] } / Double(order)
    }
    let average = averages.reduce(0, +) / Double(order)
    for i in 0..<order {
      for j in 0..<order { gram[i * order + j] += average - averages[i] - averages[j] }
    }
  }

  private func place(_ features: Floats, on found: [PrincipalAxes.Axis]) -> [SIMD2<Double>] {
    if rows > columns {
      for (index, axis) in found.enumerated() {
        for place in 0..<columns { axes[index * columns + place] = axis.vector[place] }
      }
      compute.project(features, rows: rows, centre: means, onto: axes, into: points)
    } else {
      for row in 0..<rows {
        for (index, axis) in found.enumerated() {
          points[2 * row + index] = axis.vector[row] * axis.value.squareRoot()
        }
      }
    }
    var signs = SIMD2(repeating: 1.0)
    for axis in 0..<2 {
      var furthest = 0.0
      for row in 0..<rows where abs(points[2 * row + axis]) > abs(furthest) {
        furthest = points[2 * row + axis]
      }
      if furthest < 0 { signs[axis] = -1 }
    }
    return (0..<rows).map { SIMD2(points[2 * $0], points[2 * $0 + 1]) * signs }
  }
}
