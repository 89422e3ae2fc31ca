import Parallel
import Platform
import TensorElements
import Tensors

// Operations on the rows of a matrix `[N, d]` (an activation of one pixel), each row by one task, with sums
// in double precision: a row's result does not depend on the threads or on the other rows.
extension Compute {
  /// Rows of one task.
  private static let rowsOfTask = 8
  /// As `torch.nn.functional.normalize`: a shorter row is divided by this.
  private static let normMin = 1e-12

  /// `inverse[i] = 1 / max(‖z_i‖, 1e-12)`.
  ///
  /// `z` is `[N, d]`; overwrites the first N doubles.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func inverseNorms(of z: Activation, into inverse: Doubles) {
    precondition(z.pixels == 1 && inverse.count >= z.images, "one number for each row")
    let (source, target) = (z.storage.pointer, inverse.pointer)
    eachRow(z.images) { row in
      let x = source + row * z.imageStride
      target[row] = 1 / max(Compute.dot(x, x, z.channels).squareRoot(), Compute.normMin)
    }
  }

  /// `mean[j] = Σ_i z_ij inverse_i / N`, row by row.
  ///
  /// `z` is `[N, d]`; overwrites the first d means.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func meanOfRows(_ z: Activation, scaledBy inverse: Doubles, into mean: Doubles) {
    precondition(z.pixels == 1 && inverse.count >= z.images && mean.count >= z.channels, "sizes must agree")
    let (source, scales, target) = (z.storage.pointer, inverse.pointer, mean.pointer)
    team.run(tasks: z.blocks) { block in
      let columns = block * 16..<min(block * 16 + 16, z.channels)
      for j in columns { target[j] = 0 }
      for row in 0..<z.images {
        let x = source + row * z.imageStride
        for j in columns { target[j] += Double(x[j]) * scales[row] }
      }
      for j in columns { target[j] /= Double(z.images) }
    }
  }

  /// `output_i = z_i inverse_i − mean`, rounded once.
  ///
  /// Overwrites `output`, of the shape of `z`, which it may be.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func scaleRows(
    _ z: Activation, by inverse: Doubles, subtracting mean: Doubles? = nil, into output: Activation
  ) {
    precondition(output.sameShape(as: z) && inverse.count >= z.images, "sizes must agree")
    precondition(mean.map { $0.count >= z.channels } ?? true, "one mean for each column")
    let (source, scales, target) = (z.storage.pointer, inverse.pointer, output.storage.pointer)
    let means = mean.map(\.pointer)
    eachRow(z.images) { row in
      let x = source + row * z.imageStride
      let y = target + row * z.imageStride
      if let means {
        for j in 0..<z.channels { y[j] = Float(Double(x[j]) * scales[row] - means[j]) }
      } else {
        for j in 0..<z.channels { y[j] = Float(Double(x[j]) * scales[row]) }
      }
    }
  }

  /// The backward pass of dividing rows by their norms, in place: from the gradient of `u = z / ‖z‖` to that
  /// of z, `(g − u (u · g)) / ‖z‖`.
  ///
  /// Both are `[N, d]`; `gradient` is overwritten and may not be `z`.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func normalizeRowsBackward(_ gradient: Activation, of z: Activation, inverse: Doubles) {
    precondition(gradient.sameShape(as: z) && inverse.count >= z.images, "sizes must agree")
    let (source, scales, target) = (z.storage.pointer, inverse.pointer, gradient.storage.pointer)
    eachRow(z.images) { row in
      let x = source + row * z.imageStride
      let g = target + row * z.imageStride
      let scale = scales[row]
      let along = Compute.dot(x, g, z.channels) * scale * scale
      for j in 0..<z.channels { g[j] = Float((Double(g[j]) - Double(x[j]) * along) * scale) }
    }
  }

  /// The cosine of each row of `p` with the same row of `z`, and `weight` times its gradient by `p`:
  /// `(ẑ − p̂ cos) / ‖p‖`. Both in double precision, as they are small differences where the rows nearly
  /// coincide.
  ///
  /// `p` and `z` are `[N, d]`. Overwrites `gradient`, which may alias neither, and N cosines from `first` on.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func cosines(
    of p: Activation, to z: Activation, weight: Double, into cosines: Doubles, at first: Int,
    gradient: Activation
  ) {
    precondition(
      p.sameShape(as: z) && gradient.sameShape(as: p) && first >= 0 && cosines.count >= first + p.images,
      "sizes must agree")
    let (left, right, target) = (p.storage.pointer, z.storage.pointer, gradient.storage.pointer)
    let results = cosines.pointer + first
    eachRow(p.images) { row in
      let (x, y) = (left + row * p.imageStride, right + row * p.imageStride)
      let g = target + row * p.imageStride
      let scaleX = 1 / max(Compute.dot(x, x, p.channels).squareRoot(), Compute.normMin)
      let scaleY = 1 / max(Compute.dot(y, y, p.channels).squareRoot(), Compute.normMin)
      let cosine = Compute.dot(x, y, p.channels) * scaleX * scaleY
      results[row] = cosine
      for j in 0..<p.channels {
        g[j] = Float(weight * scaleX * (Double(y[j]) * scaleY - Double(x[j]) * scaleX * cosine))
      }
    }
  }

  /// What rows of scores say of their labels.
  package struct Classification: Sendable, Equatable {
    /// Mean of `−log softmax(scores)[label]`.
    package var loss: Double
    /// Rows whose largest score is that of their label.
    package var correct: Int
  }

  /// Softmax with cross-entropy of scores `[N, classes]`, as `torch.nn.functional.cross_entropy`.
  ///
  /// - Parameters:
  ///   - labels: one for each row, below the number of classes.
  ///   - losses: scratch of at least 2N doubles.
  ///   - replacesScores: the gradient of the mean takes the place of the scores.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`, `five steps of the classifier follow PyTorch`
  package func crossEntropy(
    _ scores: Activation, labels: [Int], losses: Doubles, replacesScores: Bool
  ) -> Classification {
    let (n, classes) = (scores.images, scores.channels)
    precondition(labels.count >= n && losses.count >= 2 * n, "one label for each row")
    let (source, results) = (scores.storage.pointer, losses.pointer)
    eachRow(n) { row in
      let s = source + row * scores.imageStride
      let label = labels[row]
      precondition((0..<classes).contains(label), "a label is one of the classes")
      var best = 0
      for c in 1..<classes where s[c] > s[best] { best = c }
      let highest = s[best]
      var sum = 0.0
      for c in 0..<classes { sum += Double(Compute.exponential(s[c] - highest)) }
      results[row] = Mathematics.logarithm(sum) - Double(s[label] - highest)
      results[n + row] = best == label ? 1 : 0
      guard replacesScores else { return }
      for c in 0..<classes {
        let probability = Double(Compute.exponential(s[c] - highest)) / sum
        s[c] = Float((probability - (c == label ? 1 : 0)) / Double(n))
      }
    }
    return Classification(
      loss: losses.sum(0..<n) / Double(n), correct: Int(losses.sum(n..<2 * n)))
  }

  /// Runs `body` on every row, some to a task.
  func eachRow(_ rows: Int, _ body: (_ row: Int) -> Void) {
    let size = Compute.rowsOfTask
    team.run(tasks: (rows + size - 1) / size) { task in
      for row in task * size..<min(task * size + size, rows) { body(row) }
    }
  }

  /// Σ x_j y_j, in their order.
  static func dot(
    _ x: UnsafeMutablePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) -> Double {
    var sum = 0.0
    for j in 0..<count { sum += Double(x[j]) * Double(y[j]) }
    return sum
  }

  /// Rounded to single precision.
  private static func exponential(_ x: Float) -> Float { Float(Mathematics.exponential(Double(x))) }
}
