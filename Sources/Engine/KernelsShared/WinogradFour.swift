import KernelsABI

/// F(4×4, 3×3) with points 0, ±3/4, ±3/2, ∞: 36 products for 16 outputs, 4 times fewer than direct.
///
/// These points lose four times less precision than the usual 0, ±1, ±2, ∞, and every constant of A and B is
/// exact.
enum WinogradFour: WinogradKernel {
  /// The first point.
  @inline(__always)
  private static var a: Float { 0.75 }
  /// The second point.
  @inline(__always)
  private static var b: Float { 1.5 }
  /// 1 / ∏(a − other points) = 1 / (2a²(a² − b²)).
  @inline(__always)
  private static var weightA: Float { 1 / (2 * a * a * (a * a - b * b)) }
  /// 1 / (2b²(b² − a²)).
  @inline(__always)
  private static var weightB: Float { 1 / (2 * b * b * (b * b - a * a)) }
  /// 1 / (a²b²).
  @inline(__always)
  private static var weightZero: Float { 1 / (a * a * b * b) }

  /// Bᵀ.
  enum Input: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let d0 = line(from)
      let d1 = line(from + s)
      let d2 = line(from + 2 * s)
      let d3 = line(from + 3 * s)
      let d4 = line(from + 4 * s)
      let d5 = line(from + 5 * s)
      let evenA = scaled(-b * b, d2, plus: d4)
      let oddA = scaled(-b * b, d1, plus: d3)
      let evenB = scaled(-a * a, d2, plus: d4)
      let oddB = scaled(-a * a, d1, plus: d3)
      setLine(scaled(a * a * b * b, d0, plus: scaled(-(a * a + b * b), d2, plus: d4)), to)
      setLine(scaled(a, oddA, plus: evenA), to + t)
      setLine(scaled(-a, oddA, plus: evenA), to + 2 * t)
      setLine(scaled(b, oddB, plus: evenB), to + 3 * t)
      setLine(scaled(-b, oddB, plus: evenB), to + 4 * t)
      setLine(scaled(a * a * b * b, d1, plus: scaled(-(a * a + b * b), d3, plus: d5)), to + 5 * t)
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let m0 = line(from)
      let m1 = line(from + s)
      let m2 = line(from + 2 * s)
      let m3 = line(from + 3 * s)
      let m4 = line(from + 4 * s)
      let m5 = line(from + 5 * s)
      let (evenA, oddA) = (m1 + m2, m1 - m2)
      let (evenB, oddB) = (m3 + m4, m3 - m4)
      setLine(m0 + (evenA + evenB), to)
      setLine(scaled(a, oddA, plus: oddB * b), to + t)
      setLine(scaled(a * a, evenA, plus: evenB * (b * b)), to + 2 * t)
      setLine(scaled(a * a * a, oddA, plus: scaled(b * b * b, oddB, plus: m5)), to + 3 * t)
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let y0 = line(from)
      let y1 = line(from + s)
      let y2 = line(from + 2 * s)
      let y3 = line(from + 3 * s)
      let evenA = scaled(a * a, y2, plus: y0)
      let oddA = scaled(a * a, y3, plus: y1)
      let evenB = scaled(b * b, y2, plus: y0)
      let oddB = scaled(b * b, y3, plus: y1)
      setLine(y0, to)
      setLine(scaled(a, oddA, plus: evenA), to + t)
      setLine(scaled(-a, oddA, plus: evenA), to + 2 * t)
      setLine(scaled(b, oddB, plus: evenB), to + 3 * t)
      setLine(scaled(-b, oddB, plus: evenB), to + 4 * t)
      setLine(y3, to + 5 * t)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let g0 = line(from)
      let g1 = line(from + s)
      let g2 = line(from + 2 * s)
      let evenA = scaled(a * a, g2, plus: g0) * weightA
      let oddA = g1 * (a * weightA)
      let evenB = scaled(b * b, g2, plus: g0) * weightB
      let oddB = g1 * (b * weightB)
      setLine(g0 * weightZero, to)
      setLine(evenA + oddA, to + t)
      setLine(evenA - oddA, to + 2 * t)
      setLine(evenB + oddB, to + 3 * t)
      setLine(evenB - oddB, to + 4 * t)
      setLine(g2, to + 5 * t)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 3 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let r0 = line(from)
      let r1 = line(from + s)
      let r2 = line(from + 2 * s)
      let r3 = line(from + 3 * s)
      let r4 = line(from + 4 * s)
      let r5 = line(from + 5 * s)
      let (evenA, oddA) = ((r1 + r2) * weightA, (r1 - r2) * weightA)
      let (evenB, oddB) = ((r3 + r4) * weightB, (r3 - r4) * weightB)
      setLine(scaled(weightZero, r0, plus: evenA + evenB), to)
      setLine(scaled(a, oddA, plus: oddB * b), to + t)
      setLine(scaled(a * a, evenA, plus: scaled(b * b, evenB, plus: r5)), to + 2 * t)
    }
  }
}
