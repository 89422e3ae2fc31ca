import KernelsABI

/// F(2×2, 3×3) with points 0, ±1, ∞: 16 products for 4 outputs, 2.25 times fewer than direct.
enum WinogradTwo: WinogradKernel {
  /// Bᵀ.
  enum Input: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let d0 = line(from)
      let d1 = line(from + s)
      let d2 = line(from + 2 * s)
      let d3 = line(from + 3 * s)
      setLine(d0 - d2, to)
      setLine(d1 + d2, to + t)
      setLine(d2 - d1, to + 2 * t)
      setLine(d1 - d3, to + 3 * t)
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 2 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let m0 = line(from)
      let m1 = line(from + s)
      let m2 = line(from + 2 * s)
      let m3 = line(from + 3 * s)
      setLine(m0 + (m1 + m2), to)
      setLine((m1 - m2) - m3, to + t)
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 2 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let y0 = line(from)
      let y1 = line(from + s)
      setLine(y0, to)
      setLine(y0 + y1, to + t)
      setLine(y0 - y1, to + 2 * t)
      setLine(Line() - y1, to + 3 * t)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let g0 = line(from)
      let g1 = line(from + s)
      let g2 = line(from + 2 * s)
      let even = (g0 + g2) * 0.5
      let odd = g1 * 0.5
      setLine(g0, to)
      setLine(even + odd, to + t)
      setLine(even - odd, to + 2 * t)
      setLine(g2, to + 3 * t)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 3 }
    @inline(__always)
    static func apply(_ from: In, _ s: Int, _ to: Out, _ t: Int) {
      let r0 = line(from)
      let r1 = line(from + s)
      let r2 = line(from + 2 * s)
      let r3 = line(from + 3 * s)
      let even = (r1 + r2) * 0.5
      setLine(r0 + even, to)
      setLine((r1 - r2) * 0.5, to + t)
      setLine(even + r3, to + 2 * t)
    }
  }
}
