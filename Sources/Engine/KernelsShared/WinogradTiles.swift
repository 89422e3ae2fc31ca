import KernelsABI

/// Floats that the kernels of this file need as scratch: a tile before and between two transforms.
func winogradScratchFloats() -> Int { 128 * 16 }

/// Transforms `count` input tiles of a channel block, from tile `first` of all images: `Bᵀ d B`.
///
/// `source` is the block's map in image 0. Position p of tile t goes to line t of `target + p ·
/// positionStride`.
func winogradInput(
  _ grid: TileGrid, first: Int, count: Int, source: In, positionStride: Int, scratch: Out, target: Out
) {
  switch grid.outputs {
  case 2: tiles(WinogradTwo.Input.self, grid, first, count, source, positionStride, scratch, target)
  case 4: tiles(WinogradFour.Input.self, grid, first, count, source, positionStride, scratch, target)
  default: tiles(WinogradSix.Input.self, grid, first, count, source, positionStride, scratch, target)
  }
}

/// Transforms `count` tiles of an output gradient: `A dy Aᵀ`. As `winogradInput`.
func winogradGradient(
  _ grid: TileGrid, first: Int, count: Int, source: In, positionStride: Int, scratch: Out, target: Out
) {
  switch grid.outputs {
  case 2: tiles(WinogradTwo.Gradient.self, grid, first, count, source, positionStride, scratch, target)
  case 4: tiles(WinogradFour.Gradient.self, grid, first, count, source, positionStride, scratch, target)
  default: tiles(WinogradSix.Gradient.self, grid, first, count, source, positionStride, scratch, target)
  }
}

/// Transforms `count` tiles of products to outputs, `Aᵀ m A`, adds `bias` (16 floats, or nil) and writes
/// those inside the map. Position p of tile t is line t of `source + p · positionStride`.
func winogradOutput(
  _ grid: TileGrid, first: Int, count: Int, source: In, positionStride: Int, bias: In?, scratch: Out,
  target: Out
) {
  switch grid.outputs {
  case 2: outputs(WinogradTwo.Output.self, grid, first, count, source, positionStride, bias, scratch, target)
  case 4: outputs(WinogradFour.Output.self, grid, first, count, source, positionStride, bias, scratch, target)
  default: outputs(WinogradSix.Output.self, grid, first, count, source, positionStride, bias, scratch, target)
  }
}

@inline(__always)
private func tiles<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int,
  _ scratch: Out,
  _ target: Out
) {
  var tile = place(first, rows: grid.tileRows, columns: grid.tileColumns)
  for index in 0..<count {
    let row = tile.row * grid.outputs + grid.offset
    let column = tile.column * grid.outputs + grid.offset
    let map = source + tile.image * grid.imageStride
    advance(&tile, rows: grid.tileRows, columns: grid.tileColumns)
    transformColumns(T.self, grid, map, row, column, scratch)
    let to = target + index * 16
    for i in 0..<T.outputs {
      T.apply(scratch + i * T.inputs * 16, 16, to + i * T.outputs * positionStride, positionStride)
    }
  }
}

/// Transforms the columns of the tile at (row, column) of a map, whose outside is zero, into `scratch`.
@inline(__always)
private func transformColumns<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ map: In, _ row: Int, _ column: Int, _ scratch: Out
) {
  let size = T.inputs
  let isWhole = row >= 0 && row + size <= grid.mapRows
  let strip = scratch + 64 * 16
  if !isWhole {
    for i in 0..<size { setLine(Line(), strip + i * 16) }
  }
  let rows = max(0, -row)..<max(max(0, -row), min(size, grid.mapRows - row))
  for j in 0..<size {
    let to = scratch + j * 16
    if column + j < 0 || column + j >= grid.mapColumns {
      for i in 0..<T.outputs { setLine(Line(), to + i * size * 16) }
      continue
    }
    let from = map + (row * grid.mapColumns + column + j) * 16
    if isWhole {
      T.apply(from, grid.mapColumns * 16, to, size * 16)
      continue
    }
    for i in rows { setLine(line(from + i * grid.mapColumns * 16), strip + i * 16) }
    T.apply(strip, 16, to, size * 16)
  }
}

@inline(__always)
private func outputs<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int, _ bias: In?,
  _ scratch: Out, _ target: Out
) {
  let size = T.outputs
  let shift = bias.map { line($0) } ?? Line()
  let strip = scratch + 64 * 16
  var tile = place(first, rows: grid.tileRows, columns: grid.tileColumns)
  for index in 0..<count {
    let row = tile.row * size + grid.offset
    let column = tile.column * size + grid.offset
    let map = target + tile.image * grid.imageStride
    advance(&tile, rows: grid.tileRows, columns: grid.tileColumns)
    let from = source + index * 16
    for j in 0..<T.inputs {
      T.apply(
        from + j * positionStride, T.inputs * positionStride, scratch + j * 16, T.inputs * 16)
    }
    let columns = max(0, -column)..<max(0, min(size, grid.mapColumns - column))
    let isWhole = bias == nil && columns.count == size
    for i in max(0, -row)..<max(0, min(size, grid.mapRows - row)) {
      let to = map + ((row + i) * grid.mapColumns + column) * 16
      if isWhole {
        T.apply(scratch + i * T.inputs * 16, 16, to, 16)
        continue
      }
      T.apply(scratch + i * T.inputs * 16, 16, strip, 16)
      for j in columns { setLine(line(strip + j * 16) + shift, to + j * 16) }
    }
  }
}
