import KernelsABI

/// F(4×4, 3×3) with points 0, ±5/8, ±3/2, ∞: 36 products for 16 outputs, 4 times fewer than direct.
///
/// Of all pairs of eighths up to 2 these lose the least precision: in root mean square half of what the usual
/// 0, ±1, ±2, ∞ lose, 5 % less than ±3/4, ±3/2. Every constant of A and B is exact.
enum WinogradFour: WinogradKernel {
  /// The first point.
  @inline(__always)
  private static var a: Float { 0.625 }
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
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let d0 = read(0)
      let d1 = read(1)
      let d2 = read(2)
      let d3 = read(3)
      let d4 = read(4)
      let d5 = read(5)
      let evenA = scaled(-b * b, d2, plus: d4)
      let oddA = scaled(-b * b, d1, plus: d3)
      let evenB = scaled(-a * a, d2, plus: d4)
      let oddB = scaled(-a * a, d1, plus: d3)
      write(0, scaled(a * a * b * b, d0, plus: scaled(-(a * a + b * b), d2, plus: d4)))
      write(1, scaled(a, oddA, plus: evenA))
      write(2, scaled(-a, oddA, plus: evenA))
      write(3, scaled(b, oddB, plus: evenB))
      write(4, scaled(-b, oddB, plus: evenB))
      write(5, scaled(a * a * b * b, d1, plus: scaled(-(a * a + b * b), d3, plus: d5)))
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let m0 = read(0)
      let m1 = read(1)
      let m2 = read(2)
      let m3 = read(3)
      let m4 = read(4)
      let m5 = read(5)
      let (evenA, oddA) = (m1 + m2, m1 - m2)
      let (evenB, oddB) = (m3 + m4, m3 - m4)
      write(0, m0 + (evenA + evenB))
      write(1, scaled(a, oddA, plus: oddB * b))
      write(2, scaled(a * a, evenA, plus: evenB * (b * b)))
      write(3, scaled(a * a * a, oddA, plus: scaled(b * b * b, oddB, plus: m5)))
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let y0 = read(0)
      let y1 = read(1)
      let y2 = read(2)
      let y3 = read(3)
      let evenA = scaled(a * a, y2, plus: y0)
      let oddA = scaled(a * a, y3, plus: y1)
      let evenB = scaled(b * b, y2, plus: y0)
      let oddB = scaled(b * b, y3, plus: y1)
      write(0, y0)
      write(1, scaled(a, oddA, plus: evenA))
      write(2, scaled(-a, oddA, plus: evenA))
      write(3, scaled(b, oddB, plus: evenB))
      write(4, scaled(-b, oddB, plus: evenB))
      write(5, y3)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let g0 = read(0)
      let g1 = read(1)
      let g2 = read(2)
      let evenA = scaled(a * a, g2, plus: g0) * weightA
      let oddA = g1 * (a * weightA)
      let evenB = scaled(b * b, g2, plus: g0) * weightB
      let oddB = g1 * (b * weightB)
      write(0, g0 * weightZero)
      write(1, evenA + oddA)
      write(2, evenA - oddA)
      write(3, evenB + oddB)
      write(4, evenB - oddB)
      write(5, g2)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 3 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let r0 = read(0)
      let r1 = read(1)
      let r2 = read(2)
      let r3 = read(3)
      let r4 = read(4)
      let r5 = read(5)
      let (evenA, oddA) = ((r1 + r2) * weightA, (r1 - r2) * weightA)
      let (evenB, oddB) = ((r3 + r4) * weightB, (r3 - r4) * weightB)
      write(0, scaled(weightZero, r0, plus: evenA + evenB))
      write(1, scaled(a, oddA, plus: oddB * b))
      write(2, scaled(a * a, evenA, plus: scaled(b * b, evenB, plus: r5)))
    }
  }
}
