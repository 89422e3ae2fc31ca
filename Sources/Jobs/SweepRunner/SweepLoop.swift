import JSONText
import JobStore
import Logging
import Recipe
import Sweeps

/// Looks at the sweeps that something has changed for, and has each ask for its next trials, stop, rest or
/// end.
///
/// It keeps nothing of them: what a sweep does next follows from its rows, and is done in one transaction. A
/// daemon that dies at any moment is followed by one that decides the same.
package struct SweepLoop: Sendable {
  private let store: JobStore
  private let source: any TrialSource
  private let log = Log("sweeps")

  /// Trials that are asked for in one transaction: others want to write too.
  private static let asksMax = 100

  package init(store: JobStore, source: any TrialSource) {
    self.store = store
    self.source = source
  }

  /// What came of a look.
  package struct Outcome: Sendable {
    /// Whether jobs were queued.
    package var hasQueued = false
    /// Whether there is more to look at.
    package var isMore = false
    /// Why some sweep could not go on; nil: all have.
    package var failure: (any Error)?
  }

  /// Looks at each sweep once.
  package func turn() -> Outcome {
    var outcome = Outcome()
    do {
      for id in try store.sweepsToLookAt() {
        do {
          let (hasQueued, isPartial) = try advance(id)
          outcome.hasQueued = outcome.hasQueued || hasQueued
          outcome.isMore = outcome.isMore || isPartial
        } catch {
          // One that cannot go on now does not hold up the others.
          outcome.failure = error
        }
      }
    } catch {
      outcome.failure = error
    }
    return outcome
  }

  private func advance(_ id: JobID) throws -> (hasQueued: Bool, isPartial: Bool) {
    guard let standing = try store.standing(ofSweep: id) else { return (false, false) }
    let decision = try standing.decision(asksMax: Self.asksMax, now: store.clock())
    var step = SweepStep(decision)
    step.isPartial = decision.asks.count >= Self.asksMax
    let specification = try standing.record.specification().specification
    for (index, ask) in decision.asks.enumerated() {
      guard let order = order(ask, standing, specification) else { continue }
      do {
        step.work[index] = .jobs(try source.jobs(for: order))
      } catch let problems as SpecificationProblems {
        step.work[index] = .refused("\(problems)")
      }
    }
    while true {
      do {
        let isDone = try store.apply(step, to: standing)
        if case .finished(let reason) = decision.phase, isDone {
          log.info("sweep \(id): it ends: \(reason.phrase)")
        }
        return (isDone && !decision.asks.isEmpty, step.isPartial || !isDone)
      } catch let refusal as TrialRefusal {
        let index = decision.asks.firstIndex { $0.trial == refusal.trial }
        guard let index else { throw refusal }
        step.work[index] = .refused(refusal.message)
      }
    }
  }

  /// What an ask needs jobs for; nil: it has them.
  private func order(
    _ ask: SweepState.Ask, _ standing: SweepStanding, _ specification: SweepSpecification
  ) -> TrialOrder? {
    let record = standing.record
    func new(_ trial: Int, _ configuration: Configuration, _ epochs: Int?) -> TrialOrder {
      TrialOrder(
        sweep: record.id, name: record.labelling.name?.string, priority: record.labelling.priority,
        specification: specification, trial: trial, configuration: configuration, epochs: epochs)
    }
    switch ask {
    case .runAgain: return nil
    case .start(let trial, let configuration, let epochs): return new(trial, configuration, epochs)
    case .goOn(let trial, let rung, let epochs):
      guard let row = standing.trials.first(where: { $0.number == trial }) else { return nil }
      var result = new(trial, row.configuration, epochs)
      result.rung = rung
      let jobs = standing.jobs.filter { $0.trial == trial && $0.rung == row.rung && $0.kind == .train }
      result.previous = jobs.sorted { $0.seed < $1.seed }.map(\.id)
      return result
    }
  }
}

extension SweepState.Ask {
  /// Which trial it is about.
  var trial: Int {
    switch self {
    case .runAgain(let trial), .goOn(let trial, _, _), .start(let trial, _, _): trial
    }
  }
}
