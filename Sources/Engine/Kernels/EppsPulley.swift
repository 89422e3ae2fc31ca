import Parallel
import Platform
import Tensors

/// The points at which an empirical characteristic function is compared with that of N(0, 1): `points` knots
/// of [0, 3], the weights of the trapezoid rule doubled (the integrand is even), times e^{−t²/2}.
package struct CharacteristicKnots: Sendable {
  /// Where the last knot lies.
  private static let end = 3.0
  /// Knots, at least 2.
  package let points: Int
  /// From one knot to the next.
  let spacing: Double
  /// e^{−t²/2} at each knot: the characteristic function of N(0, 1).
  let normal: [Double]
  /// Of the squared distance at each knot.
  let weights: [Double]

  /// Precondition: `points` ≥ 2.
  package init(points: Int) {
    precondition(points >= 2, "the trapezoid rule has two ends")
    self.points = points
    let spacing = Self.end / Double(points - 1)
    self.spacing = spacing
    let normal = (0..<points).map { knot in
      let t = Double(knot) * spacing
      return Mathematics.exponential(-t * t / 2)
    }
    self.normal = normal
    weights = (0..<points).map { ($0 == 0 || $0 == points - 1 ? spacing : 2 * spacing) * normal[$0] }
  }

  /// Doubles of scratch for `slices` projections.
  package func scratchCount(slices: Int) -> Int { (slices + 7) / 8 * (2 * points + 1) * 8 }
}

// The Epps–Pulley statistic of one-dimensional projections.
extension Compute {
  private typealias Eight = SIMD8<Double>

  /// Rows of random unit vectors `[slices][d]`: functions of seed, step and slice alone.
  ///
  /// Overwrites the first `dimension` elements of `slices` rows and leaves the rest. A row is one task's.
  ///
  /// Reference: `SIGReg's directions are unit vectors that follow from seed and step`
  package func drawDirections(seed: UInt64, step: Int, slices: Int, dimension: Int, into matrix: Matrix) {
    precondition(
      matrix.rowStride >= dimension && matrix.floats.count >= slices * matrix.rowStride,
      "the matrix is too small")
    // "slice" in ASCII.
    let purpose: UInt64 = 0x73_6c69_6365
    let target = matrix.floats.pointer
    eachRow(slices) { slice in
      var random = CounterRandom(seed: seed, purpose, UInt64(step), UInt64(slice))
      let row = target + slice * matrix.rowStride
      var squares = 0.0
      for j in 0..<dimension {
        row[j] = random.normal()
        squares += Double(row[j]) * Double(row[j])
      }
      let inverse = 1 / max(squares.squareRoot(), 1e-12)
      for j in 0..<dimension { row[j] = Float(Double(row[j]) * inverse) }
    }
  }

  /// The Epps–Pulley statistic of each column of `x`, `[N, slices]`, against N(0, 1), as their mean:
  /// `N ∫ |φ̂(t) − e^{−t²/2}|² e^{−t²/2} dt`; `weight` times the gradient of the mean takes the place of `x`.
  ///
  /// e^{i t x} at all knots is made of one sine and one cosine by rotation, in double precision.
  ///
  /// - Parameter scratch: `CharacteristicKnots.scratchCount` doubles.
  ///
  /// Sums over rows and knots go in their order, in double precision.
  ///
  /// Reference: `give PyTorch's loss, parts and gradient`
  package func eppsPulley(
    _ x: Activation, knots: CharacteristicKnots, weight: Double, scratch: Doubles
  ) -> Double {
    let (n, slices) = (x.images, x.channels)
    precondition(x.pixels == 1 && scratch.count >= knots.scratchCount(slices: slices), "sizes must agree")
    let groups = (slices + 7) / 8
    let (values, start) = (x.storage.pointer, scratch.pointer)
    let size = (2 * knots.points + 1) * 8
    team.run(tasks: groups) { group in
      let lanes = min(8, slices - group * 8)
      let own = UnsafeMutableRawPointer(start + group * size).assumingMemoryBound(to: Eight.self)
      let column = values + group * 8
      Compute.characteristic(column, rows: n, stride: x.imageStride, lanes: lanes, knots, own)
      Compute.eppsPulleyGradient(
        column, rows: n, stride: x.imageStride, lanes: lanes, knots, own, weight: weight / Double(slices))
    }
    var total = 0.0
    for slice in 0..<slices { total += start[slice / 8 * size + 2 * knots.points * 8 + slice % 8] }
    return total / Double(slices)
  }

  /// Sums of cos(t x) and sin(t x) over the rows at each knot; then their distances from N(0, 1), times the
  /// weights, and after them the statistic.
  private static func characteristic(
    _ column: UnsafeMutablePointer<Float>, rows: Int, stride: Int, lanes: Int, _ knots: CharacteristicKnots,
    _ own: UnsafeMutablePointer<Eight>
  ) {
    for index in 0...2 * knots.points { own[index] = Eight() }
    for row in 0..<rows {
      let (cosine, sine) = angles(column + row * stride, lanes, knots.spacing)
      var (c, s) = (Eight(repeating: 1), Eight())
      for knot in 0..<knots.points {
        own[2 * knot] += c
        own[2 * knot + 1] += s
        (c, s) = (c * cosine - s * sine, s * cosine + c * sine)
      }
    }
    let count = Double(rows)
    for knot in 0..<knots.points {
      let real = own[2 * knot] / count - knots.normal[knot]
      let imaginary = own[2 * knot + 1] / count
      let weight = knots.weights[knot]
      own[2 * knots.points] += (real * real + imaginary * imaginary) * (weight * count)
      own[2 * knot] = real * weight
      own[2 * knot + 1] = imaginary * weight
    }
  }

  /// Replaces each element by its gradient, `2 Σ_k t_k (imaginary_k cos(t_k x) − real_k sin(t_k x))`.
  private static func eppsPulleyGradient(
    _ column: UnsafeMutablePointer<Float>, rows: Int, stride: Int, lanes: Int, _ knots: CharacteristicKnots,
    _ own: UnsafeMutablePointer<Eight>, weight: Double
  ) {
    for row in 0..<rows {
      let x = column + row * stride
      let (cosine, sine) = angles(x, lanes, knots.spacing)
      var (c, s) = (Eight(repeating: 1), Eight())
      var sum = Eight()
      for knot in 0..<knots.points {
        sum += (own[2 * knot + 1] * c - own[2 * knot] * s) * Double(knot)
        (c, s) = (c * cosine - s * sine, s * cosine + c * sine)
      }
      let gradient = sum * (2 * weight * knots.spacing)
      for lane in 0..<lanes { x[lane] = Float(gradient[lane]) }
    }
  }

  private static func angles(
    _ x: UnsafeMutablePointer<Float>, _ lanes: Int, _ spacing: Double
  ) -> (cosine: Eight, sine: Eight) {
    var (cosine, sine) = (Eight(), Eight())
    for lane in 0..<lanes {
      let angle = Double(x[lane]) * spacing
      cosine[lane] = Mathematics.cosine(angle)
      sine[lane] = Mathematics.sine(angle)
    }
    return (cosine, sine)
  }
}
