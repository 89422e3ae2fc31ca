import Tensors

/// The leading eigenvectors of a real symmetric matrix without negative eigenvalues, in double precision: the
/// axes of a principal component analysis.
///
/// Orthogonal iteration with a block of vectors and a Rayleigh–Ritz step. The same input gives the same bits;
/// the sign of a vector means nothing.
///
/// Source: Golub and Van Loan, "Matrix Computations", 4th edition, sections 8.2.4 and 8.2.5.
struct PrincipalAxes {
  /// An eigenvalue with its vector of length one; both 0 where the matrix has no such direction.
  struct Axis {
    let value: Double
    let vector: [Double]
  }

  /// Vectors that are iterated: more than are asked for, as the next ones decide how fast those settle.
  private static let blockMax = 8
  private static let iterationsMax = 200
  /// A vector v of value θ is one where ‖A v − θ v‖ is below this share of the largest value.
  private static let tolerance = 1e-9
  /// What is left of a vector's length where nothing but rounding is left of the vector.
  private static let lostShare = 1e-13
  /// "axes" in ASCII: the start's own stream of random numbers.
  private static let purpose: UInt64 = 0x6178_6573

  private let matrix: [Double]
  private let order: Int
  private var basis: [[Double]]

  /// Of the matrix `[order][order]`.
  init(_ matrix: [Double], order: Int) {
    precondition(order >= 1 && matrix.count >= order * order, "the matrix has its elements")
    self.matrix = matrix
    self.order = order
    var random = CounterRandom(seed: 0, Self.purpose)
    basis = (0..<min(Self.blockMax, order)).map { _ in (0..<order).map { _ in Double(random.normal()) } }
  }

  /// The first `count` axes, of the largest values first.
  mutating func leading(_ count: Int) -> [Axis] {
    for _ in 0..<Self.iterationsMax {
      orthonormalize()
      var images = basis.map(product)
      let (values, turns) = ritz(images)
      basis = turns.map { combination(of: basis, $0) }
      images = turns.map { combination(of: images, $0) }
      let isSettled = (0..<min(count, values.count)).allSatisfy { index in
        let distances = zip(images[index], basis[index]).map { $0 - values[index] * $1 }
        return Self.norm(distances) <= Self.tolerance * abs(values[0])
      }
      if isSettled {
        let axes = zip(values, basis).prefix(count).map { Axis(value: max($0, 0), vector: $1) }
        let missing = Axis(value: 0, vector: Array(repeating: 0, count: order))
        return axes + Array(repeating: missing, count: count - axes.count)
      }
      basis = images
    }
    // Values that lie so close have no axes of their own: any of their plane will do.
    return basis.prefix(count).map { Axis(value: Self.dot($0, product($0)), vector: $0) }
  }

  /// A v.
  private func product(_ vector: [Double]) -> [Double] {
    (0..<order).map { row in
      var sum = 0.0
      for column in 0..<order { sum += matrix[row * order + column] * vector[column] }
      return sum
    }
  }

  /// The basis as orthogonal vectors of length one; one that depends on those before becomes zero.
  private mutating func orthonormalize() {
    for index in basis.indices {
      let before = Self.norm(basis[index])
      // Twice is enough (Kahan and Parlett).
      for _ in 0..<2 {
        for other in 0..<index {
          let share = Self.dot(basis[index], basis[other])
          for place in 0..<order { basis[index][place] -= share * basis[other][place] }
        }
      }
      let length = Self.norm(basis[index])
      let scale = length > Self.lostShare * before ? 1 / length : 0
      for place in 0..<order { basis[index][place] *= scale }
    }
  }

  /// The eigenvalues of `basisᵀ A basis`, the largest first, each with its vector.
  private func ritz(_ images: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let k = basis.count
    var small: [[Double]] = []
    var turns: [[Double]] = []
    for row in 0..<k {
      small.append(images.map { Self.dot(basis[row], $0) })
      turns.append((0..<k).map { column in column == row ? 1 : 0 })
    }
    for _ in 0..<Self.sweepsMax {
      let largest = (0..<k).reduce(0.0) { max($0, abs(small[$1][$1])) }
      var rest = 0.0
      for p in 0..<k { for q in 0..<p { rest = max(rest, abs(small[p][q])) } }
      if rest <= largest * .ulpOfOne { break }
      for p in 0..<k { for q in 0..<p { Self.rotate(&small, &turns, p, q) } }
    }
    let values = (0..<k).map { small[$0][$0] }
    let ranked = (0..<k).sorted { values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1 }
    return (ranked.map { values[$0] }, ranked.map { index in turns.map { $0[index] } })
  }

  /// Sweeps of Jacobi's method; six or so are usual.
  private static let sweepsMax = 50

  /// Jacobi's rotation that makes element (p, q) zero.
  private static func rotate(_ a: inout [[Double]], _ turns: inout [[Double]], _ p: Int, _ q: Int) {
    guard a[p][q] != 0 else { return }
    let angle = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let tangent = (angle >= 0 ? 1.0 : -1) / (abs(angle) + (angle * angle + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    func turn(_ x: inout Double, _ y: inout Double) {
      let turned = sine * x + cosine * y
      x = cosine * x - sine * y
      y = turned
    }
    for k in a.indices {
      var (x, y) = (a[k][p], a[k][q])
      turn(&x, &y)
      (a[k][p], a[k][q]) = (x, y)
    }
    for k in a.indices {
      var (x, y) = (a[p][k], a[q][k])
      turn(&x, &y)
      (a[p][k], a[q][k]) = (x, y)
      (x, y) = (turns[k][p], turns[k][q])
      turn(&x, &y)
      (turns[k][p], turns[k][q]) = (x, y)
    }
  }

  private func combination(of vectors: [[Double]], _ factors: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: order)
    for (vector, factor) in zip(vectors, factors) {
      for place in 0..<order { result[place] += factor * vector[place] }
    }
    return result
  }

  private static func dot(_ x: [Double], _ y: [Double]) -> Double {
    var sum = 0.0
    for place in x.indices { sum += x[place] * y[place] }
    return sum
  }

  private static func norm(_ x: [Double]) -> Double { dot(x, x).squareRoot() }
}
