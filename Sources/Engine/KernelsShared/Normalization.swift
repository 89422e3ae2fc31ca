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

/// `target = lines · scale + shift (+ residual)`, through a ReLU if `hasReLU`; `constants` as `NormConstants`
/// says. With `residualConstants` the residual is normalised by them and rectified in the same pass;
/// `isStreamed` is that of `Epilogue`; what was streamed is not yet there for other threads.
func normalizeLines(
  lines: In, constants: In, residual: In?, residualConstants: In?, hasReLU: Bool, runs: Runs,
  isStreamed: Bool,
  target: Out
) {
  let scale = constants + NormConstants.scale
  let shift = constants + NormConstants.shift
  for run in 0..<runs.count {
    let start = run * runs.stride
    for i in stride(from: start, to: start + runs.lines * 16, by: 16) {
      for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
        var y = multiplyAdd(register(lines + i + lane), register(scale + lane), register(shift + lane))
        if let residual {
          var added = register(residual + i + lane)
          if let residualConstants {
            let scale = register(residualConstants + NormConstants.scale + lane)
            let shift = register(residualConstants + NormConstants.shift + lane)
            added = relu(multiplyAdd(added, scale, shift))
          }
          y += added
        }
        if hasReLU { y = relu(y) }
        if isStreamed {
          streamRegister(y, target + i + lane)
        } else {
          setRegister(y, target + i + lane)
        }
      }
    }
  }
}

/// Applies `epilogue`, of kind `gradient`, to the lines of a gradient in place; its maps begin where `target`
/// does.
func gradientEpilogue(epilogue: Epilogue, runs: Runs, target: Out) {
  beginSums(epilogue.sums, shift: Line())
  switch epilogue.mask {
  case GradientMask.recomputed: applyEpilogue(GradientsByInput.self, epilogue, runs, target)
  case GradientMask.output: applyEpilogue(GradientsByOutput.self, epilogue, runs, target)
  default: applyEpilogue(OpenGradients.self, epilogue, runs, target)
  }
}

@inline(__always)
private func applyEpilogue<E: LineEpilogue>(_: E.Type, _ epilogue: Epilogue, _ runs: Runs, _ target: Out) {
  for run in 0..<runs.count {
    // Some lines at a time, so that the second half of their channels finds them in the first-level cache.
    for first in stride(from: 0, to: runs.lines, by: 32) {
      let start = run * runs.stride + first * 16
      for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
        var state = E.begin(epilogue, lane: lane)
        for i in 0..<min(32, runs.lines - first) {
          let offset = start + i * 16 + lane
          setRegister(E.end(register(target + offset), epilogue, offset: offset, &state), target + offset)
        }
        E.finish(state, epilogue, lane: lane)
      }
    }
  }
}

/// The gradient of the input, `scale (g − gradientMean − (x − mean) slope)`, for all lines of `runs`.
///
/// `target` may be `gradient` or `lines`.
func applyNormGradient(lines: In, gradient: In, constants: In, runs: Runs, target: Out) {
  let mean = line(constants + NormConstants.mean)
  let scale = line(constants + NormConstants.scale)
  let gradientMean = line(constants + NormConstants.gradientMean)
  let slope = line(constants + NormConstants.slope)
  for run in 0..<runs.count {
    let start = run * runs.stride
    for i in stride(from: start, to: start + runs.lines * 16, by: 16) {
      let distance = line(lines + i) - mean
      setLine(scale * (line(gradient + i) - gradientMean - distance * slope), target + i)
    }
  }
}
