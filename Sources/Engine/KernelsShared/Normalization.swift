import KernelsABI

/// Sums over the lines of a `Runs`, each lane its own: `target` gets the first line s, Σ(x − s) and Σ(x −
/// s)².
///
/// Shifting by a value of the data keeps the cancellation small; at most some thousand lines a call.
func channelMoments(lines: In, runs: Runs, target: Out) {
  let shift = line(lines)
  var sums = (Line(), Line(), Line(), Line())
  var squares = (Line(), Line(), Line(), Line())
  for run in 0..<runs.count {
    var p = lines + run * runs.stride
    for _ in 0..<runs.lines / 4 {
      let d0 = line(p) - shift
      let d1 = line(p + 16) - shift
      let d2 = line(p + 32) - shift
      let d3 = line(p + 48) - shift
      sums = (sums.0 + d0, sums.1 + d1, sums.2 + d2, sums.3 + d3)
      squares.0 = multiplyAdd(d0, d0, squares.0)
      squares.1 = multiplyAdd(d1, d1, squares.1)
      squares.2 = multiplyAdd(d2, d2, squares.2)
      squares.3 = multiplyAdd(d3, d3, squares.3)
      p += 64
    }
    for _ in 0..<runs.lines % 4 {
      let d = line(p) - shift
      sums.0 += d
      squares.0 = multiplyAdd(d, d, squares.0)
      p += 16
    }
  }
  setLine(shift, target)
  setLine((sums.0 + sums.1) + (sums.2 + sums.3), target + 16)
  setLine((squares.0 + squares.1) + (squares.2 + squares.3), target + 32)
}

/// `target = lines · scale + shift (+ residual)`, through a ReLU if `relu`; `constants` as `NormConstants`
/// says.
func normalizeLines(
  lines: In, constants: In, residual: In?, relu: Bool, runs: Runs, target: Out
) {
  let scale = line(constants + NormConstants.scale)
  let shift = line(constants + NormConstants.shift)
  for run in 0..<runs.count {
    let start = run * runs.stride
    for i in stride(from: start, to: start + runs.lines * 16, by: 16) {
      var y = multiplyAdd(line(lines + i), scale, shift)
      if let residual { y += line(residual + i) }
      setLine(relu ? positivePart(y) : y, target + i)
    }
  }
}

/// Σg and Σg (x − mean) over `runs` into `target`, g being the gradient that passes the `mask`.
func reduceNormGradient(
  lines: In, gradient: In, output: In, constants: In, mask: Int, runs: Runs, target: Out
) {
  switch mask {
  case GradientMask.recomputed:
    let scale = line(constants + NormConstants.scale)
    let shift = line(constants + NormConstants.shift)
    reduce(lines, gradient, constants, runs, target) { g, x, _ in
      passPositive(g, multiplyAdd(x, scale, shift))
    }
  case GradientMask.output:
    reduce(lines, gradient, constants, runs, target) { g, _, i in passPositive(g, line(output + i)) }
  default:
    reduce(lines, gradient, constants, runs, target) { g, _, _ in g }
  }
}

@inline(__always)
private func reduce(
  _ lines: In, _ gradient: In, _ constants: In, _ runs: Runs, _ target: Out,
  _ pass: (_ g: Line, _ x: Line, _ i: Int) -> Line
) {
  let mean = line(constants + NormConstants.mean)
  var sums = (Line(), Line())
  var products = (Line(), Line())
  for run in 0..<runs.count {
    var i = run * runs.stride
    for _ in 0..<runs.lines / 2 {
      let x0 = line(lines + i)
      let x1 = line(lines + i + 16)
      let g0 = pass(line(gradient + i), x0, i)
      let g1 = pass(line(gradient + i + 16), x1, i + 16)
      sums = (sums.0 + g0, sums.1 + g1)
      products = (multiplyAdd(g0, x0 - mean, products.0), multiplyAdd(g1, x1 - mean, products.1))
      i += 32
    }
    if runs.lines % 2 == 1 {
      let x = line(lines + i)
      let g = pass(line(gradient + i), x, i)
      sums.0 += g
      products.0 = multiplyAdd(g, x - mean, products.0)
    }
  }
  setLine(sums.0 + sums.1, target)
  setLine(products.0 + products.1, target + 16)
}

/// The gradient of the input, `scale (g − gradientMean − (x − mean) slope)`, for all lines of `runs`.
///
/// If `passed` is given, g itself is written there. `target` and `passed` may be `gradient`.
func applyNormGradient(
  lines: In, gradient: In, output: In, constants: In, mask: Int, runs: Runs, passed: Out?, target: Out
) {
  switch mask {
  case GradientMask.recomputed:
    let scale = line(constants + NormConstants.scale)
    let shift = line(constants + NormConstants.shift)
    apply(lines, gradient, constants, runs, passed, target) { g, x, _ in
      passPositive(g, multiplyAdd(x, scale, shift))
    }
  case GradientMask.output:
    apply(lines, gradient, constants, runs, passed, target) { g, _, i in passPositive(g, line(output + i)) }
  default:
    apply(lines, gradient, constants, runs, passed, target) { g, _, _ in g }
  }
}

@inline(__always)
private func apply(
  _ lines: In, _ gradient: In, _ constants: In, _ runs: Runs, _ passed: Out?, _ target: Out,
  _ pass: (_ g: Line, _ x: Line, _ i: Int) -> Line
) {
  let mean = line(constants + NormConstants.mean)
  let scale = line(constants + NormConstants.scale)
  let gradientMean = line(constants + NormConstants.gradientMean)
  let slope = line(constants + NormConstants.slope)
  for run in 0..<runs.count {
    let start = run * runs.stride
    for i in stride(from: start, to: start + runs.lines * 16, by: 16) {
      let x = line(lines + i)
      let g = pass(line(gradient + i), x, i)
      if let passed { setLine(g, passed + i) }
      setLine(scale * (g - gradientMean - (x - mean) * slope), target + i)
    }
  }
}

@inline(__always)
private func passPositive(_ g: Line, _ y: Line) -> Line { Line().replacing(with: g, where: y .> 0) }
