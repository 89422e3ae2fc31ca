/// Minimises a smooth function within a box: a projected quasi-Newton method with limited memory.
///
/// Directions come from the two-loop recursion over the coordinates that no bound holds back; steps are
/// shortened until the function decreases enough, and cut off at the box.
/// Source: Nocedal and Wright, "Numerical Optimization" (2006), algorithms 7.4 and 3.1, section 16.7.
struct BoxMinimizer: Sendable {
  var lower: [Double]
  var upper: [Double]
  var iterationsMax: Int
  /// The search ends when no free coordinate has a slope above this.
  var slopeMin: Double

  private static let memory = 8
  private static let halvingsMax = 20
  /// Part of the decrease that the slope promises, which a step must reach (Armijo's condition).
  private static let decrease = 1e-4

  private struct Pair {
    var step: [Double]
    var change: [Double]
    var curvature: Double
  }

  /// A place and what the function is there.
  struct Point {
    var place: [Double]
    var value: Double
    var slope: [Double]
  }

  /// The best place found from `start` on, which is moved into the box first.
  func minimize(from start: [Double], _ function: ([Double]) -> (value: Double, slope: [Double])) -> Point {
    func point(_ place: [Double]) -> Point {
      let (value, slope) = function(place)
      return Point(place: place, value: value, slope: slope)
    }
    var current = point(clamped(start))
    var pairs: [Pair] = []
    for _ in 0..<iterationsMax {
      let free = freeCoordinates(current)
      guard free.contains(where: { abs(current.slope[$0]) > slopeMin }) else { break }
      var direction = Self.direction(current.slope, free: free, pairs)
      if dot(direction, current.slope) >= 0 {
        pairs = []
        direction = Self.direction(current.slope, free: free, pairs)
      }
      guard let next = search(from: current, along: direction, isFirst: pairs.isEmpty, point) else {
        if pairs.isEmpty { break }
        pairs = []
        continue
      }
      let step = zip(next.place, current.place).map { $0 - $1 }
      let change = zip(next.slope, current.slope).map { $0 - $1 }
      let curvature = dot(step, change)
      if curvature > 1e-10 * dot(change, change).squareRoot() * dot(step, step).squareRoot() {
        pairs.append(Pair(step: step, change: change, curvature: curvature))
        if pairs.count > Self.memory { pairs.removeFirst() }
      }
      let gain = current.value - next.value
      current = next
      if gain <= 1e-10 * max(1, abs(current.value)) { break }
    }
    return current
  }

  private func clamped(_ place: [Double]) -> [Double] {
    place.indices.map { min(upper[$0], max(lower[$0], place[$0])) }
  }

  private func freeCoordinates(_ point: Point) -> [Int] {
    point.place.indices.filter { index in
      let slope = point.slope[index]
      return !(point.place[index] <= lower[index] && slope > 0)
        && !(point.place[index] >= upper[index] && slope < 0)
    }
  }

  /// −H · slope over the free coordinates, H approximating the inverse of the second derivatives.
  private static func direction(_ slope: [Double], free: [Int], _ pairs: [Pair]) -> [Double] {
    func freeDot(_ a: [Double], _ b: [Double]) -> Double { free.reduce(0) { $0 + a[$1] * b[$1] } }
    var direction = Array(repeating: 0.0, count: slope.count)
    for index in free { direction[index] = -slope[index] }
    let kept = pairs.map { (pair: $0, curvature: freeDot($0.step, $0.change)) }.filter { $0.curvature > 0 }
    var weights: [Double] = []
    for (pair, curvature) in kept.reversed() {
      let weight = freeDot(pair.step, direction) / curvature
      weights.append(weight)
      for index in free { direction[index] -= weight * pair.change[index] }
    }
    if let (pair, curvature) = kept.last {
      let scale = curvature / freeDot(pair.change, pair.change)
      for index in free { direction[index] *= scale }
    }
    for ((pair, curvature), weight) in zip(kept, weights.reversed()) {
      let correction = weight - freeDot(pair.change, direction) / curvature
      for index in free { direction[index] += correction * pair.step[index] }
    }
    return direction
  }

  /// The first place along a direction where the function has decreased enough; nil: there is none.
  private func search(
    from current: Point, along direction: [Double], isFirst: Bool, _ point: ([Double]) -> Point
  ) -> Point? {
    let length = dot(direction, direction).squareRoot()
    var step = isFirst && length > 0 ? min(1, 0.5 / length) : 1
    for _ in 0..<Self.halvingsMax {
      let place = clamped(zip(current.place, direction).map { $0 + step * $1 })
      let promised = dot(current.slope, zip(place, current.place).map { $0 - $1 })
      let next = point(place)
      if promised < 0, next.value.isFinite, next.value <= current.value + Self.decrease * promised {
        return next
      }
      step /= next.value.isFinite ? 2 : 8
    }
    return nil
  }
}

/// Σ a·b.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  precondition(a.count == b.count, "vectors have one length")
  var total = 0.0
  for index in a.indices { total += a[index] * b[index] }
  return total
}
