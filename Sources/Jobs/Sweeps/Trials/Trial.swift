import Text

/// A row of a sweep, as far as searchers need it.
package struct Trial: Sendable, Equatable {
  /// From 0, in the order in which trials were asked for.
  package var number: Int
  package var configuration: Configuration
  package var state: State
  /// How often its work has ended without a result for a reason that may pass.
  package var interruptions: Int
  /// What it has reported at each rung of successive halving that it has reached, in order.
  package var rungs: [Double]

  /// What has become of a trial.
  package enum State: Sendable, Equatable {
    /// Queued or running.
    case unfinished
    /// Has reported at a rung; whether it goes on is not decided.
    case resting
    /// Has reported its objective.
    case succeeded(Double)
    /// The loss is no longer a number: worse than all others.
    case diverged
    /// Was stopped by successive halving at its last rung.
    case stopped
    /// Ended without a result for a reason that may pass, or died.
    case interrupted
    /// Ended without a result for good.
    case failed
    /// Cancelled by a person.
    case cancelled
  }

  /// A trial that has been interrupted this often has failed.
  package static let interruptionsMax = 2

  package init(
    number: Int, configuration: Configuration, state: State = .unfinished, interruptions: Int = 0,
    rungs: [Double] = []
  ) {
    self.number = number
    self.configuration = configuration
    self.state = state
    self.interruptions = interruptions
    self.rungs = rungs
  }

  /// Whether it is to be run once more.
  package var isToRunAgain: Bool { state == .interrupted && interruptions < Self.interruptionsMax }

  /// Whether it has ended without a result, for good.
  package var hasFailed: Bool { state == .failed || state == .interrupted && !isToRunAgain }
}

/// Which values of the objective are better.
package enum ObjectiveMode: String, Sendable, Equatable, CaseIterable {
  case min
  case max

  /// A value, or its negative: the smaller, the better. NaN, which is worse than all others, as `+∞`.
  package func loss(_ value: Double) -> Double {
    if value.isNaN { return .infinity }
    return self == .min ? value : -value
  }
}
