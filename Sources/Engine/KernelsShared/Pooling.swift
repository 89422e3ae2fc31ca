import KernelsABI

/// The largest value of each window of one map of lines, each lane its own; `target` has a line for each
/// window.
///
/// With `constants`, as `NormConstants` says, values are normalised and rectified first. A NaN counts as
/// larger than every number, as in PyTorch.
func maxPoolMap(_ grid: PoolGrid, constants: In?, map: In, target: Out) {
  for y in 0..<grid.rows {
    for x in 0..<grid.columns {
      let to = target + (y * grid.columns + x) * 16
      for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
        setRegister(
          findLargest(grid, y, x, constants.map { $0 + lane }, map + lane).value, to + lane)
      }
    }
  }
}

/// The gradient of `maxPoolMap`'s map from `gradient`, that of its target: each window's gradient goes to its
/// first largest value in scan order. Without the ReLU and the normalisation, which `constants` only serve to
/// repeat.
func maxPoolMapGradient(_ grid: PoolGrid, constants: In?, map: In, gradient: In, target: Out) {
  for i in 0..<grid.mapRows * grid.mapColumns { setLine(Line(), target + i * 16) }
  for y in 0..<grid.rows {
    for x in 0..<grid.columns {
      let from = gradient + (y * grid.columns + x) * 16
      for lane in stride(from: 0, to: 16, by: Register.scalarCount) {
        let position = findLargest(grid, y, x, constants.map { $0 + lane }, map + lane).position
        let value = register(from + lane)
        eachPixel(grid, y, x) { tap, offset in
          let share = Register().replacing(with: value, where: position .== Register(repeating: tap))
          setRegister(register(target + offset + lane) + share, target + offset + lane)
        }
      }
    }
  }
}

/// The largest value of a window for the channels of a register, and which of the window's pixels has it
/// first.
@inline(__always)
private func findLargest(
  _ grid: PoolGrid, _ y: Int, _ x: Int, _ constants: In?, _ map: In
) -> (value: Register, position: Register) {
  var largest = Register(repeating: -.infinity)
  var position = Register(repeating: -1)
  eachPixel(grid, y, x) { tap, offset in
    var value = register(map + offset)
    if let constants {
      value = relu(
        multiplyAdd(
          value, register(constants + NormConstants.scale), register(constants + NormConstants.shift)))
    }
    // The first pixel is taken whatever it is, a NaN always.
    let isLarger = (value .> largest) .| (value .!= value) .| (position .< Register())
    largest = largest.replacing(with: value, where: isLarger)
    position = position.replacing(with: Register(repeating: tap), where: isLarger)
  }
  return (largest, position)
}

/// Calls `body` for each pixel of window (y, x) that lies inside the map: its number in the window, and where
/// it lies in the map.
@inline(__always)
private func eachPixel(_ grid: PoolGrid, _ y: Int, _ x: Int, _ body: (_ tap: Float, _ offset: Int) -> Void) {
  let top = y * grid.stride - grid.padding
  let left = x * grid.stride - grid.padding
  let columns = max(0, -left)..<min(grid.kernel, grid.mapColumns - left)
  for row in max(0, -top)..<min(grid.kernel, grid.mapRows - top) {
    for column in columns {
      body(
        Float(row * grid.kernel + column), ((top + row) * grid.mapColumns + left + column) * 16)
    }
  }
}
