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
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let d0 = read(0)
      let d1 = read(1)
      let d2 = read(2)
      let d3 = read(3)
      write(0, d0 - d2)
      write(1, d1 + d2)
      write(2, d2 - d1)
      write(3, d1 - d3)
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 2 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let m0 = read(0)
      let m1 = read(1)
      let m2 = read(2)
      let m3 = read(3)
      write(0, m0 + (m1 + m2))
      write(1, (m1 - m2) - m3)
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 2 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let y0 = read(0)
      let y1 = read(1)
      write(0, y0)
      write(1, y0 + y1)
      write(2, y0 - y1)
      write(3, Register() - y1)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 3 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let g0 = read(0)
      let g1 = read(1)
      let g2 = read(2)
      let even = (g0 + g2) * 0.5
      let odd = g1 * 0.5
      write(0, g0)
      write(1, even + odd)
      write(2, even - odd)
      write(3, g2)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 3 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let r0 = read(0)
      let r1 = read(1)
      let r2 = read(2)
      let r3 = read(3)
      let even = (r1 + r2) * 0.5
      write(0, r0 + even)
      write(1, (r1 - r2) * 0.5)
      write(2, even + r3)
    }
  }
}
