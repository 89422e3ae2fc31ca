import Platform

/// How fast a run gets on, smoothed over a minute.
///
/// The rate is the mean of steps per second in which a moment that lies `t` seconds back weighs `exp(−t/60)`,
/// from the beginning of the attempt on. Times are those of the worker's lines, so what is recorded late, or
/// by another daemon, counts as if it had been recorded at once.
package struct Pace: Sendable, Equatable {
  /// Weighted steps, and the seconds they took by the same weights.
  package var steps: Double
  package var seconds: Double
  /// The last step that was counted, and when its line was written, in Unix time.
  package var step: Int
  package var atMilliseconds: Int

  /// Seconds after which a moment's weight has fallen to 1/e.
  static let memorySeconds = 60.0

  /// An attempt begins after a step.
  package init(beginningAfter step: Int, atMilliseconds: Int) {
    self.init(steps: 0, seconds: 0, step: step, atMilliseconds: atMilliseconds)
  }

  init(steps: Double, seconds: Double, step: Int, atMilliseconds: Int) {
    self.steps = steps
    self.seconds = seconds
    self.step = step
    self.atMilliseconds = atMilliseconds
  }

  /// Counts the steps up to this one.
  ///
  /// - Returns: the steps that were new and the seconds they took; `nil` if nothing was counted: no time has
  ///   passed, or the clock was set back.
  package mutating func take(
    step newStep: Int, atMilliseconds time: Int
  ) -> (steps: Double, seconds: Double)? {
    let passed = Double(time - atMilliseconds) / 1000
    let newSteps = Double(newStep - step)
    if passed == 0 || newSteps == 0 { return nil }
    defer { (step, atMilliseconds) = (newStep, time) }
    guard passed > 0, newSteps > 0 else { return nil }
    let decay = Mathematics.exponential(-passed / Self.memorySeconds)
    let weight = Self.memorySeconds * (1 - decay)
    steps = steps * decay + newSteps / passed * weight
    seconds = seconds * decay + weight
    return (newSteps, passed)
  }

  /// `nil`: nothing has been counted yet.
  package var stepsPerSecond: Double? { seconds > 0 && steps > 0 ? steps / seconds : nil }

  /// When the last of so many steps will be done, in Unix time; `nil`: it cannot be told.
  package func finishMilliseconds(steps total: Int) -> Int? {
    guard let stepsPerSecond else { return nil }
    let milliseconds = Double(max(0, total - step)) / stepsPerSecond * 1000
    return Int(exactly: (Double(atMilliseconds) + milliseconds).rounded())
  }
}
