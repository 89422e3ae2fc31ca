import KernelsABI

/// C (+)= A · B for pixels as rows.
///
/// A is packed `[kBlocks][rowStride][16]`: element (row, 16·i + l) is `a[(i · rowStride + row) · 16 + l]`. B
/// is packed `[16 · kBlocks][16 · columnBlocks]`, `columnBlocks` being 1, 2 or 4. C has a run `[rows][16]`
/// for each block of columns: `c0`, `c1` and so on, at equal distances. With `accumulate`, C is added to.
/// Any number of rows.
func multiplyPixels(
  rows: Int, kBlocks: Int, a: In, rowStride: Int, b: In, columnBlocks: Int, c0: Out, c1: Out, accumulate: Bool
) {
  if hasNarrowTile, columnBlocks == 1 {
    let done = sweepPixels(
      TwelveNarrowRows.self, from: 0, rows, kBlocks, a, rowStride, b, 16, c0, c0, accumulate)
    let left = sweepPixels(
      FourNarrowRows.self, from: done, rows, kBlocks, a, rowStride, b, 16, c0, c0, accumulate)
    _ = sweepPixels(NarrowRow.self, from: left, rows, kBlocks, a, rowStride, b, 16, c0, c0, accumulate)
    return
  }
  if hasQuadTile, columnBlocks == 4 {
    let done = sweepPixels(
      SixQuadRows.self, from: 0, rows, kBlocks, a, rowStride, b, 64, c0, c1, accumulate)
    let left = sweepPixels(
      FourQuadRows.self, from: done, rows, kBlocks, a, rowStride, b, 64, c0, c1, accumulate)
    _ = sweepPixels(QuadRow.self, from: left, rows, kBlocks, a, rowStride, b, 64, c0, c1, accumulate)
    return
  }
  let lanes = Register.scalarCount
  for column in stride(from: 0, to: 16 * columnBlocks, by: 2 * lanes) {
    let left = c0 + column / 16 * (c1 - c0) + column % 16
    let second = column + lanes
    let right = c0 + second / 16 * (c1 - c0) + second % 16
    let panel = b + column
    let width = 16 * columnBlocks
    let done =
      kBlocks >= kBlocksOfProductTile
      ? sweepPixels(
        ProductTile.self, from: 0, rows, kBlocks, a, rowStride, panel, width, left, right, accumulate) : 0
    let rest = sweepPixels(
      FourRows.self, from: done, rows, kBlocks, a, rowStride, panel, width, left, right, accumulate)
    _ = sweepPixels(
      WideRow.self, from: rest, rows, kBlocks, a, rowStride, panel, width, left, right, accumulate)
  }
}

/// Computes as many whole tiles of rows as there are, from row `start`; returns the row after them.
@inline(__always)
private func sweepPixels<T: Tile>(
  _: T.Type, from start: Int, _ rows: Int, _ kBlocks: Int, _ a: In, _ rowStride: Int, _ b: In, _ width: Int,
  _ c0: Out, _ c1: Out, _ accumulate: Bool
) -> Int {
  var row = start
  while row + T.rows <= rows {
    var sums = T.zero
    var block = a + row * 16
    var panel = b
    for _ in 0..<kBlocks {
      for k in stride(from: 0, to: 16, by: unrolledSteps) {
        T.step(&sums, block + k, stride: 16, panel, panel + Register.scalarCount)
        if unrolledSteps == 4 {
          for next in 1..<4 {
            let row = panel + next * width
            T.step(&sums, block + k + next, stride: 16, row, row + Register.scalarCount)
          }
        }
        panel += unrolledSteps * width
      }
      block += rowStride * 16
    }
    finish(T.self, sums, c0 + row * 16, c1 + row * 16, accumulate)
    row += T.rows
  }
  return row
}

/// C (+)= Aᵀ · B with pixels as the inner dimension, for the 16 channels of a block of A.
///
/// `a`, `b0` and `b1` are lines `[pixels][16]`; C has runs `[16][16]`: `c0` for `b0`, `c1` for `b1`. Of
/// `columnBlocks`, 1, 2 or 4, those that follow lie at equal distances. With `accumulate`, C is added to.
func multiplyChannels(
  pixels: Int, a: In, b0: In, b1: In, columnBlocks: Int, c0: Out, c1: Out, accumulate: Bool
) {
  var start = 0
  repeat {
    let count = min(GridSum.pixels, pixels - start)
    sumChannels(
      1, count, a + start * 16, 0, 1, b0 + start * 16, b1 + start * 16, columnBlocks, c0, c1,
      accumulate || start > 0)
    start += count
  } while start < pixels
}

/// C (+)= Aᵀ · B of one sum in registers, over `rows` rows of `columns` pixels each: as `multiplyGrid`.
@inline(__always)
func sumChannels(
  _ rows: Int, _ columns: Int, _ a: In, _ aRowStride: Int, _ step: Int, _ b0: In, _ b1: In,
  _ columnBlocks: Int, _ c0: Out, _ c1: Out, _ accumulate: Bool
) {
  if hasNarrowTile, columnBlocks == 1 {
    for row in stride(from: 0, to: 16, by: 4) {
      sweepChannels(
        FourNarrowRows.self, rows, columns, a + row, aRowStride, step, b0, b0, c0 + row * 16, c0, accumulate)
    }
    return
  }
  if hasQuadTile, columnBlocks == 4 {
    for row in stride(from: 0, to: 12, by: 6) {
      sweepChannels(
        SixQuadRows.self, rows, columns, a + row, aRowStride, step, b0, b1, c0 + row * 16, c1 + row * 16,
        accumulate)
    }
    sweepChannels(
      FourQuadRows.self, rows, columns, a + 12, aRowStride, step, b0, b1, c0 + 12 * 16, c1 + 12 * 16,
      accumulate)
    return
  }
  let lanes = Register.scalarCount
  for column in stride(from: 0, to: 16 * columnBlocks, by: 2 * lanes) {
    let second = column + lanes
    let left = b0 + column / 16 * (b1 - b0) + column % 16
    let right = b0 + second / 16 * (b1 - b0) + second % 16
    let targetLeft = c0 + column / 16 * (c1 - c0) + column % 16
    let targetRight = c0 + second / 16 * (c1 - c0) + second % 16
    let tall = 16 / ProductTile.rows * ProductTile.rows
    for row in stride(from: 0, to: tall, by: ProductTile.rows) {
      sweepChannels(
        ProductTile.self, rows, columns, a + row, aRowStride, step, left, right, targetLeft + row * 16,
        targetRight + row * 16, accumulate)
    }
    for row in stride(from: tall, to: 16, by: FourRows.rows) {
      sweepChannels(
        FourRows.self, rows, columns, a + row, aRowStride, step, left, right, targetLeft + row * 16,
        targetRight + row * 16, accumulate)
    }
  }
}

@inline(__always)
private func sweepChannels<T: Tile>(
  _: T.Type, _ rows: Int, _ columns: Int, _ a: In, _ aRowStride: Int, _ step: Int, _ b0: In, _ b1: In,
  _ c0: Out, _ c1: Out, _ accumulate: Bool
) {
  var sums = T.zero
  var offset = 0
  for row in 0..<rows {
    var from = a + row * aRowStride
    for _ in 0..<columns {
      T.step(&sums, from, stride: 1, b0 + offset, b1 + offset)
      from += step * 16
      offset += 16
    }
  }
  finish(T.self, sums, c0, c1, accumulate)
}

/// Multiply-adds on registers alone, to learn how fast they can be: `count` steps of the widest tile.
func multiplyRegisters(count: Int, a: In, b: In, target: Out) {
  var sums = ProductTile.zero
  for _ in 0..<count {
    ProductTile.step(&sums, a, stride: 0, b, b + Register.scalarCount)
  }
  ProductTile.store(sums, target, target + 16 * ProductTile.rows)
}

/// Floating-point operations of one step of `multiplyRegisters`.
func operationsOfStep() -> Int { ProductTile.rows * 2 * Register.scalarCount * 2 }
