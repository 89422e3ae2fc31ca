import KernelsABI

/// Collects the lines of `count` consecutive grid pixels, from grid pixel `first` of all images, into
/// `target`.
///
/// `source` is the channel block's map in image 0.
func gatherLines(_ grid: PixelGrid, first: Int, count: Int, source: In, target: Out) {
  let pixels = grid.rows * grid.columns
  var image = first / pixels
  var y = first % pixels / grid.columns
  var x = first % grid.columns
  var left = count
  var target = target
  while left > 0 {
    let run = min(grid.columns - x, left)
    let row = y * grid.step + grid.rowOffset
    if row >= 0, row < grid.mapRows {
      let start = source + image * grid.imageStride + row * grid.mapColumns * 16
      gatherRow(grid, from: x, run: run, start, target)
    } else {
      zeroLines(target, run)
    }
    target += run * 16
    left -= run
    x = 0
    y += 1
    if y == grid.rows {
      y = 0
      image += 1
    }
  }
}

@inline(__always)
private func gatherRow(_ grid: PixelGrid, from x: Int, run: Int, _ row: In, _ target: Out) {
  let step = grid.step
  let column = x * step + grid.columnOffset
  let before = column >= 0 ? 0 : min(run, (step - 1 - column) / step)
  let space = grid.mapColumns - 1 - column
  let end = space < 0 ? before : max(before, min(run, space / step + 1))
  zeroLines(target, before)
  var from = row + (column + before * step) * 16
  for i in before..<end {
    setLine(line(from), target + i * 16)
    from += step * 16
  }
  zeroLines(target + end * 16, run - end)
}

@inline(__always)
private func zeroLines(_ target: Out, _ count: Int) {
  for i in 0..<count { setLine(Line(), target + i * 16) }
}

/// The reverse of `gatherLines`: ends `count` lines of `source` as `epilogue` says, each at its pixel.
///
/// Every grid pixel must lie inside the map. The lines of `source` are used up. What was streamed is not yet
/// there for other threads: that is `ResultEpilogue.settle()`'s.
func scatterLines(_ grid: PixelGrid, first: Int, count: Int, source: Out, epilogue: Epilogue, target: Out) {
  switch epilogue.kind {
  case EpilogueKind.moments:
    beginSums(epilogue.sums, shift: line(source) + (epilogue.bias.map { line($0) } ?? Line()))
    scatter(LinesWithMoments.self, grid, first, count, source, epilogue, target)
    epilogue.sums[EpilogueSums.lines] = Float(count)
  case EpilogueKind.gradient:
    beginSums(epilogue.sums, shift: Line())
    switch epilogue.mask {
    case GradientMask.recomputed:
      scatter(GradientsByInput.self, grid, first, count, source, epilogue, target)
    case GradientMask.output:
      scatter(GradientsByOutput.self, grid, first, count, source, epilogue, target)
    default: scatter(OpenGradients.self, grid, first, count, source, epilogue, target)
    }
  case EpilogueKind.normalized: scatter(NormalizedLines.self, grid, first, count, source, epilogue, target)
  default: scatter(StoredLines.self, grid, first, count, source, epilogue, target)
  }
}

@inline(__always)
private func scatter<E: LineEpilogue>(
  _: E.Type, _ grid: PixelGrid, _ first: Int, _ count: Int, _ source: Out, _ epilogue: Epilogue, _ target: Out
) {
  for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
    var state = E.begin(epilogue, lane: lane)
    var pixel = place(first, rows: grid.rows, columns: grid.columns)
    var done = 0
    while done < count {
      let run = min(grid.columns - pixel.column, count - done)
      let row = pixel.row * grid.step + grid.rowOffset
      let column = pixel.column * grid.step + grid.columnOffset
      var offset = pixel.image * grid.imageStride + (row * grid.mapColumns + column) * 16
      for i in done..<done + run {
        let line = source + i * 16
        let value = E.end(register(line + lane), epilogue, offset: offset + lane, &state)
        setPart(value, lane: lane, of: target + offset, waitingAt: line, isStreamed: epilogue.isStreamed)
        offset += grid.step * 16
      }
      done += run
      pixel.column += run - 1
      advance(&pixel, rows: grid.rows, columns: grid.columns)
    }
    E.finish(state, epilogue, lane: lane)
  }
}
