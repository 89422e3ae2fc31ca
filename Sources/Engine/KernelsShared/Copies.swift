import CPrefetch
import KernelsABI

/// Exchanges rows and columns of 16 × 16 floats: element (i, j) is `source[i · sourceStride + j]` and goes to
/// `target[j · targetStride + i]`. The reference of every `transposeLines`.
@inline(__always)
func transposeByElements(_ source: In, stride sourceStride: Int, _ target: Out, stride targetStride: Int) {
  for i in 0..<16 {
    for j in 0..<16 { target[j * targetStride + i] = source[i * sourceStride + j] }
  }
}

/// Copies `count` floats, sixteen at a time as long as there are so many.
@inline(__always)
func copyFloats(_ source: In, _ count: Int, _ target: Out) {
  var done = 0
  while done + 16 <= count {
    setLine(line(source + done), target + done)
    done += 16
  }
  for i in done..<count { target[i] = source[i] }
}

/// Asks for `rows` rows of `columns` floats, `rowStride` floats apart, to come into the second-level cache.
func prefetchRows(source: In, rows: Int, columns: Int, rowStride: Int) {
  for row in 0..<rows {
    let from = source + row * rowStride
    for column in stride(from: 0, to: columns, by: 16) { cprefetch(from + column) }
  }
}
