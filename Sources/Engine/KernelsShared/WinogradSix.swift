import KernelsABI

/// F(6×6, 3×3) with points 0, ±1, ±2, ±1/2, ∞: 64 products for 36 outputs, 5.06 times fewer than direct.
enum WinogradSix: WinogradKernel {
  /// Bᵀ.
  enum Input: LineTransform {
    @inline(__always)
    static var inputs: Int { 8 }
    @inline(__always)
    static var outputs: Int { 8 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let d0 = line(from)
      let d1 = line(from + s)
      let d2 = line(from + 2 * s)
      let d3 = line(from + 3 * s)
      let d4 = line(from + 4 * s)
      let d5 = line(from + 5 * s)
      let d6 = line(from + 6 * s)
      let d7 = line(from + 7 * s)
      let even1 = scaled(-4.25, d4, plus: d2 + d6)
      let odd1 = scaled(-4.25, d3, plus: d1 + d5)
      let even2 = scaled(0.25, d2, plus: scaled(-1.25, d4, plus: d6))
      let odd2 = scaled(0.5, d1, plus: scaled(-2.5, d3, plus: d5 + d5))
      let even3 = scaled(4, d2, plus: scaled(-5, d4, plus: d6))
      let odd3 = scaled(0.5, d5, plus: scaled(-2.5, d3, plus: d1 + d1))
      setLine(scaled(5.25, d4 - d2, plus: d0 - d6), to)
      setLine(even1 + odd1, to + t)
      setLine(even1 - odd1, to + 2 * t)
      setLine(even2 + odd2, to + 3 * t)
      setLine(even2 - odd2, to + 4 * t)
      setLine(even3 + odd3, to + 5 * t)
      setLine(even3 - odd3, to + 6 * t)
      setLine(scaled(5.25, d3 - d5, plus: d7 - d1), to + 7 * t)
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 8 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let m0 = line(from)
      let m1 = line(from + s)
      let m2 = line(from + 2 * s)
      let m3 = line(from + 3 * s)
      let m4 = line(from + 4 * s)
      let m5 = line(from + 5 * s)
      let m6 = line(from + 6 * s)
      let m7 = line(from + 7 * s)
      let (even1, odd1) = (m1 + m2, m1 - m2)
      let (even2, odd2) = (m3 + m4, m3 - m4)
      let (even3, odd3) = (m5 + m6, m5 - m6)
      setLine((m0 + even1) + (even2 + even3), to)
      setLine(scaled(2, odd2, plus: scaled(0.5, odd3, plus: odd1)), to + t)
      setLine(scaled(4, even2, plus: scaled(0.25, even3, plus: even1)), to + 2 * t)
      setLine(scaled(8, odd2, plus: scaled(0.125, odd3, plus: odd1)), to + 3 * t)
      setLine(scaled(16, even2, plus: scaled(0.0625, even3, plus: even1)), to + 4 * t)
      setLine(scaled(32, odd2, plus: scaled(0.03125, odd3, plus: odd1 + m7)), to + 5 * t)
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 8 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let y0 = line(from)
      let y1 = line(from + s)
      let y2 = line(from + 2 * s)
      let y3 = line(from + 3 * s)
      let y4 = line(from + 4 * s)
      let y5 = line(from + 5 * s)
      let even1 = y0 + y2 + y4
      let odd1 = y1 + y3 + y5
      let even2 = scaled(16, y4, plus: scaled(4, y2, plus: y0))
      let odd2 = scaled(16, y5, plus: scaled(4, y3, plus: y1)) * 2
      let even3 = scaled(0.0625, y4, plus: scaled(0.25, y2, plus: y0))
      let odd3 = scaled(0.0625, y5, plus: scaled(0.25, y3, plus: y1)) * 0.5
      setLine(y0, to)
      setLine(even1 + odd1, to + t)
      setLine(even1 - odd1, to + 2 * t)
      setLine(even2 + odd2, to + 3 * t)
      setLine(even2 - odd2, to + 4 * t)
      setLine(even3 + odd3, to + 5 * t)
      setLine(even3 - odd3, to + 6 * t)
      setLine(y5, to + 7 * t)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 8 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let g0 = line(from)
      let g1 = line(from + s)
      let g2 = line(from + 2 * s)
      let even1 = (g0 + g2) * (-2 / 9)
      let odd1 = g1 * (-2 / 9)
      let even2 = scaled(4, g2, plus: g0) * (1 / 90)
      let odd2 = g1 * (1 / 45)
      let even3 = scaled(0.25, g2, plus: g0) * (32 / 45)
      let odd3 = g1 * (16 / 45)
      setLine(g0, to)
      setLine(even1 + odd1, to + t)
      setLine(even1 - odd1, to + 2 * t)
      setLine(even2 + odd2, to + 3 * t)
      setLine(even2 - odd2, to + 4 * t)
      setLine(even3 + odd3, to + 5 * t)
      setLine(even3 - odd3, to + 6 * t)
      setLine(g2, to + 7 * t)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 8 }
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
      let r6 = line(from + 6 * s)
      let r7 = line(from + 7 * s)
      let (even1, odd1) = ((r1 + r2) * (-2 / 9), (r1 - r2) * (-2 / 9))
      let (even2, odd2) = ((r3 + r4) * (1 / 90), (r3 - r4) * (1 / 45))
      let (even3, odd3) = ((r5 + r6) * (32 / 45), (r5 - r6) * (16 / 45))
      setLine((r0 + even1) + (even2 + even3), to)
      setLine(odd1 + odd2 + odd3, to + t)
      setLine(scaled(4, even2, plus: scaled(0.25, even3, plus: even1 + r7)), to + 2 * t)
    }
  }
}
