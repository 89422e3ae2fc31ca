import KernelsABI

/// Writes the channels of a line from `lane` on, as many as a register holds; the last ones come last.
///
/// A streamed line goes to memory without being read into the caches first. That pays only for whole lines:
/// the first parts wait at `waitingAt` for the last.
@inline(__always)
func setPart(_ value: Register, lane: Int, of line: Out, waitingAt place: Out, isStreamed: Bool) {
  guard isStreamed else {
    setRegister(value, line + lane)
    return
  }
  let lanes = Register.scalarCount
  guard lane + lanes == 16 else {
    setRegister(value, place + lane)
    return
  }
  for first in stride(from: 0, to: lane, by: lanes) {
    streamRegister(register(place + first), line + first)
  }
  streamRegister(value, line + lane)
}
