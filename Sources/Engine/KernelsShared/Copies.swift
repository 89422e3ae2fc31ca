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

/// Asks for `count` lines of 16 floats, from line `first` on, to come into the second-level cache; a row has
/// `lines` lines, and rows are `rowStride` floats apart.
func prefetchLines(source: In, lines: Int, rowStride: Int, first: Int, count: Int) {
  var from = source + first / lines * rowStride
  var line = first % lines
  for _ in 0..<count {
    cprefetch(from + line * 16)
    line += 1
    guard line == lines else { continue }
    line = 0
    from += rowStride
  }
}
