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
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let d0 = read(0)
      let d1 = read(1)
      let d2 = read(2)
      let d3 = read(3)
      let d4 = read(4)
      let d5 = read(5)
      let d6 = read(6)
      let d7 = read(7)
      let even1 = scaled(-4.25, d4, plus: d2 + d6)
      let odd1 = scaled(-4.25, d3, plus: d1 + d5)
      let even2 = scaled(0.25, d2, plus: scaled(-1.25, d4, plus: d6))
      let odd2 = scaled(0.5, d1, plus: scaled(-2.5, d3, plus: d5 + d5))
      let even3 = scaled(4, d2, plus: scaled(-5, d4, plus: d6))
      let odd3 = scaled(0.5, d5, plus: scaled(-2.5, d3, plus: d1 + d1))
      write(0, scaled(5.25, d4 - d2, plus: d0 - d6))
      write(1, even1 + odd1)
      write(2, even1 - odd1)
      write(3, even2 + odd2)
      write(4, even2 - odd2)
      write(5, even3 + odd3)
      write(6, even3 - odd3)
      write(7, scaled(5.25, d3 - d5, plus: d7 - d1))
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 8 }
    @inline(__always)
    static var outputs: Int { 6 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let m0 = read(0)
      let m1 = read(1)
      let m2 = read(2)
      let m3 = read(3)
      let m4 = read(4)
      let m5 = read(5)
      let m6 = read(6)
      let m7 = read(7)
      let (even1, odd1) = (m1 + m2, m1 - m2)
      let (even2, odd2) = (m3 + m4, m3 - m4)
      let (even3, odd3) = (m5 + m6, m5 - m6)
      write(0, (m0 + even1) + (even2 + even3))
      write(1, scaled(2, odd2, plus: scaled(0.5, odd3, plus: odd1)))
      write(2, scaled(4, even2, plus: scaled(0.25, even3, plus: even1)))
      write(3, scaled(8, odd2, plus: scaled(0.125, odd3, plus: odd1)))
      write(4, scaled(16, even2, plus: scaled(0.0625, even3, plus: even1)))
      write(5, scaled(32, odd2, plus: scaled(0.03125, odd3, plus: odd1 + m7)))
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 6 }
    @inline(__always)
    static var outputs: Int { 8 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let y0 = read(0)
      let y1 = read(1)
      let y2 = read(2)
      let y3 = read(3)
      let y4 = read(4)
      let y5 = read(5)
      let even1 = y0 + y2 + y4
      let odd1 = y1 + y3 + y5
      let even2 = scaled(16, y4, plus: scaled(4, y2, plus: y0))
      let odd2 = scaled(16, y5, plus: scaled(4, y3, plus: y1)) * 2
      let even3 = scaled(0.0625, y4, plus: scaled(0.25, y2, plus: y0))
      let odd3 = scaled(0.0625, y5, plus: scaled(0.25, y3, plus: y1)) * 0.5
      write(0, y0)
      write(1, even1 + odd1)
      write(2, even1 - odd1)
      write(3, even2 + odd2)
      write(4, even2 - odd2)
      write(5, even3 + odd3)
      write(6, even3 - odd3)
      write(7, y5)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 8 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let g0 = read(0)
      let g1 = read(1)
      let g2 = read(2)
      let even1 = (g0 + g2) * (-2 / 9)
      let odd1 = g1 * (-2 / 9)
      let even2 = scaled(4, g2, plus: g0) * (1 / 90)
      let odd2 = g1 * (1 / 45)
      let even3 = scaled(0.25, g2, plus: g0) * (32 / 45)
      let odd3 = g1 * (16 / 45)
      write(0, g0)
      write(1, even1 + odd1)
      write(2, even1 - odd1)
      write(3, even2 + odd2)
      write(4, even2 - odd2)
      write(5, even3 + odd3)
      write(6, even3 - odd3)
      write(7, g2)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 8 }
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
      let r6 = read(6)
      let r7 = read(7)
      let (even1, odd1) = ((r1 + r2) * (-2 / 9), (r1 - r2) * (-2 / 9))
      let (even2, odd2) = ((r3 + r4) * (1 / 90), (r3 - r4) * (1 / 45))
      let (even3, odd3) = ((r5 + r6) * (32 / 45), (r5 - r6) * (16 / 45))
      write(0, (r0 + even1) + (even2 + even3))
      write(1, odd1 + odd2 + odd3)
      write(2, scaled(4, even2, plus: scaled(0.25, even3, plus: even1 + r7)))
    }
  }
}
