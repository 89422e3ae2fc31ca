import KernelsABI

/// Adam's update of `count` parameters with their moments.
func updateAdam(
  constants: AdamConstants, gradient: In, count: Int, value: Out, firstMoment: Out, secondMoment: Out
) {
  let whole = count & ~15
  for i in stride(from: 0, to: whole, by: 16) {
    var v = line(value + i)
    var m = line(firstMoment + i)
    var s = line(secondMoment + i)
    adam(constants, line(gradient + i), &v, &m, &s)
    setLine(v, value + i)
    setLine(m, firstMoment + i)
    setLine(s, secondMoment + i)
  }
  guard whole < count else { return }
  let rest = count - whole
  var v = firstLanes(value + whole, rest)
  var m = firstLanes(firstMoment + whole, rest)
  var s = firstLanes(secondMoment + whole, rest)
  adam(constants, firstLanes(gradient + whole, rest), &v, &m, &s)
  for lane in 0..<rest {
    value[whole + lane] = v[lane]
    firstMoment[whole + lane] = m[lane]
    secondMoment[whole + lane] = s[lane]
  }
}

@inline(__always)
private func adam(_ c: AdamConstants, _ gradient: Line, _ v: inout Line, _ m: inout Line, _ s: inout Line) {
  let g = multiplyAdd(v, Line(repeating: c.gradientDecay), gradient)
  m = multiplyAdd(g, Line(repeating: c.gain1), m * c.beta1)
  s = multiplyAdd(g * g, Line(repeating: c.gain2), s * c.beta2)
  let root = multiplyAdd(squareRoots(s), Line(repeating: c.inverseRoot), Line(repeating: c.epsilon))
  v = v * c.valueFactor - c.stepSize * m / root
}

/// `d = factor (gradient + decay · value)`, `velocity = momentum · velocity + d`, `value −= learningRate ·
/// velocity`; with `nesterov`, `value −= learningRate · (d + momentum · velocity)`.
func updateMomentum(
  learningRate: Float, momentum: Float, nesterov: Bool, decay: Float, factor: Float, gradient: In, count: Int,
  value: Out, velocity: Out?
) {
  let whole = count & ~15
  for i in stride(from: 0, to: whole, by: 16) {
    let v = line(value + i)
    var d = multiplyAdd(v, Line(repeating: decay), line(gradient + i)) * factor
    if let velocity {
      let next = multiplyAdd(line(velocity + i), Line(repeating: momentum), d)
      setLine(next, velocity + i)
      d = nesterov ? multiplyAdd(next, Line(repeating: momentum), d) : next
    }
    setLine(v - d * learningRate, value + i)
  }
  for i in whole..<count {
    var d = (gradient[i] + decay * value[i]) * factor
    if let velocity {
      let next = momentum * velocity[i] + d
      velocity[i] = next
      d = nesterov ? d + momentum * next : next
    }
    value[i] -= d * learningRate
  }
}

/// The first `count` < 16 floats, the other lanes zero.
@inline(__always)
private func firstLanes(_ p: In, _ count: Int) -> Line {
  var value = Line()
  for lane in 0..<count { value[lane] = p[lane] }
  return value
}
