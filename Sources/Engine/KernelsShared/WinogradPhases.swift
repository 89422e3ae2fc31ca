import KernelsABI

/// F(4×4, 2×2) with points 0, 1/2, −1, 3/2, ∞, for the four phases of a 3×3 convolution with stride 2: 100
/// products for 16 outputs where the direct algorithm takes 144.
///
/// Rows and columns of the map with one parity see at most two of the kernel's three taps; the second of a
/// phase that sees one is zero. Of all the sets of points tried these lose the least precision, and every
/// constant of A and B is exact.
enum WinogradPhases: WinogradKernel {
  /// Bᵀ.
  enum Input: LineTransform {
    @inline(__always)
    static var inputs: Int { 5 }
    @inline(__always)
    static var outputs: Int { 5 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let d0 = read(0)
      let d1 = read(1)
      let d2 = read(2)
      let d3 = read(3)
      let d4 = read(4)
      write(0, scaled(0.75, d0, plus: scaled(-1.25, d1, plus: d3 - d2)))
      write(1, scaled(-1.5, d1, plus: scaled(-0.5, d2, plus: d3)))
      write(2, scaled(0.75, d1, plus: scaled(-2, d2, plus: d3)))
      write(3, scaled(0.5, d2 - d1, plus: d3))
      write(4, scaled(0.75, d1, plus: scaled(-1.25, d2, plus: d4 - d3)))
    }
  }

  /// Aᵀ.
  enum Output: LineTransform {
    @inline(__always)
    static var inputs: Int { 5 }
    @inline(__always)
    static var outputs: Int { 4 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let m0 = read(0)
      let m1 = read(1)
      let m2 = read(2)
      let m3 = read(3)
      let m4 = read(4)
      write(0, (m0 + m1) + (m2 + m3))
      write(1, scaled(0.5, m1, plus: scaled(1.5, m3, plus: Register() - m2)))
      write(2, scaled(0.25, m1, plus: scaled(2.25, m3, plus: m2)))
      write(3, scaled(0.125, m1, plus: scaled(3.375, m3, plus: m4 - m2)))
    }
  }

  /// A.
  enum Gradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 4 }
    @inline(__always)
    static var outputs: Int { 5 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let y0 = read(0)
      let y1 = read(1)
      let y2 = read(2)
      let y3 = read(3)
      write(0, y0)
      write(1, scaled(0.125, y3, plus: scaled(0.25, y2, plus: scaled(0.5, y1, plus: y0))))
      write(2, (y0 - y1) + (y2 - y3))
      write(3, scaled(3.375, y3, plus: scaled(2.25, y2, plus: scaled(1.5, y1, plus: y0))))
      write(4, y3)
    }
  }

  /// G.
  enum Weight: LineTransform {
    @inline(__always)
    static var inputs: Int { 2 }
    @inline(__always)
    static var outputs: Int { 5 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let g0 = read(0)
      let g1 = read(1)
      write(0, g0 * (4 / 3))
      write(1, scaled(2, g0, plus: g1) * (-2 / 3))
      write(2, (g1 - g0) * (4 / 15))
      write(3, scaled(1.5, g1, plus: g0) * (4 / 15))
      write(4, g1)
    }
  }

  /// Gᵀ.
  enum WeightGradient: LineTransform {
    @inline(__always)
    static var inputs: Int { 5 }
    @inline(__always)
    static var outputs: Int { 2 }
    @inline(__always)
    static func apply(_ read: (Int) -> Register, _ write: (Int, Register) -> Void) {
      let r0 = read(0)
      let r1 = read(1)
      let r2 = read(2)
      let r3 = read(3)
      let r4 = read(4)
      write(0, (r0 - r1) * (4 / 3) + (r3 - r2) * (4 / 15))
      write(1, r1 * (-2 / 3) + scaled(4 / 15, r2, plus: scaled(0.4, r3, plus: r4)))
    }
  }
}

/// Transforms the taps that one phase sees of a block of inner channels and a block of outer channels: `G g
/// Gᵀ`. As `winogradWeights`, with 25 positions.
func phaseWeights(
  weight: In, block: WeightBlock, taps: PhaseTaps, width: Int, positionStride: Int, scratch: Out, target: Out
) {
  let pairs = scratch + 512
  for offset in stride(from: 0, to: 16 * 4 * 16, by: 16) { setLine(Line(), pairs + offset) }
  // The nearer elements of the weight are read one after the other.
  let isInnerNearer = block.innerStride < block.outerStride
  for far in 0..<(isInnerNearer ? block.outerCount : block.innerCount) {
    for near in 0..<(isInnerNearer ? block.innerCount : block.outerCount) {
      let (i, j) = isInnerNearer ? (near, far) : (far, near)
      let from = weight + i * block.innerStride + j * block.outerStride
      for tap in 0..<4 where taps.index(tap) >= 0 { pairs[(i * 4 + tap) * 16 + j] = from[taps.index(tap)] }
    }
  }
  for i in 0..<16 {
    transformTile(
      WinogradPhases.Weight.self, pairs + i * 64, 2 * 16, 16, scratch: scratch, target + i * width,
      5 * positionStride, positionStride)
  }
}

/// Transforms gradients of a phase's factors to gradients of the taps that it sees: `Gᵀ r G`. As
/// `winogradWeightGradients`.
func phaseWeightGradients(
  factors: In, block: WeightBlock, taps: PhaseTaps, positionStride: Int, scratch: Out, target: Out
) {
  let pairs = scratch + 256
  for i in 0..<block.innerCount {
    transformTile(
      WinogradPhases.WeightGradient.self, factors + i * 16, 5 * positionStride, positionStride,
      scratch: scratch, pairs, 2 * 16, 16)
    for tap in 0..<4 {
      let index = taps.index(tap)
      guard index >= 0 else { continue }
      let to = target + i * block.innerStride + index
      for j in 0..<block.outerCount { to[j * block.outerStride] = pairs[tap * 16 + j] }
    }
  }
}
