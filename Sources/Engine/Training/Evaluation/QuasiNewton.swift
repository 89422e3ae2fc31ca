/// Minimises a smooth convex function by L-BFGS with a preconditioner and a backtracking line search.
///
/// Source: Nocedal and Wright, "Numerical Optimization", 2nd edition, algorithms 7.4 (two-loop recursion) and
/// 3.1 (backtracking). All arithmetic of its own is serial and in double precision.
struct QuasiNewton {
  /// A point with what is known there.
  struct Point {
    /// Where it is.
    var x: [Double]
    /// The function's value.
    var value: Double
    /// The function's gradient.
    var gradient: [Double]

    /// The largest element of the gradient, without its sign.
    var gradientMax: Double { gradient.reduce(0) { Swift.max($0, abs($1)) } }
  }

  /// How a search ended.
  struct Result {
    /// The best point found.
    let point: Point
    /// Steps taken.
    let iterations: Int
  }

  /// Ends when no element of the gradient is larger.
  let gradientTolerance: Double
  /// Ends after so many steps in any case.
  let iterationsMax: Int
  /// Multiplies a vector by an approximation of the inverse Hessian.
  let precondition: (inout [Double]) -> Void

  /// Pairs of differences that are kept.
  private static let pairsMax = 10
  /// Vectors of the function's arguments that a search needs at once, with those of its caller.
  static let vectorsMax = 2 * pairsMax + 10
  /// Share of the predicted decrease that a step must bring.
  private static let decreaseShare = 1e-4
  /// Rounding errors of the value, as a share of it: so much may it rise.
  private static let valueNoise = 1e-9
  /// Halvings after which a step is given up: then the value cannot be told from its rounding errors.
  private static let halvingsMax = 20

  private struct Pair {
    let s: [Double]
    let y: [Double]
    let inverse: Double
  }

  /// Searches from `start`; `evaluate` gives value and gradient and may throw to end the search.
  func minimize(
    from start: [Double], _ evaluate: ([Double]) throws -> (value: Double, gradient: [Double])
  ) rethrows -> Result {
    let first = try evaluate(start)
    var point = Point(x: start, value: first.value, gradient: first.gradient)
    var pairs: [Pair] = []
    var iterations = 0
    while iterations < iterationsMax, point.gradientMax > gradientTolerance {
      let direction = direction(point.gradient, pairs)
      guard let next = try step(from: point, along: direction, evaluate) else { break }
      iterations += 1
      let s = Self.combined(next.x, -1, point.x)
      let y = Self.combined(next.gradient, -1, point.gradient)
      let curvature = Self.dot(s, y)
      point = next
      // A convex function has positive curvature; only rounding gives another.
      guard curvature > 0 else { continue }
      pairs.append(Pair(s: s, y: y, inverse: 1 / curvature))
      if pairs.count > Self.pairsMax { pairs.removeFirst() }
    }
    return Result(point: point, iterations: iterations)
  }

  /// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
  private func direction(_ gradient: [Double], _ pairs: [Pair]) -> [Double] {
    var q = gradient
    var shares: [Double] = []
    for pair in pairs.reversed() {
      let share = pair.inverse * Self.dot(pair.s, q)
      shares.append(share)
      Self.add(-share, pair.y, to: &q)
    }
    precondition(&q)
    if let last = pairs.last {
      var scaled = last.y
      precondition(&scaled)
      let factor = 1 / (last.inverse * Self.dot(last.y, scaled))
      for index in q.indices { q[index] *= factor }
    }
    for (pair, share) in zip(pairs, shares.reversed()) {
      Self.add(share - pair.inverse * Self.dot(pair.y, q), pair.s, to: &q)
    }
    for index in q.indices { q[index] = -q[index] }
    return q
  }

  /// The first of the steps 1, ½, ¼ … that lowers the value enough; `nil`: none does.
  private func step(
    from point: Point, along direction: [Double],
    _ evaluate: ([Double]) throws -> (value: Double, gradient: [Double])
  ) rethrows -> Point? {
    let slope = Self.dot(direction, point.gradient)
    guard slope < 0 else { return nil }
    var length = 1.0
    for _ in 0...Self.halvingsMax {
      let x = Self.combined(point.x, length, direction)
      let (value, gradient) = try evaluate(x)
      let allowed =
        point.value + Self.decreaseShare * length * slope + Self.valueNoise * abs(point.value)
      if value <= allowed { return Point(x: x, value: value, gradient: gradient) }
      length /= 2
    }
    return nil
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  private static func add(_ share: Double, _ b: [Double], to a: inout [Double]) {
    for index in a.indices { a[index] += share * b[index] }
  }

  private static func combined(_ a: [Double], _ share: Double, _ b: [Double]) -> [Double] {
    var result = a
    add(share, b, to: &result)
    return result
  }
}
