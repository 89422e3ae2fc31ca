import Platform
import Tensors

/// One picture of `SyntheticImages` before it is painted. Lengths are shares of the image's side.
struct SyntheticScene {
  private struct Spot {
    var center: SIMD2<Float>
    var radius: Float
    var color: SIMD3<Float>
  }

  private let shape: SyntheticClass
  private let center: SIMD2<Float>
  private let radius: Float
  /// Cosine and sine of the rotation.
  private let turn: SIMD2<Float>
  private let color: SIMD3<Float>
  private let otherColor: SIMD3<Float>
  private let ground: SIMD3<Float>
  private let slopeX: SIMD3<Float>
  private let slopeY: SIMD3<Float>
  private let clutter: [Spot]
  private let dots: [Spot]

  /// How far the outline goes in and out, as a share of the radius.
  private static let bulge: Float = 0.35
  /// Largest difference that noise makes.
  private static let noise: Float = 0.06

  /// Draws everything that is random in a picture of `shape`, but the noise.
  init(_ shape: SyntheticClass, _ random: inout CounterRandom) {
    self.shape = shape
    let center = SIMD2(random.uniform(0.32, 0.68), random.uniform(0.32, 0.68))
    let radius = random.uniform(0.2, 0.34)
    let angle = Double(random.uniform()) * 2 * .pi
    let ground = random.color()
    let color = random.color(awayFrom: ground)
    self.center = center
    self.radius = radius
    turn = SIMD2(Float(Mathematics.cosine(angle)), Float(Mathematics.sine(angle)))
    self.ground = ground
    self.color = color
    otherColor = random.color(awayFrom: color)
    slopeX = (random.color() - 0.5) * 0.6
    slopeY = (random.color() - 0.5) * 0.6
    clutter = (0..<4).map { _ in
      Spot(
        center: SIMD2(random.uniform(), random.uniform()), radius: random.uniform(0.03, 0.1),
        color: random.color())
    }
    let first = Double(random.uniform()) * 2 * .pi
    dots = (0..<shape.dots).map { dot in
      let direction = first + 2 * .pi * Double(dot) / Double(shape.dots)
      let offset = SIMD2(Float(Mathematics.cosine(direction)), Float(Mathematics.sine(direction)))
      return Spot(center: center + offset * radius * 1.6, radius: radius * 0.22, color: color)
    }
  }

  /// The picture in `side` × `side` pixels: `[3][side][side]`. `random` makes the noise.
  func render(side: Int, _ random: inout CounterRandom) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: 3 * side * side)
    for row in 0..<side {
      for column in 0..<side {
        let point = (SIMD2(Float(column), Float(row)) + 0.5) / Float(side)
        // Eight bits of noise a channel out of one word.
        let word = random.nextWord()
        let bits = SIMD3<UInt32>(word & 255, word >> 8 & 255, word >> 16 & 255)
        let noise = (SIMD3<Float>(bits) / 255 - 0.5) * (2 * Self.noise)
        let value = paint(point, pixel: 1 / Float(side)) + noise
        for channel in 0..<3 {
          let cut = min(max(value[channel], 0), 1)
          pixels[(channel * side + row) * side + column] = UInt8(cut * 255 + 0.5)
        }
      }
    }
    return pixels
  }

  /// The colour at `point`; edges are a `pixel` wide.
  private func paint(_ point: SIMD2<Float>, pixel: Float) -> SIMD3<Float> {
    var value = ground + slopeX * (point.x - 0.5) + slopeY * (point.y - 0.5)
    for spot in clutter { value = over(value, spot, point, pixel) }
    for dot in dots { value = over(value, dot, point, pixel) }
    let offset = (point - center) / radius
    let square = offset.x * offset.x + offset.y * offset.y
    let reach = 1 + Self.bulge + pixel / radius
    guard square < reach * reach else { return value }
    let local = SIMD2(offset.x * turn.x + offset.y * turn.y, offset.y * turn.x - offset.x * turn.y)
    let distance = square.squareRoot()
    let outline = 1 + Self.bulge * lobeCosine(local, distance)
    let cover = coverage((outline - distance) * radius, pixel)
    guard cover > 0 else { return value }
    let share = otherShare(local, depth: distance / outline, pixel: pixel / radius)
    let inside = color + (otherColor - color) * share
    return value + (inside - value) * cover
  }

  /// `cos(lobes · θ)` of the direction of `local`, by multiplying complex numbers; 0 for a disc.
  private func lobeCosine(_ local: SIMD2<Float>, _ distance: Float) -> Float {
    guard shape.lobes > 0, distance > 0 else { return 0 }
    let unit = local / distance
    var power = unit
    for _ in 1..<shape.lobes {
      power = SIMD2(power.x * unit.x - power.y * unit.y, power.x * unit.y + power.y * unit.x)
    }
    return power.x
  }

  /// How much of the second colour there is at a place inside the outline; `depth` is 1 at the outline.
  private func otherShare(_ local: SIMD2<Float>, depth: Float, pixel: Float) -> Float {
    switch shape.filling {
    case .solid: 0
    case .ring: coverage(0.6 - depth, pixel)
    case .stripes: coverage(wave(local.x), pixel)
    case .checks: coverage(wave(local.x) * wave(local.y) * 4, pixel)
    }
  }

  /// A triangle wave of period 0.8 between −0.2 and 0.2, zero at 0.
  private func wave(_ x: Float) -> Float {
    let phase = x / 0.8 - (x / 0.8).rounded(.down)
    return 0.8 * (abs(phase - 0.75 + (phase < 0.25 ? 1 : 0)) - 0.25)
  }

  private func over(_ value: SIMD3<Float>, _ spot: Spot, _ point: SIMD2<Float>, _ pixel: Float) -> SIMD3<
    Float
  > {
    let offset = point - spot.center
    let square = offset.x * offset.x + offset.y * offset.y
    let reach = spot.radius + pixel
    guard square < reach * reach else { return value }
    let distance = square.squareRoot()
    return value + (spot.color - value) * coverage(spot.radius - distance, pixel)
  }

  /// 1 well inside an edge, 0 well outside, linear over one `pixel`.
  private func coverage(_ depth: Float, _ pixel: Float) -> Float { min(max(depth / pixel + 0.5, 0), 1) }
}

extension CounterRandom {
  /// Any colour.
  fileprivate mutating func color() -> SIMD3<Float> { SIMD3(uniform(), uniform(), uniform()) }

  /// A colour that can be told from `other`: the best of eight, or the first that differs enough.
  fileprivate mutating func color(awayFrom other: SIMD3<Float>) -> SIMD3<Float> {
    var best = other
    var bestDistance: Float = -1
    for _ in 0..<8 {
      let candidate = color()
      let difference = candidate - other
      let distance = (difference * difference).sum()
      if distance > 0.35 { return candidate }
      if distance > bestDistance { (best, bestDistance) = (candidate, distance) }
    }
    return best
  }
}
