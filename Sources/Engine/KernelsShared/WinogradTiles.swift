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
  let size = T.inputs
  for index in 0..<count {
    let tile = first + index
    let row = tile / grid.tileColumns % grid.tileRows * grid.outputs + grid.offset
    let column = tile % grid.tileColumns * grid.outputs + grid.offset
    let map = source + tile / (grid.tileRows * grid.tileColumns) * grid.imageStride
    let to = target + index * 16
    if row >= 0, column >= 0, row + size <= grid.mapRows, column + size <= grid.mapColumns {
      transformTile(
        T.self, map + (row * grid.mapColumns + column) * 16, grid.mapColumns * 16, 16, scratch: scratch, to,
        T.outputs * positionStride, positionStride)
      continue
    }
    let copy = scratch + 64 * 16
    for i in 0..<size {
      let from = map + ((row + i) * grid.mapColumns + column) * 16
      let rowIsInside = row + i >= 0 && row + i < grid.mapRows
      for j in 0..<size {
        let isInside = rowIsInside && column + j >= 0 && column + j < grid.mapColumns
        setLine(isInside ? line(from + j * 16) : Line(), copy + (i * size + j) * 16)
      }
    }
    transformTile(
      T.self, copy, size * 16, 16, scratch: scratch, to, T.outputs * positionStride, positionStride)
  }
}

@inline(__always)
private func outputs<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int, _ bias: In?,
  _ scratch: Out, _ target: Out
) {
  let size = T.outputs
  let shift = bias.map { line($0) } ?? Line()
  for index in 0..<count {
    let tile = first + index
    let row = tile / grid.tileColumns % grid.tileRows * size + grid.offset
    let column = tile % grid.tileColumns * size + grid.offset
    let map = target + tile / (grid.tileRows * grid.tileColumns) * grid.imageStride
    let to = map + (row * grid.mapColumns + column) * 16
    let from = source + index * 16
    if bias == nil, row >= 0, column >= 0, row + size <= grid.mapRows, column + size <= grid.mapColumns {
      transformTile(
        T.self, from, T.inputs * positionStride, positionStride, scratch: scratch, to, grid.mapColumns * 16,
        16)
      continue
    }
    let copy = scratch + 64 * 16
    transformTile(
      T.self, from, T.inputs * positionStride, positionStride, scratch: scratch, copy, size * 16, 16)
    for i in max(0, -row)..<min(size, grid.mapRows - row) {
      for j in max(0, -column)..<min(size, grid.mapColumns - column) {
        setLine(line(copy + (i * size + j) * 16) + shift, to + (i * grid.mapColumns + j) * 16)
      }
    }
  }
}
