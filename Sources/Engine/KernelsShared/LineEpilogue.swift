import KernelsABI

/// The epilogue of a result's lines, one register of channels at a time. `State` is a tuple: structs
/// would bring functions that the whole program shares.
protocol LineEpilogue {
  /// What is carried from line to line.
  associatedtype State
  /// The state at the first line, for channels from `lane` on.
  static func begin(_ epilogue: Epilogue, lane: Int) -> State
  /// What becomes of `value`, which belongs at `offset` in the target.
  static func end(_ value: Register, _ epilogue: Epilogue, offset: Int, _ state: inout State) -> Register
  /// Keeps what was summed up.
  static func finish(_ state: State, _ epilogue: Epilogue, lane: Int)
}

/// Adds the bias.
enum StoredLines: LineEpilogue {
  @inline(__always)
  static func begin(_ epilogue: Epilogue, lane: Int) -> Register { biasOf(epilogue, lane) }

  @inline(__always)
  static func end(_ value: Register, _ epilogue: Epilogue, offset: Int, _ state: inout Register) -> Register {
    value + state
  }

  @inline(__always)
  static func finish(_ state: Register, _ epilogue: Epilogue, lane: Int) {}
}

/// Adds the bias and sums up moments about the line in the first sixteen sums.
enum LinesWithMoments: LineEpilogue {
  typealias State = (bias: Register, shift: Register, sum: Register, squares: Register)

  @inline(__always)
  static func begin(_ epilogue: Epilogue, lane: Int) -> State {
    (biasOf(epilogue, lane), register(epilogue.sums + lane), Register(), Register())
  }

  @inline(__always)
  static func end(_ value: Register, _ epilogue: Epilogue, offset: Int, _ state: inout State) -> Register {
    let y = value + state.bias
    let distance = y - state.shift
    state.sum += distance
    state.squares = multiplyAdd(distance, distance, state.squares)
    return y
  }

  @inline(__always)
  static func finish(_ state: State, _ epilogue: Epilogue, lane: Int) {
    add(state.sum, to: epilogue.sums + lane + 16)
    add(state.squares, to: epilogue.sums + lane + 32)
  }
}

/// Constants of some channels, and what is summed up.
typealias GradientSums = (mean: Register, scale: Register, shift: Register, sum: Register, products: Register)

/// Adds the residual, masks and sums up what the backward pass of a normalisation needs. One type for
/// each kind of mask, so that the choice is made once.
protocol MaskedGradients: LineEpilogue where State == GradientSums {
  /// `g` where it passes the ReLU, else 0, from the input x of the normalisation.
  static func pass(
    _ g: Register, x: Register, _ state: GradientSums, _ epilogue: Epilogue, offset: Int
  ) -> Register
}

extension MaskedGradients {
  /// Sums of zero.
  @inline(__always)
  static func begin(_ epilogue: Epilogue, lane: Int) -> GradientSums {
    let constants = epilogue.constants + lane
    return (
      register(constants + NormConstants.mean), register(constants + NormConstants.scale),
      register(constants + NormConstants.shift), Register(), Register()
    )
  }

  /// Ends a gradient's line.
  @inline(__always)
  static func end(
    _ value: Register, _ epilogue: Epilogue, offset: Int, _ state: inout GradientSums
  ) -> Register {
    let x = register(epilogue.lines + offset)
    var g = value
    if let residual = epilogue.residual { g += register(residual + offset) }
    g = pass(g, x: x, state, epilogue, offset: offset)
    state.sum += g
    state.products = multiplyAdd(g, x - state.mean, state.products)
    return g
  }

  /// Adds to the epilogue's sums.
  @inline(__always)
  static func finish(_ state: GradientSums, _ epilogue: Epilogue, lane: Int) {
    add(state.sum, to: epilogue.sums + lane)
    add(state.products, to: epilogue.sums + lane + 16)
  }
}

/// All gradients pass.
enum OpenGradients: MaskedGradients {
  @inline(__always)
  static func pass(
    _ g: Register, x: Register, _ state: GradientSums, _ epilogue: Epilogue, offset: Int
  ) -> Register { g }
}

/// Those pass where x, normalised, is positive.
enum GradientsByInput: MaskedGradients {
  @inline(__always)
  static func pass(
    _ g: Register, x: Register, _ state: GradientSums, _ epilogue: Epilogue, offset: Int
  ) -> Register { g.replacing(with: 0, where: multiplyAdd(x, state.scale, state.shift) .<= 0) }
}

/// Those pass where what came out of the ReLU is positive.
enum GradientsByOutput: MaskedGradients {
  @inline(__always)
  static func pass(
    _ g: Register, x: Register, _ state: GradientSums, _ epilogue: Epilogue, offset: Int
  ) -> Register { g.replacing(with: 0, where: register(epilogue.output + offset) .<= 0) }
}

/// Normalises by given statistics, adds the residual and rectifies.
enum NormalizedLines: LineEpilogue {
  typealias State = (scale: Register, shift: Register, least: Register)

  @inline(__always)
  static func begin(_ epilogue: Epilogue, lane: Int) -> State {
    let constants = epilogue.constants + lane
    let least: Float = epilogue.mask == Rectification.relu ? 0 : -.infinity
    return (
      register(constants + NormConstants.scale), register(constants + NormConstants.shift),
      Register(repeating: least)
    )
  }

  @inline(__always)
  static func end(_ value: Register, _ epilogue: Epilogue, offset: Int, _ state: inout State) -> Register {
    var y = multiplyAdd(value, state.scale, state.shift)
    if let residual = epilogue.residual { y += register(residual + offset) }
    return larger(y, state.least)
  }

  @inline(__always)
  static func finish(_ state: State, _ epilogue: Epilogue, lane: Int) {}
}

/// The bias of the channels from `lane` on, or zero.
@inline(__always)
private func biasOf(_ epilogue: Epilogue, _ lane: Int) -> Register {
  epilogue.bias.map { register($0 + lane) } ?? Register()
}

/// `target += x`. Some lines are summed up in a register and then added to the others: so the sums of small
/// numbers stay among themselves, and less is rounded off.
@inline(__always)
private func add(_ x: Register, to target: Out) { setRegister(register(target) + x, target) }

/// Sets sums to zero, about the line `shift`.
@inline(__always)
func beginSums(_ sums: Out, shift: Line) {
  setLine(shift, sums)
  for offset in stride(from: 16, to: EpilogueSums.count, by: 16) { setLine(Line(), sums + offset) }
}
