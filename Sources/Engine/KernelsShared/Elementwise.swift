import KernelsABI

/// `target += source`.
func addFloats(source: In, count: Int, target: Out) {
  for i in stride(from: 0, to: count & ~15, by: 16) {
    setLine(line(target + i) + line(source + i), target + i)
  }
  for i in count & ~15..<count { target[i] += source[i] }
}

/// `target *= factor`.
func scaleFloats(factor: Float, count: Int, target: Out) {
  for i in stride(from: 0, to: count & ~15, by: 16) { setLine(line(target + i) * factor, target + i) }
  for i in count & ~15..<count { target[i] *= factor }
}

/// Σ x² of some thousand floats, in four lines of partial sums.
func sumSquares(source: In, count: Int) -> Float {
  var sums = (Line(), Line(), Line(), Line())
  var i = 0
  while i + 64 <= count {
    let x0 = line(source + i)
    let x1 = line(source + i + 16)
    let x2 = line(source + i + 32)
    let x3 = line(source + i + 48)
    sums.0 = multiplyAdd(x0, x0, sums.0)
    sums.1 = multiplyAdd(x1, x1, sums.1)
    sums.2 = multiplyAdd(x2, x2, sums.2)
    sums.3 = multiplyAdd(x3, x3, sums.3)
    i += 64
  }
  var rest: Float = 0
  while i < count {
    rest += source[i] * source[i]
    i += 1
  }
  return sum((sums.0 + sums.1) + (sums.2 + sums.3)) + rest
}

/// `target = factor · Σ` of the lines of `runs`.
func sumLines(lines: In, runs: Runs, factor: Float, target: Out) {
  var sums = (Line(), Line(), Line(), Line())
  for run in 0..<runs.count {
    var p = lines + run * runs.stride
    for _ in 0..<runs.lines / 4 {
      sums = (sums.0 + line(p), sums.1 + line(p + 16), sums.2 + line(p + 32), sums.3 + line(p + 48))
      p += 64
    }
    for _ in 0..<runs.lines % 4 {
      sums.0 += line(p)
      p += 16
    }
  }
  setLine(((sums.0 + sums.1) + (sums.2 + sums.3)) * factor, target)
}

/// Writes `factor` · one line to `count` lines.
func spreadLine(source: In, factor: Float, count: Int, target: Out) {
  let value = line(source) * factor
  for i in 0..<count { setLine(value, target + i * 16) }
}

/// Planar maps of up to 16 channels to lines; missing channels are zero.
func blockPlanes(planes: In, channels: Int, pixels: Int, target: Out) {
  for pixel in 0..<pixels {
    var value = Line()
    for channel in 0..<channels { value[channel] = planes[channel * pixels + pixel] }
    setLine(value, target + pixel * 16)
  }
}

/// Lines to planar maps of up to 16 channels.
func unblockPlanes(lines: In, channels: Int, pixels: Int, target: Out) {
  for channel in 0..<channels {
    for pixel in 0..<pixels { target[channel * pixels + pixel] = lines[pixel * 16 + channel] }
  }
}
