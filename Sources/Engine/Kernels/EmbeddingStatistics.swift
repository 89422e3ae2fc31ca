import Tensors
import TensorElements

// Operations on the statistics of an embedding: the deviations of its dimensions, and what losses and
// diagnostics make of them. They run on the calling thread, and each sum goes through its elements in their
// order, so the bits do not depend on the threads.
extension Compute {
  /// `deviations[j] = √(variance_j · rows / (rows − 1) + epsilon)` from biased variances of `rows` rows; with
  /// one row the factor is 1. Overwrites the first C of at least C doubles.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func deviations(
    _ statistics: ChannelStatistics, rows: Int, epsilon: Double, into deviations: Doubles
  ) {
    let variance = statistics.variance
    precondition(deviations.count >= variance.count, "one deviation a channel")
    let unbias = rows > 1 ? Double(rows) / Double(rows - 1) : 1
    for j in 0..<variance.count {
      deviations[j] = (Double(variance[j]) * unbias + epsilon).squareRoot()
    }
  }

  /// `Σ_j max(0, gamma − deviations_j)`; a deviation that is not a number makes the sum one.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func hinge(_ deviations: Doubles, gamma: Double) -> Double {
    var hinge = 0.0
    for j in 0..<deviations.count {
      let deviation = deviations[j]
      // `max` would turn a deviation that is not a number into a hinge of 0.
      hinge += deviation >= gamma ? 0 : gamma - deviation
    }
    return hinge
  }

  /// Writes `factor / deviations_j` to the diagonal where `0 < deviations_j < gamma`, and leaves the rest of
  /// the matrix, of at least as many rows and columns as there are deviations.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func setHingeGradient(
    _ matrix: Matrix, deviations: Doubles, gamma: Double, factor: Double
  ) {
    for j in 0..<deviations.count where deviations[j] < gamma && deviations[j] > 0 {
      matrix.floats[j * (matrix.rowStride + 1)] = Float(factor / deviations[j])
    }
  }

  /// Adds `share (d_j − 1)²` to `sum` for each element of `diagonal`, and replaces it by `factor (d_j − 1)`.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func distancesFromOne(
    _ diagonal: Doubles, share: Double, addedTo sum: inout Double, factor: Double
  ) {
    for j in 0..<diagonal.count {
      let distance = diagonal[j] - 1
      sum += share * distance * distance
      diagonal[j] = factor * distance
    }
  }

  /// Adds `d / divisor` to `mean` for each deviation d, and lowers `least` to the smallest of them.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func spread(
    _ deviations: Doubles, divisor: Double, addedTo mean: inout Double, least: inout Double
  ) {
    for j in 0..<deviations.count {
      mean += deviations[j] / divisor
      least = min(least, deviations[j])
    }
  }

  /// Mean absolute correlation of two different dimensions: of a covariance matrix with a zero diagonal, and
  /// the deviations `√(variance + epsilon)`, which are overwritten by `1 / √variance`.
  ///
  /// A dimension without variance has correlation 0 with all others. The sum goes row by row.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func meanCorrelation(_ covariance: Matrix, deviations: Doubles, epsilon: Double) -> Double {
    let d = deviations.count
    guard d > 1 else { return 0 }
    for j in 0..<d {
      let variance = max(0, deviations[j] * deviations[j] - epsilon)
      deviations[j] = variance > 0 ? 1 / variance.squareRoot() : 0
    }
    let floats = covariance.floats
    var total = 0.0
    for i in 0..<d {
      var sum = 0.0
      for j in 0..<d { sum += Double(abs(floats[i * covariance.rowStride + j])) * deviations[j] }
      total += sum * deviations[i]
    }
    return total / Double(d * (d - 1))
  }

  /// The lower triangle of `z zᵀ` or `zᵀ z`, whichever is smaller, for rows `[N, d]`: `order = min(N, d)`
  /// rows of as many columns at the start of `gram`, on the host, where the eigenvalues are computed. Its
  /// upper triangle is left as it was.
  ///
  /// Reference: `gives PyTorch's terms, diagnostics and gradient in every variant`
  package func lowerGram(of z: Activation, into gram: inout [Double]) {
    let byRows = z.images <= z.channels
    let order = min(z.images, z.channels)
    precondition(z.pixels == 1 && gram.count >= order * order, "sizes must agree")
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

  /// The same of a table `[rows][columns]`: `order = min(rows, columns)`.
  ///
  /// Each row of the result is one task's; its sums go through the table in order.
  ///
  /// Reference: `moments, Gram matrix and projections of a table`
  package func lowerGram(of table: Floats, rows n: Int, columns d: Int, into gram: inout [Double]) {
    let order = min(n, d)
    precondition(table.count >= n * d && gram.count >= order * order, "sizes must agree")
    let source = table.pointer
    gram.withUnsafeMutableBufferPointer { buffer in
      guard let target = buffer.baseAddress else { return }
      team.run(tasks: order) { i in
        let sums = target + i * order
        if n <= d {
          for j in 0...i { sums[j] = Compute.dot(source + i * d, source + j * d, d) }
          return
        }
        for j in 0...i { sums[j] = 0 }
        for row in 0..<n {
          let x = source + row * d
          let factor = Double(x[i])
          for j in 0...i { sums[j] += factor * Double(x[j]) }
        }
      }
    }
  }

  /// Mean and biased variance of each column of a table `[rows][means.count]`, in double precision and in
  /// order, on the calling thread.
  ///
  /// Overwrites `means` and `variances`, of one element a column.
  ///
  /// Reference: `moments, Gram matrix and projections of a table`
  package func columnMoments(
    of table: Floats, rows: Int, into means: Doubles, variances: Doubles
  ) {
    let d = means.count
    precondition(rows >= 1 && table.count >= rows * d && variances.count == d, "sizes must agree")
    for j in 0..<d { (means[j], variances[j]) = (0, 0) }
    for row in 0..<rows {
      for j in 0..<d { means[j] += Double(table[row * d + j]) }
    }
    for j in 0..<d { means[j] /= Double(rows) }
    for row in 0..<rows {
      for j in 0..<d {
        let distance = Double(table[row * d + j]) - means[j]
        variances[j] += distance * distance
      }
    }
    for j in 0..<d { variances[j] /= Double(rows) }
  }

  /// `points[row · axes + a] = Σ_j (x_j − centre_j) axis_aj` for each row x of a table `[rows][centre.count]`
  /// and each axis a of `axes`, `[axes][centre.count]`.
  ///
  /// Overwrites the first elements of `points`.
  ///
  /// Reference: `moments, Gram matrix and projections of a table`
  package func project(
    _ table: Floats, rows: Int, centre: Doubles, onto axes: Doubles, into points: Doubles
  ) {
    let d = centre.count
    let count = axes.count / d
    precondition(
      table.count >= rows * d && axes.count == count * d && points.count >= rows * count,
      "sizes must agree")
    let source = table.pointer
    let (middle, directions, target) = (centre.pointer, axes.pointer, points.pointer)
    eachRow(rows) { row in
      let x = source + row * d
      for axis in 0..<count {
        var sum = 0.0
        for j in 0..<d { sum += (Double(x[j]) - middle[j]) * directions[axis * d + j] }
        target[row * count + axis] = sum
      }
    }
  }

  /// The sum of the elements in `range`, in their order.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func sum(_ doubles: Doubles, _ range: Range<Int>) -> Double { doubles.sum(range) }
}
