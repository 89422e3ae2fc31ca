import KernelsABI

/// C = A · B where the rows of A are windows of a map: row i is what grid pixel `first + i` of all images
/// sees.
///
/// Inner block k of a row are the 16 channels at `offsets[k]` floats from its pixel; every window lies inside
/// the map. B is packed as for `multiplyPixels`, C has a run `[count][16]` for each of the `columnBlocks`
/// blocks of columns. The inner dimension is cut so that the part of B in use stays in the second-level
/// cache.
func multiplyWindows(
  _ grid: PixelGrid, first: Int, count: Int, offsets: UnsafePointer<Int>, kBlocks: Int, map: In, b: In,
  columnBlocks: Int, c0: Out, c1: Out
) {
  if hasNarrowTile, columnBlocks == 1 {
    sweepWindows(
      TwelveNarrowRows.self, FourNarrowRows.self, NarrowRow.self, grid, first, count, offsets, kBlocks, map,
      b,
      16, c0, c0)
    return
  }
  let lanes = Register.scalarCount
  for column in stride(from: 0, to: 16 * columnBlocks, by: 2 * lanes) {
    let second = column + lanes
    sweepWindows(
      ProductTile.self, FourRows.self, WideRow.self, grid, first, count, offsets, kBlocks, map, b + column,
      16 * columnBlocks, (column < 16 ? c0 : c1) + column % 16, (second < 16 ? c0 : c1) + second % 16)
  }
}

/// Most blocks of the inner dimension that are multiplied at once.
@inline(__always)
private var segmentBlocks: Int { 36 }

/// Computes all rows in tiles of the largest size that there are rows left for, one part of the inner
/// dimension after the other.
@inline(__always)
private func sweepWindows<Large: Tile, Middle: Tile, Small: Tile>(
  _: Large.Type, _: Middle.Type, _: Small.Type, _ grid: PixelGrid, _ first: Int, _ count: Int,
  _ offsets: UnsafePointer<Int>, _ kBlocks: Int, _ map: In, _ b: In, _ width: Int, _ c0: Out, _ c1: Out
) {
  var block = 0
  repeat {
    let length = min(segmentBlocks, kBlocks - block)
    let part = offsets + block
    let panel = b + block * 16 * width
    let isFirst = block == 0
    let done = sweepWindows(
      Large.self, grid, first, from: 0, count, part, length, map, panel, width, c0, c1, isFirst)
    let left = sweepWindows(
      Middle.self, grid, first, from: done, count, part, length, map, panel, width, c0, c1, isFirst)
    _ = sweepWindows(
      Small.self, grid, first, from: left, count, part, length, map, panel, width, c0, c1, isFirst)
    block += length
  } while block < kBlocks
}

/// Computes as many whole tiles of rows as there are, from row `start`; returns the row after them.
@inline(__always)
private func sweepWindows<T: Tile>(
  _: T.Type, _ grid: PixelGrid, _ first: Int, from start: Int, _ count: Int, _ offsets: UnsafePointer<Int>,
  _ kBlocks: Int, _ map: In, _ b: In, _ width: Int, _ c0: Out, _ c1: Out, _ isFirst: Bool
) -> Int {
  var row = start
  guard row + T.rows <= count else { return row }
  var pixel = place(first + row, rows: grid.rows, columns: grid.columns)
  while row + T.rows <= count {
    let starts = T.starts {
      let y = pixel.row * grid.step + grid.rowOffset
      let x = pixel.column * grid.step + grid.columnOffset
      let start = map + pixel.image * grid.imageStride + (y * grid.mapColumns + x) * 16
      advance(&pixel, rows: grid.rows, columns: grid.columns)
      return start
    }
    var sums = T.zero
    var panel = b
    for k in 0..<kBlocks {
      let offset = offsets[k]
      for l in stride(from: 0, to: 16, by: unrolledSteps) {
        T.step(&sums, starts, offset: offset + l, panel, panel + Register.scalarCount)
        if unrolledSteps == 4 {
          for next in 1..<4 {
            let row = panel + next * width
            T.step(&sums, starts, offset: offset + l + next, row, row + Register.scalarCount)
          }
        }
        panel += unrolledSteps * width
      }
    }
    finish(T.self, sums, c0 + row * 16, c1 + row * 16, !isFirst)
    row += T.rows
  }
  return row
}

/// Copies a part of a map, from line (row, column) on, to `rows` × `columns` lines; what lies outside the
/// map, whose sizes are those of `grid`, is zero.
func copyWindow(_ grid: PixelGrid, row: Int, column: Int, rows: Int, columns: Int, map: In, target: Out) {
  let before = min(columns, max(0, -column))
  let end = max(before, min(columns, grid.mapColumns - column))
  for i in 0..<rows {
    let to = target + i * columns * 16
    let isInside = row + i >= 0 && row + i < grid.mapRows
    let from = map + ((row + i) * grid.mapColumns + column) * 16
    for j in 0..<(isInside ? before : columns) { setLine(Line(), to + j * 16) }
    guard isInside else { continue }
    for j in before..<end { setLine(line(from + j * 16), to + j * 16) }
    for j in end..<columns { setLine(Line(), to + j * 16) }
  }
}

/// C (+)= Aᵀ · B summed over the pixels of a grid, for the 16 channels of a block of A.
///
/// Row y of the grid are `columns` lines of A, `step` lines apart, from `a + y · aRowStride` floats on, and
/// as many lines of B side by side. C as for `multiplyChannels`, with `accumulate` added to.
func multiplyGrid(
  rows: Int, columns: Int, a: In, aRowStride: Int, step: Int, b0: In, b1: In, columnBlocks: Int, c0: Out,
  c1: Out, accumulate: Bool
) {
  let rowsOfSum = GridSum.rows(columns: columns)
  let isRun = step == 1 && aRowStride == columns * 16
  for row in stride(from: 0, to: rows, by: rowsOfSum) {
    let offset = row * columns * 16
    let count = min(rowsOfSum, rows - row)
    sumChannels(
      isRun ? 1 : count, isRun ? count * columns : columns, a + row * aRowStride, aRowStride, step,
      b0 + offset, b1 + offset, columnBlocks, c0, c1, accumulate || row > 0)
  }
}
