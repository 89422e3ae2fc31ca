import KernelsABI

/// Lays out the patches under a square kernel as lines: line `i` of feature block `f` holds features
/// `16 f ..< 16 f + 16` of grid pixel `first + i`, a feature being (channel, row, column) of the patch.
///
/// `source` are planar images `[N][channels][H][W]`, the map of `grid`; `target` is
/// `[⌈features/16⌉][lineStride][16]`, and its line `count` of each block may be overwritten too. Features
/// beyond the last are zero.
func gatherPatches(
  _ grid: PixelGrid, first: Int, count: Int, channels: Int, kernel: Int, lineStride: Int, source: In,
  target: Out
) {
  let features = channels * kernel * kernel
  let last = target + (features + 15) / 16 * lineStride * 16 - lineStride * 16
  for i in 0..<count { setLine(Line(), last + i * 16) }
  var pixel = place(first, rows: grid.rows, columns: grid.columns)
  for i in 0..<count {
    let row = pixel.row * grid.step + grid.rowOffset
    let column = pixel.column * grid.step + grid.columnOffset
    let image = source + pixel.image * grid.imageStride
    advance(&pixel, rows: grid.rows, columns: grid.columns)
    let isInside =
      row >= 0 && column >= 0 && row + kernel <= grid.mapRows && column + kernel <= grid.mapColumns
    if isInside, kernel == 3 {
      copyPatch(
        image + row * grid.mapColumns + column, rowStride: grid.mapColumns,
        planeStride: grid.mapRows * grid.mapColumns, channels, lineStride, target + i * 16)
    } else {
      copyBorderPatch(grid, image, row, column, channels, kernel, lineStride, target + i * 16)
    }
  }
}

/// Copies the rows of a 3×3 patch, four floats at a time where three fit a line.
///
/// The fourth is wrong for a moment: the next row, or the next pixel, begins there. The last row is copied
/// alone, so that zeros stay behind it and nothing is read beyond the image.
@inline(__always)
private func copyPatch(
  _ patch: In, rowStride: Int, planeStride: Int, _ channels: Int, _ lineStride: Int, _ target: Out
) {
  for group in 0..<3 * channels {
    let feature = 3 * group
    let from = patch + group / 3 * planeStride + group % 3 * rowStride
    let lane = feature % 16
    let to = target + feature / 16 * lineStride * 16 + lane
    if lane <= 13, group + 1 < 3 * channels {
      let four = UnsafeRawPointer(from).loadUnaligned(as: SIMD4<Float>.self)
      UnsafeMutableRawPointer(to).storeBytes(of: four, as: SIMD4<Float>.self)
    } else {
      for k in 0..<3 { target[(feature + k) / 16 * lineStride * 16 + (feature + k) % 16] = from[k] }
    }
  }
}

private func copyBorderPatch(
  _ grid: PixelGrid, _ image: In, _ row: Int, _ column: Int, _ channels: Int, _ kernel: Int,
  _ lineStride: Int,
  _ target: Out
) {
  var feature = 0
  for channel in 0..<channels {
    for y in row..<row + kernel {
      for x in column..<column + kernel {
        let isInside = y >= 0 && y < grid.mapRows && x >= 0 && x < grid.mapColumns
        let value = isInside ? image[(channel * grid.mapRows + y) * grid.mapColumns + x] : 0
        target[feature / 16 * lineStride * 16 + feature % 16] = value
        feature += 1
      }
    }
  }
}
