import KernelsABI

/// Packs `rows` × `depth` of a matrix for `multiplyPixels`: element (i, l) is `source[i · rowStride + l ·
/// depthStride]` and goes to `target[(l / 16 · targetRows + i) · 16 + l % 16]`; the last block of depth is
/// filled with zeros.
func packRows(
  source: In, rows: Int, depth: Int, rowStride: Int, depthStride: Int, targetRows: Int, target: Out
) {
  for block in 0..<(depth + 15) / 16 {
    let width = min(16, depth - block * 16)
    let from = source + block * 16 * depthStride
    let to = target + block * targetRows * 16
    var first = 0
    while rowStride == 1, width == 16, first + 16 <= rows {
      transposeLines(from + first, stride: depthStride, to + first * 16, stride: 16)
      first += 16
    }
    for i in first..<rows {
      let row = from + i * rowStride
      if width == 16, depthStride == 1 {
        setLine(line(row), to + i * 16)
        continue
      }
      for l in 0..<width { to[i * 16 + l] = row[l * depthStride] }
      for l in width..<16 { to[i * 16 + l] = 0 }
    }
  }
}

/// Packs `depth` × `columns` of a matrix as B of `multiplyPixels`, of `width` 16 or 32 columns: element (l,
/// j) is `source[l · depthStride + j · columnStride]`; columns beyond and rows up to a multiple of 16 are
/// filled with zeros.
func packColumns(
  source: In, depth: Int, columns: Int, depthStride: Int, columnStride: Int, width: Int, target: Out
) {
  var first = 0
  while depthStride == 1, first + 16 <= depth {
    packTransposed(source + first, columns, columnStride, width, target + first * width)
    first += 16
  }
  for l in first..<depth {
    let from = source + l * depthStride
    let to = target + l * width
    if columnStride == 1 {
      copyFloats(from, columns, to)
    } else {
      for j in 0..<columns { to[j] = from[j * columnStride] }
    }
    for j in columns..<width { to[j] = 0 }
  }
  for l in depth..<(depth + 15) / 16 * 16 {
    for j in 0..<width { target[l * width + j] = 0 }
  }
}

/// Packs 16 depths that lie side by side.
@inline(__always)
private func packTransposed(_ source: In, _ columns: Int, _ columnStride: Int, _ width: Int, _ target: Out) {
  var first = 0
  while first + 16 <= columns {
    transposeLines(source + first * columnStride, stride: columnStride, target + first, stride: width)
    first += 16
  }
  for j in first..<columns {
    for l in 0..<16 { target[l * width + j] = source[j * columnStride + l] }
  }
  for j in columns..<width {
    for l in 0..<16 { target[l * width + j] = 0 }
  }
}

/// `target[i · rowStride + j] = alpha · source[i · 16 + j] + beta · target[…]` for `rows` × `columns` (at
/// most 16) elements; with `beta` 0 the target is not read.
func storeRows(source: In, rows: Int, columns: Int, alpha: Float, beta: Float, rowStride: Int, target: Out) {
  for i in 0..<rows {
    let from = source + i * 16
    let to = target + i * rowStride
    if beta == 0, columns == 16 {
      storeProduct(from, alpha, to)
    } else if beta == 0 {
      for j in 0..<columns { to[j] = alpha * from[j] }
    } else {
      for j in 0..<columns { to[j] = alpha * from[j] + beta * to[j] }
    }
  }
}

/// `target = alpha · source` for a line.
@inline(__always)
private func storeProduct(_ source: In, _ alpha: Float, _ target: Out) {
  for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
    setRegister(register(source + lane) * alpha, target + lane)
  }
}
