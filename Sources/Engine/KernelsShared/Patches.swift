import KernelsABI

/// Convolves patches of planar maps, a row of outputs: C = A · B, where row x of A is the patch at `a + x ·
/// step`.
///
/// Feature f of a patch lies at `offsets[f]`; B has a row of 16 · `columnBlocks` floats for each of the
/// `features`. C as for `multiplyPixels`, `columns` rows.
func multiplyPatches(
  offsets: UnsafePointer<Int>, features: Int, step: Int, columns: Int, a: In, b: In, columnBlocks: Int,
  c0: Out, c1: Out
) {
  let lanes = Register.scalarCount
  let width = 16 * columnBlocks
  if hasNarrowTile, columnBlocks == 1 {
    sweepPatches(
      TwelveNarrowRows.self, NarrowRow.self, offsets, features, step, columns, a, b, width, c0, c0)
    return
  }
  for column in stride(from: 0, to: width, by: 2 * lanes) {
    let second = column + lanes
    sweepPatches(
      ProductTile.self, WideRow.self, offsets, features, step, columns, a, b + column, width,
      (column < 16 ? c0 : c1) + column % 16, (second < 16 ? c0 : c1) + second % 16)
  }
}

@inline(__always)
private func sweepPatches<Large: Tile, Small: Tile>(
  _: Large.Type, _: Small.Type, _ offsets: UnsafePointer<Int>, _ features: Int, _ step: Int, _ columns: Int,
  _ a: In, _ b: In, _ width: Int, _ c0: Out, _ c1: Out
) {
  if columns >= Large.rows, step == 1 {
    sweepPatches(Large.self, offsets, features, 1, columns, a, b, width, c0, c1)
  } else if columns >= Large.rows {
    sweepPatches(Large.self, offsets, features, step, columns, a, b, width, c0, c1)
  } else {
    sweepPatches(Small.self, offsets, features, step, columns, a, b, width, c0, c1)
  }
}

@inline(__always)
private func sweepPatches<T: Tile>(
  _: T.Type, _ offsets: UnsafePointer<Int>, _ features: Int, _ step: Int, _ columns: Int, _ a: In, _ b: In,
  _ width: Int, _ c0: Out, _ c1: Out
) {
  var x = 0
  while x < columns {
    // The last tile reaches back over outputs that are computed already.
    x = min(x, columns - T.rows)
    let from = a + x * step
    var sums = T.zero
    for feature in 0..<features {
      let panel = b + feature * width
      T.step(&sums, from + offsets[feature], stride: step, panel, panel + Register.scalarCount)
    }
    T.store(sums, c0 + x * 16, c1 + x * 16)
    x += T.rows
  }
}

/// Adds to the gradient of a weight what the pixels of one image contribute: C += Aᵀ · B, with the features
/// of the patches as rows and a block of 16 channels of the output gradient as columns.
///
/// The patch of output (y, x) is at `a + y · step · rowStride + x · step`, its feature (plane, row, column)
/// at `plane · planeStride + row · rowStride + column` from there. B are `rows` × `columns` lines; C is
/// `[features][16]`.
func accumulatePatches(
  planes: Int, kernel: Int, planeStride: Int, rowStride: Int, step: Int, rows: Int, columns: Int, a: In,
  b: In,
  target: Out
) {
  for plane in 0..<planes {
    for row in 0..<kernel {
      let from = a + plane * planeStride + row * rowStride
      let to = target + (plane * kernel + row) * kernel * 16
      var column = 0
      while column + 3 <= kernel {
        sweepFeatures(ThreeLines.self, rowStride, step, rows, columns, from + column, b, to + column * 16)
        column += 3
      }
      while column < kernel {
        sweepFeatures(OneLine.self, rowStride, step, rows, columns, from + column, b, to + column * 16)
        column += 1
      }
    }
  }
}

/// Sums of features over pixels, for the 16 channels of a block, some rows at a time: two chains for even and
/// odd pixels, as registers need several cycles.
@inline(__always)
private func sweepFeatures<T: FeatureTile>(
  _: T.Type, _ rowStride: Int, _ step: Int, _ rows: Int, _ columns: Int, _ a: In, _ b: In, _ target: Out
) {
  let rowsOfSum = max(1, 2 * GridSum.pixels / columns)
  for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
    var sums = T.load(target + lane)
    for first in stride(from: 0, to: rows, by: rowsOfSum) {
      var even = T.zero
      var odd = T.zero
      for y in first..<min(first + rowsOfSum, rows) {
        let from = a + y * step * rowStride
        let lines = b + y * columns * 16 + lane
        for x in stride(from: 0, to: columns - 1, by: 2) {
          T.step(&even, from + x * step, register(lines + x * 16))
          T.step(&odd, from + (x + 1) * step, register(lines + (x + 1) * 16))
        }
        if columns % 2 == 1 {
          T.step(&even, from + (columns - 1) * step, register(lines + (columns - 1) * 16))
        }
      }
      sums = T.sum(sums, T.sum(even, odd))
    }
    T.store(sums, target + lane)
  }
}

/// Neighbouring features of a patch, summed in registers.
private protocol FeatureTile {
  associatedtype Sums
  static var zero: Sums { get }
  static func load(_ c: In) -> Sums
  static func store(_ sums: Sums, _ c: Out)
  static func step(_ sums: inout Sums, _ a: In, _ b: Register)
  static func sum(_ x: Sums, _ y: Sums) -> Sums
}

private enum OneLine: FeatureTile {
  @inline(__always)
  static var zero: Register { Register() }
  @inline(__always)
  static func load(_ c: In) -> Register { register(c) }
  @inline(__always)
  static func store(_ sums: Register, _ c: Out) { setRegister(sums, c) }
  @inline(__always)
  static func step(_ sums: inout Register, _ a: In, _ b: Register) {
    sums = multiplyAdd(Register(repeating: a.pointee), b, sums)
  }
  @inline(__always)
  static func sum(_ x: Register, _ y: Register) -> Register { x + y }
}

private enum ThreeLines: FeatureTile {
  @inline(__always)
  static var zero: (Register, Register, Register) { (Register(), Register(), Register()) }
  @inline(__always)
  static func load(_ c: In) -> (Register, Register, Register) {
    (register(c), register(c + 16), register(c + 32))
  }
  @inline(__always)
  static func store(_ sums: (Register, Register, Register), _ c: Out) {
    setRegister(sums.0, c)
    setRegister(sums.1, c + 16)
    setRegister(sums.2, c + 32)
  }
  @inline(__always)
  static func step(_ sums: inout (Register, Register, Register), _ a: In, _ b: Register) {
    sums.0 = multiplyAdd(Register(repeating: a[0]), b, sums.0)
    sums.1 = multiplyAdd(Register(repeating: a[1]), b, sums.1)
    sums.2 = multiplyAdd(Register(repeating: a[2]), b, sums.2)
  }
  @inline(__always)
  static func sum(
    _ x: (Register, Register, Register), _ y: (Register, Register, Register)
  ) -> (Register, Register, Register) { (x.0 + y.0, x.1 + y.1, x.2 + y.2) }
}

/// Copies planes with a border of zeros: `[planes][rows][columns]` to `[planes][rows + 2 · padding][columns +
/// 2 · padding]`.
func padPlanes(planes: Int, rows: Int, columns: Int, padding: Int, source: In, target: Out) {
  let width = columns + 2 * padding
  let height = rows + 2 * padding
  for plane in 0..<planes {
    for y in 0..<height {
      let to = target + (plane * height + y) * width
      let isInside = y >= padding && y < padding + rows
      if !isInside {
        for x in 0..<width { to[x] = 0 }
        continue
      }
      let from = source + (plane * rows + y - padding) * columns
      for x in 0..<padding { to[x] = 0 }
      for x in 0..<columns { to[padding + x] = from[x] }
      for x in padding + columns..<width { to[x] = 0 }
    }
  }
}
