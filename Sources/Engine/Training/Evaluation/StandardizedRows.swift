import Kernels
import Parallel
import Platform
import TensorElements
import Tensors

/// Rows of features with their labels, standardised as they are read: `(x − mean) / deviation`.
struct StandardizedRows {
  /// Where the numbers come from.
  enum Source {
    /// `[count][D]`.
    case table(Floats)
    /// `[count][D]`: the bytes of images.
    case pixels([UInt8])
  }

  /// Number of rows.
  var count: Int { labels.count }
  /// Numbers of a row, D.
  let featureCount: Int
  /// The class of each row.
  let labels: [Int]
  private let source: Source
  private let scaling: FeatureScaling
  private let team: ThreadTeam

  /// Rows that a task copies.
  private static let rowsOfTask = 64

  /// Rows of `source`, one for each label.
  init(_ source: Source, labels: [Int], scaling: FeatureScaling, team: ThreadTeam) {
    featureCount = scaling.standardization.count
    self.labels = labels
    self.source = source
    self.scaling = scaling
    self.team = team
  }

  /// Writes the rows at `indices` to the front of `target`, `[indices.count][D]`.
  func load(_ indices: ArraySlice<Int>, into target: Floats) {
    let tasks = (indices.count + Self.rowsOfTask - 1) / Self.rowsOfTask
    team.run(tasks: tasks) { task in
      let first = indices.startIndex + task * Self.rowsOfTask
      for position in first..<min(first + Self.rowsOfTask, indices.endIndex) {
        load(indices[position], into: target, at: (position - indices.startIndex) * featureCount)
      }
    }
  }

  private func load(_ row: Int, into target: Floats, at offset: Int) {
    switch source {
    case .table(let table): scaling.standardization.apply(table, row: row, into: target, at: offset)
    case .pixels(let pixels): scaling.standardization.apply(pixels, row: row, into: target, at: offset)
    }
  }
}

/// Mean and deviation of each feature over the labelled training rows (population form, as scikit-learn's
/// `StandardScaler` takes them).
struct FeatureScaling {
  /// With an inverse deviation of 1 for a feature that is constant.
  let standardization: Standardization

  /// Features that a task sums up.
  private static let featuresOfTask = 16
  /// A deviation below this share of the mean is rounding: the feature is constant.
  private static let deviationShareMin = 1e-7

  /// Measures the features of some rows of `source`. Throws `SystemError` without memory.
  init(
    of source: StandardizedRows.Source, _ rows: [Int], featureCount: Int, team: ThreadTeam, arena: Arena
  ) throws {
    let mean = try arena.allocate(featureCount)
    let inverse = try arena.allocate(featureCount)
    team.run(tasks: (featureCount + Self.featuresOfTask - 1) / Self.featuresOfTask) { task in
      let first = task * Self.featuresOfTask
      for feature in first..<min(first + Self.featuresOfTask, featureCount) {
        let (average, deviation) = Self.measured(source, rows, feature, featureCount: featureCount)
        mean[feature] = Float(average)
        let isConstant = deviation <= Self.deviationShareMin * abs(average)
        inverse[feature] = isConstant ? 1 : Float(1 / deviation)
      }
    }
    standardization = Standardization(mean: mean, inverse: inverse)
  }

  private static func measured(
    _ source: StandardizedRows.Source, _ rows: [Int], _ feature: Int, featureCount: Int
  ) -> (mean: Double, deviation: Double) {
    let count = rows.count
    switch source {
    case .table(let table):
      var sum = 0.0
      for row in rows { sum += Double(table[row * featureCount + feature]) }
      let mean = sum / Double(count)
      var squares = 0.0
      for row in rows {
        let distance = Double(table[row * featureCount + feature]) - mean
        squares += distance * distance
      }
      return (mean, (squares / Double(count)).squareRoot())
    case .pixels(let pixels):
      var (sum, squares) = (0, 0)
      for row in rows {
        let value = Int(pixels[row * featureCount + feature])
        sum += value
        squares += value * value
      }
      // Whole numbers, so that a constant pixel has a deviation of exactly 0.
      let variance = Double(count * squares - sum * sum) / (Double(count) * Double(count))
      return (Double(sum) / Double(count), variance.squareRoot())
    }
  }
}
