import Sweeps
import Testing
import Text

@Suite struct `The state of a sweep` {
  private func plan(
    _ searcher: Searcher = .random, trials: Int? = 10, concurrent: Int? = 3,
    halving: SuccessiveHalving? = nil,
    failed: Int = 2
  ) throws -> SweepPlan {
    SweepPlan(
      space: try SearcherTestsSpace.make(), searcher: searcher, seed: 9, halving: halving, maxTrials: trials,
      maxConcurrent: concurrent, maxFailed: failed)
  }

  private func rows(_ decision: SweepState.Decision) -> [Trial] {
    decision.asks.compactMap { ask in
      guard case .start(let number, let configuration, _) = ask else { return nil }
      return Trial(number: number, configuration: configuration)
    }
  }

  @Test func `asks for as many trials as may run at a time`() throws {
    let plan = try plan()
    let first = SweepState.decision(plan, [])
    #expect(first.asks.count == 3)
    var trials = rows(first)
    #expect(SweepState.decision(plan, trials) == .init(phase: .running))
    trials[1].state = .succeeded(1)
    let second = SweepState.decision(plan, trials)
    #expect(rows(second).map(\.number) == [3])
  }

  @Test func `lets a searcher that learns run one trial at a time unless told`() throws {
    #expect(SweepState.decision(try plan(.tpe, concurrent: nil), []).asks.count == 1)
    #expect(SweepState.decision(try plan(.sobol, concurrent: nil), []).asks.count == 10)
  }

  @Test func `runs an interrupted trial once more, before new ones`() throws {
    let plan = try plan()
    var trials = rows(SweepState.decision(plan, []))
    trials[2].state = .interrupted
    trials[2].interruptions = 1
    #expect(SweepState.decision(plan, trials).asks == [.runAgain(trial: 2)])
    trials[2].interruptions = 2
    #expect(rows(SweepState.decision(plan, trials)).map(\.number) == [3])
  }

  @Test func `ends when too many trials have failed, after those that run`() throws {
    let plan = try plan(failed: 1)
    var trials = rows(SweepState.decision(plan, []))
    trials[0].state = .failed
    #expect(SweepState.decision(plan, trials).asks.count == 1)
    trials[1].state = .failed
    #expect(SweepState.decision(plan, trials) == .init(phase: .ending(.maxFailed)))
    trials[2].state = .succeeded(1)
    #expect(SweepState.decision(plan, trials) == .init(phase: .finished(.maxFailed)))
  }

  @Test func `ends at its budget, and goes on when it is extended`() throws {
    var plan = try plan(trials: 3)
    var trials = rows(SweepState.decision(plan, []))
    for index in trials.indices { trials[index].state = .succeeded(Double(index)) }
    #expect(SweepState.decision(plan, trials) == .init(phase: .finished(.maxTrials)))
    plan.maxTrials = 5
    #expect(rows(SweepState.decision(plan, trials)).map(\.number) == [3, 4])
  }

  @Test func `ends with the last configuration of its space`() throws {
    let plan = try plan(.grid, trials: nil, concurrent: nil)
    var trials = rows(SweepState.decision(plan, []))
    #expect(trials.count == 60)
    for index in trials.indices { trials[index].state = .succeeded(1) }
    #expect(SweepState.decision(plan, trials) == .init(phase: .finished(.exhausted)))
  }

  @Test func `asks for nothing while it is paused or cancelled`() throws {
    let plan = try plan()
    var trials = rows(SweepState.decision(plan, []))
    #expect(SweepState.decision(plan, trials, request: .pause) == .init(phase: .pausing))
    #expect(SweepState.decision(plan, trials, request: .cancel) == .init(phase: .cancelling))
    for index in trials.indices { trials[index].state = .succeeded(1) }
    #expect(SweepState.decision(plan, trials, request: .pause) == .init(phase: .paused))
    #expect(SweepState.decision(plan, trials, request: .cancel) == .init(phase: .finished(.cancelled)))
    #expect(SweepState.decision(plan, trials, isOutOfTime: true) == .init(phase: .finished(.maxDuration)))
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `keeps its promises in a simulation with halving, failures and crashes`(seed: UInt64) throws {
    let halving = try SuccessiveHalving(reductionFactor: 3, minEpochs: 1, maxEpochs: 9)
    let searcher: Searcher = [.random, .sobol, .tpe, .grid][Int(seed % 4)]
    var plan = try plan(
      searcher, trials: 20, concurrent: 4, halving: seed % 3 == 0 ? nil : halving, failed: 30)
    var world = SweepSimulation(seed: seed)
    var steps = 0
    while true {
      let decision = SweepState.decision(plan, world.rows)
      // The same rows in another order ask for the same.
      #expect(SweepState.decision(plan, world.rows.shuffled(using: &world.random)) == decision)
      if case .finished = decision.phase {
        if plan.maxTrials == 30 { break }
        plan.maxTrials = 30
        continue
      }
      world.obey(decision)
      #expect(world.rows.count { $0.state == .unfinished } <= 4)
      #expect(world.rows.count <= plan.maxTrials ?? 0)
      world.advance(rungs: plan.halving?.rungs.count ?? 0)
      steps += 1
      guard steps < 2_000 else {
        Issue.record("the sweep does not end")
        return
      }
    }
    #expect(Set(world.rows.map(\.configuration.key)).count == world.rows.count)
    #expect(world.rows.allSatisfy { $0.state != .resting && $0.state != .unfinished && !$0.isToRunAgain })
    if plan.halving != nil {
      #expect(world.rows.contains { $0.rungs.count == 3 })
    }
  }
}

/// The discrete space of the searchers' tests.
enum SearcherTestsSpace {
  static func make() throws -> SearchSpace { try `Searchers`.space() }
}

/// Carries out what a sweep asks for, with results, failures and interruptions at random.
struct SweepSimulation {
  private(set) var rows: [Trial] = []
  var random: SweepRandom

  init(seed: UInt64) { random = SweepRandom(seed: seed, number: 77, purpose: .starts) }

  /// Queues what a decision asks for.
  mutating func obey(_ decision: SweepState.Decision) {
    for stop in decision.stops { rows[stop.trial].state = .stopped }
    for ask in decision.asks {
      switch ask {
      case .runAgain(let trial), .goOn(let trial, _, _): rows[trial].state = .unfinished
      case .start(let trial, let configuration, _):
        #expect(trial == rows.count)
        rows.append(Trial(number: trial, configuration: configuration))
      }
    }
  }

  /// Ends one of the trials that are running.
  mutating func advance(rungs: Int) {
    let running = rows.indices.filter { rows[$0].state == .unfinished }
    guard let index = running.randomElement(using: &random) else { return }
    switch random.below(12) {
    case 0: rows[index].state = .diverged
    case 1: rows[index].state = .failed
    case 2, 3:
      rows[index].state = .interrupted
      rows[index].interruptions += 1
    default:
      let value = `Searchers`.loss(rows[index].configuration) + random.uniform()
      guard rungs > 0 else {
        rows[index].state = .succeeded(value)
        return
      }
      rows[index].rungs.append(value)
      rows[index].state = rows[index].rungs.count == rungs ? .succeeded(value) : .resting
    }
  }
}
