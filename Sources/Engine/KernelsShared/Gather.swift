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

/// The reverse of `gatherLines`: writes `count` lines of `source`, plus `bias` (16 floats, or nil), to their
/// pixels.
///
/// Every grid pixel must lie inside the map.
func scatterLines(_ grid: PixelGrid, first: Int, count: Int, source: In, bias: In?, target: Out) {
  let pixels = grid.rows * grid.columns
  let shift = bias.map { line($0) } ?? Line()
  var image = first / pixels
  var y = first % pixels / grid.columns
  var x = first % grid.columns
  var left = count
  var source = source
  while left > 0 {
    let run = min(grid.columns - x, left)
    let pixel = (y * grid.step + grid.rowOffset) * grid.mapColumns + x * grid.step + grid.columnOffset
    var to = target + image * grid.imageStride + pixel * 16
    for _ in 0..<run {
      setLine(line(source) + shift, to)
      source += 16
      to += grid.step * 16
    }
    left -= run
    x = 0
    y += 1
    if y == grid.rows {
      y = 0
      image += 1
    }
  }
}
