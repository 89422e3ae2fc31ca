import Kernels
import Parallel
import Platform
import TensorElements
import Tensors

/// Multinomial logistic regression with a ridge on the weights, fitted by L-BFGS to convergence.
///
/// Minimises `mean cross-entropy + ridge / 2 · ‖W‖²` over weights W `[K, D]` and biases `[K]`, which have no
/// ridge: scikit-learn's `LogisticRegression` with `C = 1 / (ridge · rows)`. The search is preconditioned by
/// the second moments of the features, so that it converges in some dozens of steps however correlated they
/// are. Sums are taken over blocks of rows that follow from the problem alone: the bits do not depend on the
/// threads.
final class LogisticRegression {
  /// What a fit found.
  struct Fit {
    /// Weights `[K][D]`, then biases `[K]`.
    let parameters: [Double]
    /// Steps of the search.
    let iterations: Int
    /// What was minimised, at the end.
    let objective: Double
  }

  /// How well parameters describe some rows.
  struct Score {
    /// Mean cross-entropy.
    let loss: Double
    /// What each row is taken for.
    let images: RankedImages
  }

  /// A fit has converged when no element of the gradient is larger: the mean cross-entropy is then known to
  /// about six digits.
  static let gradientTolerance = 1e-5
  /// Steps after which a fit ends in any case.
  static let iterationsMax = 1_000
  /// Features up to which their second moments precondition the search; more would take too much memory.
  static let preconditionedFeaturesMax = 4096
  /// Rows of a block: at most so many, and so many floats of features.
  private static let blockRowsMax = 4096
  private static let blockRowsMin = 256
  private static let blockFloats = 4 << 20
  /// Rows of a task that turns scores into probabilities.
  private static let rowsOfTask = 64

  private let featureCount: Int
  private let classes: Int
  private let blockRows: Int
  private let compute: Compute
  private let scores: MatrixProduct
  private let gradients: MatrixProduct
  private let moments: MatrixProduct?
  /// A block's rows `[rows][D]`, their scores `[rows][K]` and losses.
  private let block: (rows: Floats, scores: Floats, losses: Floats)
  /// For each row of a block its class with the highest score, and the place of its own class.
  private let rankings: Doubles
  /// Weights `[K][D]` and gradients `[D][K]` in single precision.
  private let weights: Floats
  private let gradient: Floats
  /// The features' second moments `[D][D]` and the factor of the preconditioner.
  private let secondMoments: Floats
  private let factor: CholeskyFactor?

  /// Plans fits on at most `rows` rows of `featureCount` features. Throws `SystemError` without memory.
  init(featureCount: Int, classes: Int, rows: Int, team: ThreadTeam, arena: Arena) throws {
    self.featureCount = featureCount
    self.classes = classes
    blockRows = min(
      rows,
      max(Self.blockRowsMin, min(Self.blockRowsMax, Self.blockFloats / featureCount)))
    compute = Compute(team: team)
    scores = MatrixProduct(m: blockRows, n: classes, k: featureCount, compute: compute)
    gradients = MatrixProduct(m: featureCount, n: classes, k: blockRows, compute: compute)
    block = (
      try arena.allocate(blockRows * featureCount), try arena.allocate(blockRows * classes),
      try arena.allocate(blockRows)
    )
    rankings = try arena.allocateDoubles(2 * blockRows)
    weights = try arena.allocate(classes * featureCount)
    gradient = try arena.allocate(featureCount * classes)
    let isPreconditioned = featureCount <= Self.preconditionedFeaturesMax
    moments =
      isPreconditioned
      ? MatrixProduct(m: featureCount, n: featureCount, k: blockRows, compute: compute) : nil
    secondMoments = try arena.allocate(isPreconditioned ? featureCount * featureCount : 0)
    factor =
      isPreconditioned ? try CholeskyFactor(order: featureCount, team: team, arena: arena) : nil
    try compute.allocate(from: arena)
  }

  /// Takes the second moments of the rows at `all`; fits on any of them are then preconditioned by these.
  ///
  /// - Parameter proceed: called before each block; what it throws ends the computation.
  func prepare(_ rows: StandardizedRows, _ all: [Int], _ proceed: () throws -> Void) throws {
    guard let moments else { return }
    let matrix = Matrix(secondMoments, rowStride: featureCount)
    for range in blocks(all) {
      try proceed()
      let x = load(rows, all[range])
      moments.run(
        x, transposeA: true, x, into: matrix, depth: range.count, alpha: 1 / Float(all.count),
        beta: range.lowerBound == 0 ? 0 : 1)
    }
  }

  /// Fits parameters to the rows at `indices`, beginning at `start` or at 0.
  ///
  /// - Parameters:
  ///   - tolerance: the largest element of the gradient at the end.
  ///   - proceed: called before each block of rows; what it throws ends the search.
  func fit(
    _ rows: StandardizedRows, _ indices: [Int], ridge: Double, from start: [Double]? = nil,
    tolerance: Double = LogisticRegression.gradientTolerance, _ proceed: () throws -> Void = {}
  ) throws -> Fit {
    let count = featureCount * classes + classes
    // At parameters of 0 the Hessian is (1 − 11ᵀ/K) / K times the second moments.
    let curvature = 1 / Double(classes)
    factor?.factor(secondMoments, scale: curvature, shift: ridge)
    let search = QuasiNewton(
      gradientTolerance: tolerance, iterationsMax: Self.iterationsMax
    ) { [self] vector in
      if let factor {
        factor.solve(rows: classes, &vector)
      } else {
        // Standardised features have second moments of 1.
        for index in 0..<featureCount * classes { vector[index] /= curvature + ridge }
      }
      for index in featureCount * classes..<count { vector[index] /= curvature }
    }
    let result = try search.minimize(from: start ?? Array(repeating: 0, count: count)) {
      try evaluate($0, rows, indices, ridge: ridge, proceed)
    }
    return Fit(
      parameters: result.point.x, iterations: result.iterations, objective: result.point.value)
  }

  /// How well `parameters` describe the rows at `indices`.
  func score(
    _ parameters: [Double], _ rows: StandardizedRows, _ indices: [Int], _ proceed: () throws -> Void = {}
  ) throws -> Score {
    take(parameters)
    var loss = 0.0
    var images = RankedImages()
    for range in blocks(indices) {
      try proceed()
      _ = residuals(rows, indices[range], parameters)
      for row in 0..<range.count {
        loss += Double(block.losses[row])
        images.add(
          ClassRanking(predicted: Int(rankings[2 * row]), rank: Int(rankings[2 * row + 1])))
      }
    }
    return Score(loss: loss / Double(max(indices.count, 1)), images: images)
  }

  /// The objective and its gradient.
  private func evaluate(
    _ parameters: [Double], _ rows: StandardizedRows, _ indices: [Int], ridge: Double,
    _ proceed: () throws -> Void
  ) throws -> (value: Double, gradient: [Double]) {
    take(parameters)
    let (d, k) = (featureCount, classes)
    var sums = Array(repeating: 0.0, count: parameters.count)
    var loss = 0.0
    for range in blocks(indices) {
      try proceed()
      let x = residuals(rows, indices[range], parameters)
      gradients.run(
        x, transposeA: true, Matrix(block.scores, rowStride: k), into: Matrix(gradient, rowStride: k),
        depth: range.count)
      for feature in 0..<d {
        for c in 0..<k { sums[c * d + feature] += Double(gradient[feature * k + c]) }
      }
      for row in 0..<range.count {
        loss += Double(block.losses[row])
        for c in 0..<k { sums[k * d + c] += Double(block.scores[row * k + c]) }
      }
    }
    let share = 1 / Double(indices.count)
    var squares = 0.0
    for index in 0..<k * d {
      sums[index] = sums[index] * share + ridge * parameters[index]
      squares += parameters[index] * parameters[index]
    }
    for index in k * d..<k * d + k { sums[index] *= share }
    return (loss * share + ridge / 2 * squares, sums)
  }

  private func take(_ parameters: [Double]) {
    for index in 0..<weights.count { weights[index] = Float(parameters[index]) }
  }

  /// Blocks of positions in `indices`.
  private func blocks(_ indices: [Int]) -> [Range<Int>] {
    stride(from: 0, to: indices.count, by: blockRows).map { $0..<min($0 + blockRows, indices.count) }
  }

  private func load(_ rows: StandardizedRows, _ indices: ArraySlice<Int>) -> Matrix {
    rows.load(indices, into: block.rows)
    return Matrix(block.rows, rowStride: featureCount)
  }

  /// Loads some rows and leaves probabilities minus one-hot labels and losses of them in `block`, with their
  /// rankings.
  private func residuals(
    _ rows: StandardizedRows, _ indices: ArraySlice<Int>, _ parameters: [Double]
  ) -> Matrix {
    let x = load(rows, indices)
    scores.run(
      x, Matrix(weights, rowStride: featureCount), transposeB: true,
      into: Matrix(block.scores, rowStride: classes), rows: indices.count)
    let biases = Array(parameters[(featureCount * classes)...])
    compute.team.run(tasks: (indices.count + Self.rowsOfTask - 1) / Self.rowsOfTask) { task in
      let first = task * Self.rowsOfTask
      for row in first..<min(first + Self.rowsOfTask, indices.count) {
        softmax(row, label: rows.labels[indices[indices.startIndex + row]], biases)
      }
    }
    return x
  }

  private func softmax(_ row: Int, label: Int, _ biases: [Double]) {
    let (start, k) = (row * classes, classes)
    let line = block.scores
    let ranking = ClassRanking(classes: k, label: label) { Double(line[start + $0]) + biases[$0] }
    let largest = Double(line[start + ranking.predicted]) + biases[ranking.predicted]
    let own = Double(line[start + label]) + biases[label]
    var sum = 0.0
    for c in 0..<k {
      let share = Mathematics.exponential(Double(line[start + c]) + biases[c] - largest)
      sum += share
      line[start + c] = Float(share)
    }
    for c in 0..<k {
      line[start + c] = Float(Double(line[start + c]) / sum - (c == label ? 1 : 0))
    }
    block.losses[row] = Float(Mathematics.logarithm(sum) + largest - own)
    rankings[2 * row] = Double(ranking.predicted)
    rankings[2 * row + 1] = Double(ranking.rank)
  }
}
