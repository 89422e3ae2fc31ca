import KernelsABI

/// Most tiles of a row that are transformed together, so that the columns which they share are transformed
/// once.
@inline(__always)
private var tilesTogether: Int { 4 }

/// Floats of the columns of some tiles between two transforms.
@inline(__always)
private var columnFloats: Int { (6 * (tilesTogether - 1) + 8) * 8 * 16 }

/// Floats of a tile of results whose lines wait to be streamed.
@inline(__always)
private var waitingFloats: Int { 6 * 6 * 16 }

/// Floats that the kernels of this file need as scratch: columns, a strip of a tile, and lines that wait.
func winogradScratchFloats() -> Int { columnFloats + 8 * 16 + waitingFloats }

/// Transforms `count` input tiles of a channel block, from tile `first` of all images: `Bᵀ d B`.
///
/// `source` is the block's map in image 0. Position p of tile t goes to line t of `target + p ·
/// positionStride`. With `constants`, as `NormConstants` says, the map is normalised and rectified on the
/// way: `max(0, d · scale + shift)`; the zeros outside it stay zeros.
func winogradInput(
  _ grid: TileGrid, first: Int, count: Int, source: In, constants: In?, positionStride: Int, scratch: Out,
  target: Out
) {
  switch (grid.taps, grid.outputs) {
  case (2, _):
    inputs(WinogradPhases.self, grid, first, count, source, constants, positionStride, scratch, target)
  case (_, 2):
    inputs(WinogradTwo.self, grid, first, count, source, constants, positionStride, scratch, target)
  case (_, 4):
    inputs(WinogradFour.self, grid, first, count, source, constants, positionStride, scratch, target)
  default:
    inputs(WinogradSix.self, grid, first, count, source, constants, positionStride, scratch, target)
  }
}

/// Transforms `count` tiles of an output gradient: `A dy Aᵀ`. As `winogradInput`.
func winogradGradient(
  _ grid: TileGrid, first: Int, count: Int, source: In, positionStride: Int, scratch: Out, target: Out
) {
  switch (grid.taps, grid.outputs) {
  case (2, _): gradients(WinogradPhases.self, grid, first, count, source, positionStride, scratch, target)
  case (_, 2): gradients(WinogradTwo.self, grid, first, count, source, positionStride, scratch, target)
  case (_, 4): gradients(WinogradFour.self, grid, first, count, source, positionStride, scratch, target)
  default: gradients(WinogradSix.self, grid, first, count, source, positionStride, scratch, target)
  }
}

/// Transforms `count` tiles of products to outputs, `Aᵀ m A`, and ends those inside the map as `epilogue`
/// says.
///
/// Position p of tile t is line t of `source + p · positionStride`; `target` is the block's map in image 0.
func winogradOutput(
  _ grid: TileGrid, first: Int, count: Int, source: In, positionStride: Int, epilogue: Epilogue, scratch: Out,
  target: Out
) {
  switch (grid.taps, grid.outputs) {
  case (2, _):
    outputs(WinogradPhases.Output.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  case (_, 2):
    outputs(WinogradTwo.Output.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  case (_, 4):
    outputs(WinogradFour.Output.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  default:
    outputs(WinogradSix.Output.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  }
}

@inline(__always)
private func gradients<K: WinogradKernel>(
  _: K.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int,
  _ scratch: Out, _ target: Out
) {
  tiles(K.Gradient.self, grid, first, count, source, positionStride, scratch, target) { x, _ in x }
}

@inline(__always)
private func inputs<K: WinogradKernel>(
  _: K.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ constants: In?,
  _ positionStride: Int, _ scratch: Out, _ target: Out
) {
  guard let constants else {
    tiles(K.Input.self, grid, first, count, source, positionStride, scratch, target) { x, _ in x }
    return
  }
  let scale = constants + NormConstants.scale
  let shift = constants + NormConstants.shift
  tiles(K.Input.self, grid, first, count, source, positionStride, scratch, target) { x, lane in
    relu(multiplyAdd(x, register(scale + lane), register(shift + lane)))
  }
}

/// Transforms tiles row by row of tiles: first all columns of some tiles, then the rows of each.
@inline(__always)
private func tiles<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int,
  _ scratch: Out, _ target: Out, _ value: (_ x: Register, _ lane: Int) -> Register
) {
  var tile = place(first, rows: grid.tileRows, columns: grid.tileColumns)
  var done = 0
  while done < count {
    let run = min(count - done, grid.tileColumns - tile.column, tilesTogether)
    let row = tile.row * grid.outputs * grid.step + grid.rowOffset
    let column = tile.column * grid.outputs * grid.step + grid.columnOffset
    let map = source + tile.image * grid.imageStride
    for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
      transformColumns(
        T.self, grid, map + lane, row, column, (run - 1) * grid.outputs + T.inputs, scratch + lane,
        strip: scratch + columnFloats
      ) { value($0, lane) }
      for index in 0..<run {
        let from = scratch + index * grid.outputs * T.outputs * 16 + lane
        let to = target + (done + index) * 16 + lane
        for i in 0..<T.outputs {
          T.apply(
            { register(from + ($0 * T.outputs + i) * 16) },
            { setRegister($1, to + (i * T.outputs + $0) * positionStride) })
        }
      }
    }
    done += run
    tile.column += run - 1
    advance(&tile, rows: grid.tileRows, columns: grid.tileColumns)
  }
}

/// Transforms `count` columns, from (row, column) of a map whose outside is zero, into
/// `scratch[column][T.outputs]`.
@inline(__always)
private func transformColumns<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ map: In, _ row: Int, _ column: Int, _ count: Int, _ scratch: Out,
  strip: Out, _ value: (Register) -> Register
) {
  let lanes = Register.scalarCount
  let step = grid.step
  let isWhole = row >= 0 && row + (T.inputs - 1) * step < grid.mapRows
  let firstInside = row >= 0 ? 0 : (step - 1 - row) / step
  let endInside = min(T.inputs, (grid.mapRows - row + step - 1) / step)
  let isOutside = firstInside >= endInside
  if !isWhole {
    // Rows outside the map are read as their neighbours inside, times zero.
    for i in 0..<T.inputs {
      setRegister(Register(repeating: i >= firstInside && i < endInside ? 1 : 0), strip + i * lanes)
    }
  }
  let rowStride = grid.mapColumns * step * 16
  for j in 0..<count {
    let to = scratch + j * T.outputs * 16
    let x = column + j * step
    if isOutside || x < 0 || x >= grid.mapColumns {
      for i in 0..<T.outputs { setRegister(Register(), to + i * 16) }
      continue
    }
    let from = map + (row * grid.mapColumns + x) * 16
    if isWhole {
      T.apply({ value(register(from + $0 * rowStride)) }, { setRegister($1, to + $0 * 16) })
      continue
    }
    T.apply(
      {
        let inside = min(max($0, firstInside), endInside - 1)
        return value(register(from + inside * rowStride)) * register(strip + $0 * lanes)
      }, { setRegister($1, to + $0 * 16) })
  }
}

@inline(__always)
private func outputs<T: LineTransform>(
  _: T.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int,
  _ epilogue: Epilogue, _ scratch: Out, _ target: Out
) {
  switch epilogue.kind {
  case EpilogueKind.moments:
    // Moments are taken about a value of the data, here the first: its tile is computed twice.
    var once = epilogue
    once.isStreamed = false
    _ = finish(
      T.self, StoredLines.self, grid, first, 1, source, positionStride, once, scratch, target)
    let tile = place(first, rows: grid.tileRows, columns: grid.tileColumns)
    let size = grid.outputs * grid.step
    let pixel =
      (tile.row * size + grid.rowOffset) * grid.mapColumns + tile.column * size + grid.columnOffset
    beginSums(epilogue.sums, shift: line(target + tile.image * grid.imageStride + pixel * 16))
    let lines = finish(
      T.self, LinesWithMoments.self, grid, first, count, source, positionStride, epilogue, scratch, target)
    epilogue.sums[EpilogueSums.lines] = Float(lines)
  case EpilogueKind.gradient:
    beginSums(epilogue.sums, shift: Line())
    switch epilogue.mask {
    case GradientMask.recomputed:
      _ = finish(
        T.self, GradientsByInput.self, grid, first, count, source, positionStride, epilogue, scratch,
        target)
    case GradientMask.output:
      _ = finish(
        T.self, GradientsByOutput.self, grid, first, count, source, positionStride, epilogue, scratch,
        target)
    default:
      _ = finish(
        T.self, OpenGradients.self, grid, first, count, source, positionStride, epilogue, scratch,
        target)
    }
  case EpilogueKind.normalized:
    _ = finish(
      T.self, NormalizedLines.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  default:
    _ = finish(
      T.self, StoredLines.self, grid, first, count, source, positionStride, epilogue, scratch, target)
  }
}

/// Transforms tiles back and ends their lines; returns how many lines there were.
@inline(__always)
private func finish<T: LineTransform, E: LineEpilogue>(
  _: T.Type, _: E.Type, _ grid: TileGrid, _ first: Int, _ count: Int, _ source: In, _ positionStride: Int,
  _ epilogue: Epilogue, _ scratch: Out, _ target: Out
) -> Int {
  let size = T.outputs
  let step = grid.step
  let lanes = Register.scalarCount
  let strip = scratch + columnFloats
  let waiting = strip + 8 * 16
  var tile = place(first, rows: grid.tileRows, columns: grid.tileColumns)
  var lines = 0
  for index in 0..<count {
    let row = tile.row * size * step + grid.rowOffset
    let column = tile.column * size * step + grid.columnOffset
    let start = tile.image * grid.imageStride + (row * grid.mapColumns + column) * 16
    let rows = max(0, min(size, (grid.mapRows - row + step - 1) / step))
    let columns = max(0, min(size, (grid.mapColumns - column + step - 1) / step))
    advance(&tile, rows: grid.tileRows, columns: grid.tileColumns)
    lines += rows * columns
    for lane in stride(from: 0, to: 16, by: lanes) {
      let from = source + index * 16 + lane
      for j in 0..<T.inputs {
        T.apply(
          { register(from + ($0 * T.inputs + j) * positionStride) },
          { setRegister($1, scratch + ($0 * T.inputs + j) * lanes) })
      }
      var state = E.begin(epilogue, lane: lane)
      for i in 0..<rows {
        let products = scratch + i * T.inputs * lanes
        let row = start + i * step * grid.mapColumns * 16
        /// Ends and writes column `j` of the row.
        @inline(__always)
        func write(_ j: Int, _ value: Register) {
          let offset = row + j * step * 16
          setPart(
            E.end(value, epilogue, offset: offset + lane, &state), lane: lane, of: target + offset,
            waitingAt: waiting + (i * size + j) * 16, isStreamed: epilogue.isStreamed)
        }
        if columns == size {
          T.apply({ register(products + $0 * lanes) }, write)
          continue
        }
        T.apply({ register(products + $0 * lanes) }, { setRegister($1, strip + $0 * lanes) })
        for j in 0..<columns { write(j, register(strip + j * lanes)) }
      }
      E.finish(state, epilogue, lane: lane)
    }
  }
  return lines
}
