/// What searchers learn from a sweep's rows: a loss for each trial that has shown how good it is, the smaller
/// the better, and the configurations of those that have not yet.
///
/// Failed and cancelled trials are in neither list: they say nothing of their configuration.
package struct Observations: Sendable {
  /// Trials with a loss, in the order of their numbers.
  package private(set) var known: [Observation] = []
  /// Trials without one so far, in the order of their numbers.
  package private(set) var running: [Configuration] = []

  /// One trial that has a loss.
  package struct Observation: Sendable, Equatable {
    package var configuration: Configuration
    /// `+∞`: diverged.
    package var loss: Double

    package init(configuration: Configuration, loss: Double) {
      self.configuration = configuration
      self.loss = loss
    }
  }

  /// Reads the rows, in any order.
  package init(_ trials: [Trial], mode: ObjectiveMode) {
    let ladder = RungLadder(trials.map { $0.rungs.map(mode.loss) })
    for trial in trials.sorted(by: { $0.number < $1.number }) {
      let reached = trial.rungs.isEmpty ? nil : ladder.score(trial.rungs.map(mode.loss))
      let loss: Double?
      switch trial.state {
      case .succeeded(let value): loss = reached ?? mode.loss(value)
      case .diverged: loss = .infinity
      case .stopped, .resting: loss = reached
      case .unfinished, .interrupted:
        if trial.hasFailed { continue }
        // What a promoted trial has shown so far is kept until it shows more.
        loss = reached
        if loss == nil { running.append(trial.configuration) }
      case .failed, .cancelled: loss = nil
      }
      if let loss { known.append(Observation(configuration: trial.configuration, loss: loss)) }
    }
  }

  /// Adds a trial that has just been asked for.
  mutating func addRunning(_ configuration: Configuration) { running.append(configuration) }

  /// The losses, with the worst of the finite ones for diverged trials: for models that cannot take infinity.
  package var finiteLosses: [Double] {
    let worst = known.lazy.map(\.loss).filter(\.isFinite).max() ?? 0
    return known.map { $0.loss.isFinite ? $0.loss : worst }
  }
}
