/// What a sweep is to do next, as a function of its plan and rows.
///
/// It keeps nothing: after a crash, the same rows give the same decision. The caller carries a decision out
/// in one transaction and asks again when a row has changed.
package enum SweepState {
  /// What people have asked of a running sweep.
  package enum Request: String, Sendable, Equatable {
    case run, pause, cancel
  }

  /// Work to be queued.
  package enum Ask: Sendable, Equatable {
    /// A trial that was interrupted is run once more.
    case runAgain(trial: Int)
    /// A trial goes on from its checkpoint to a rung (from 0) that ends after so many epochs in all.
    case goOn(trial: Int, rung: Int, epochs: Int)
    /// A new trial; `epochs`: where its first rung ends, nil without successive halving.
    case start(trial: Int, configuration: Configuration, epochs: Int?)
  }

  /// Where a sweep stands.
  package enum Phase: Sendable, Equatable {
    case running, pausing, paused, cancelling
    /// A limit is reached: trials that have not ended are to end.
    case ending(Reason)
    case finished(Reason)
  }

  /// Why a sweep has ended.
  package enum Reason: String, Sendable, Equatable {
    case maxTrials = "max_trials"
    case exhausted = "space_exhausted"
    case maxFailed = "max_failed"
    case maxDuration = "max_duration"
    case cancelled

    /// Whether the sweep has done what it was asked to.
    package var isSuccess: Bool { self == .maxTrials || self == .exhausted || self == .maxDuration }

    /// The reason for people.
    package var phrase: String {
      switch self {
      case .maxTrials: "it has had all of its trials"
      case .exhausted: "every configuration of the space has had a trial"
      case .maxFailed: "more trials have failed than max_failed allows"
      case .maxDuration: "its max_duration_seconds are over"
      case .cancelled: "it was cancelled"
      }
    }
  }

  /// What is to be done now.
  package struct Decision: Sendable, Equatable {
    /// What to queue, the most urgent first.
    package var asks: [Ask] = []
    /// Trials that are stopped for good.
    package var stops: [SuccessiveHalving.Stop] = []
    package var phase: Phase

    package init(asks: [Ask] = [], stops: [SuccessiveHalving.Stop] = [], phase: Phase) {
      self.asks = asks
      self.stops = stops
      self.phase = phase
    }
  }

  /// Trials that are queued ahead where `maxConcurrent` sets no limit.
  package static let aheadMax = 1_000
  /// More are asked for when so many of them have ended: the rows are not searched with each end.
  package static let refillMin = 100

  /// What to do next. A finished sweep asks for nothing; with a larger `maxTrials` it goes on.
  ///
  /// - Parameters:
  ///   - isAtWork: whether a worker may be at work for some trial; nil: as long as a trial is unfinished.
  ///   - asksMax: trials that are asked for at once, ≥ 1; the next decision asks for what is left out.
  package static func decision(
    _ plan: SweepPlan, _ rows: [Trial], request: Request = .run, isOutOfTime: Bool = false,
    isAtWork: Bool? = nil, asksMax: Int = .max
  ) -> Decision {
    let unfinished = rows.count { $0.state == .unfinished }
    switch request {
    case .cancel: return Decision(phase: unfinished > 0 ? .cancelling : .finished(.cancelled))
    case .pause: return Decision(phase: isAtWork ?? (unfinished > 0) ? .pausing : .paused)
    case .run: break
    }
    let hasFailed = rows.count { $0.hasFailed } > plan.maxFailed
    if hasFailed || isOutOfTime {
      let reason: Reason = hasFailed ? .maxFailed : .maxDuration
      return Decision(phase: unfinished > 0 ? .ending(reason) : .finished(reason))
    }
    return next(plan, rows, unfinished: unfinished, asksMax: asksMax)
  }

  /// How many trials may be queued or running now.
  private static func capacity(_ plan: SweepPlan, unfinished: Int) -> Int {
    if let most = plan.maxConcurrent { return most }
    if plan.searcher.learns { return 1 }
    return unfinished > aheadMax - refillMin ? 0 : aheadMax
  }

  private static func next(
    _ plan: SweepPlan, _ rows: [Trial], unfinished: Int, asksMax: Int
  ) -> Decision {
    var decision = Decision(phase: .running)
    let free = min(asksMax, max(0, capacity(plan, unfinished: unfinished) - unfinished))
    decision.asks = rows.filter(\.isToRunAgain).map(\.number).sorted().map { .runAgain(trial: $0) }
    if let halving = plan.halving {
      let (promotions, stops) = halving.decisions(
        rows, mode: plan.mode, trialsMax: possibleTrials(plan, rows))
      decision.stops = stops
      decision.asks += promotions.map { .goOn(trial: $0.trial, rung: $0.rung, epochs: $0.epochs) }
    }
    let wanted = min(free - min(free, decision.asks.count), (plan.trialsMax ?? .max) - rows.count)
    let starts = newTrials(plan, rows, count: max(0, wanted))
    decision.asks = Array((decision.asks + starts).prefix(free))
    guard unfinished == 0, decision.asks.isEmpty, decision.stops.isEmpty else { return decision }
    let isExhausted = plan.space.size.map { rows.count >= $0 } ?? false
    let isDone = rows.count >= plan.maxTrials ?? .max
    return Decision(phase: .finished(isExhausted && !isDone ? .exhausted : .maxTrials))
  }

  /// How many trials the sweep can have in all.
  private static func possibleTrials(_ plan: SweepPlan, _ rows: [Trial]) -> Int? {
    plan.trialsMax.map { max($0, rows.count) }
  }

  private static func newTrials(_ plan: SweepPlan, _ rows: [Trial], count: Int) -> [Ask] {
    let first = (rows.map(\.number).max() ?? -1) + 1
    let configurations = plan.searcher.batch(
      plan.space, rows, mode: plan.mode, seed: plan.seed, first: first, count: count)
    return configurations.enumerated().map { offset, configuration in
      .start(trial: first + offset, configuration: configuration, epochs: plan.halving?.rungs[0])
    }
  }

  /// The trials that have shown how good they are, the best first: those that have trained longest before
  /// those that were stopped at an earlier rung.
  package static func ranking(_ rows: [Trial], mode: ObjectiveMode) -> [Trial] {
    let ranked = rows.compactMap { trial -> (trial: Trial, loss: Double)? in
      if case .succeeded(let value) = trial.state { return (trial, mode.loss(value)) }
      return trial.rungs.last.map { (trial, mode.loss($0)) }
    }.filter { $0.loss.isFinite }
    func height(_ trial: Trial) -> Int {
      if case .succeeded = trial.state { .max } else { trial.rungs.count }
    }
    return ranked.sorted { one, other in
      (-height(one.trial), one.loss, one.trial.number) < (
        -height(other.trial), other.loss, other.trial.number
      )
    }.map(\.trial)
  }
}
