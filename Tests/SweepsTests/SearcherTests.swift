import Platform
import Sweeps
import Testing
import Text

@Suite struct `Searchers` {
  /// 4 · 3 · 5 configurations, or with continuous ones.
  static func space(continuous: Bool = false) throws -> SearchSpace {
    let rate = Parameter("/rate", .logUniform(low: 1e-4, high: 1), if: [Condition("/kind", in: ["a", "b"])])
    return try SearchSpace(
      [
        Parameter("/kind", .choice(["a", "b", "c", "d"])),
        Parameter("/depth", .int(low: 1, high: 3, step: 1)),
        Parameter("/width", .int(low: 16, high: 80, step: 16)),
      ] + (continuous ? [rate, Parameter("/weight", .uniform(low: -1, high: 1))] : []))
  }

  /// A loss that depends on the configuration.
  static func loss(_ configuration: Configuration) -> Double {
    let rate = configuration["/rate"]?.double ?? 0.01
    let kind = configuration["/kind"] == "b" ? 0.0 : 1
    let depth = (configuration["/depth"]?.double ?? 0) - 2
    let width = (configuration["/width"]?.double ?? 0) / 32 - 1
    let weight = configuration["/weight"]?.double ?? 0
    let power = Mathematics.logarithm(rate) + 5
    return kind + depth * depth + width * width + weight * weight + power * power / 10
  }

  /// Runs a searcher for some trials, one at a time.
  static func run(
    _ searcher: Searcher, _ space: SearchSpace, seed: UInt64, trials count: Int,
    state: (Int, Double) -> Trial.State = { .succeeded($1) }
  ) -> [Trial] {
    var trials: [Trial] = []
    for number in 0..<count {
      let next = searcher.next(space, trials, mode: .min, seed: seed, number: number)
      guard let next else { break }
      trials.append(Trial(number: number, configuration: next, state: state(number, loss(next))))
    }
    return trials
  }

  @Test(arguments: Searcher.allCases)
  func `never ask for a configuration of a discrete space twice, and end with the last`(searcher: Searcher)
    throws
  {
    let trials = Self.run(searcher, try Self.space(), seed: 5, trials: 100)
    #expect(trials.count == 60)
    #expect(Set(trials.map(\.configuration.key)).count == 60)
  }

  @Test(arguments: [Searcher.random, .sobol, .tpe, .gp])
  func `ask for the same whatever the order of the rows and whenever they are asked`(searcher: Searcher)
    throws
  {
    let space = try Self.space(continuous: true)
    let trials = Self.run(searcher, space, seed: 2, trials: 25)
    var random = SweepRandom(seed: 1, number: 1, purpose: .candidates)
    for number in [0, 5, 12, 24] {
      let rows = Array(trials.prefix(number)).shuffled(using: &random)
      let again = searcher.next(space, rows, mode: .min, seed: 2, number: number)
      #expect(again?.key == trials[number].configuration.key)
    }
    #expect(trials.allSatisfy { space.contains($0.configuration) })
    #expect(Self.run(searcher, space, seed: 3, trials: 3) != Array(trials.prefix(3)))
  }

  @Test(arguments: [Searcher.tpe, .gp])
  func `find better configurations than random ones`(searcher: Searcher) throws {
    let space = try Self.space(continuous: true)
    func best(_ searcher: Searcher, _ seed: UInt64) -> Double {
      Self.run(searcher, space, seed: seed, trials: 40).map { Self.loss($0.configuration) }.min() ?? 0
    }
    let wins = (0..<8).count { best(searcher, UInt64($0)) < best(.random, UInt64($0)) }
    #expect(wins >= 6)
  }

  @Test(arguments: [Searcher.tpe, .gp])
  func `diverge less often than random ones, once they have seen it`(searcher: Searcher) throws {
    let space = try Self.space(continuous: true)
    func diverged(_ searcher: Searcher) -> Int {
      (0..<4 as Range<UInt64>).reduce(0) { total, seed in
        let trials = Self.run(searcher, space, seed: seed, trials: 40) { $1 > 3 ? .diverged : .succeeded($1) }
        return total + trials.dropFirst(10).count { $0.state == .diverged }
      }
    }
    #expect(2 * diverged(searcher) < 3 * diverged(.random) / 2)
  }

  @Test(arguments: [Searcher.tpe, .gp])
  func `are not changed by trials that have failed`(searcher: Searcher) throws {
    let space = try Self.space(continuous: true)
    let trials = Self.run(searcher, space, seed: 6, trials: 20)
    let stranger = Configuration(["/kind": "c", "/depth": 2, "/width": 48, "/weight": 0.123])
    let next = searcher.next(space, trials, mode: .min, seed: 6, number: 30)
    for state in [Trial.State.failed, .cancelled, .interrupted] {
      let failed = Trial(
        number: 20, configuration: stranger, state: state, interruptions: Trial.interruptionsMax)
      #expect(searcher.next(space, trials + [failed], mode: .min, seed: 6, number: 30) == next)
    }
  }

  @Test(arguments: [Searcher.tpe, .gp])
  func `choose different configurations side by side`(searcher: Searcher) throws {
    let space = try Self.space(continuous: true)
    let trials = Self.run(searcher, space, seed: 7, trials: 20)
    let batch = searcher.batch(space, trials, mode: .min, seed: 7, first: 20, count: 8)
    #expect(Set(batch.map(\.key)).count == 8)
    // Asked for one after the other, with those before still running, they are the same.
    var rows = trials
    for (offset, expected) in batch.enumerated() {
      let next = searcher.next(space, rows, mode: .min, seed: 7, number: 20 + offset)
      #expect(next == expected)
      rows.append(Trial(number: 20 + offset, configuration: expected))
    }
  }

  @Test(arguments: [Searcher.tpe, .gp])
  func `maximise as they minimise the negative`(searcher: Searcher) throws {
    let space = try Self.space(continuous: true)
    let trials = Self.run(searcher, space, seed: 8, trials: 20)
    let negated = Self.run(searcher, space, seed: 8, trials: 20).map { trial in
      var trial = trial
      if case .succeeded(let value) = trial.state { trial.state = .succeeded(-value) }
      return trial
    }
    let next = searcher.next(space, trials, mode: .min, seed: 8, number: 20)
    #expect(searcher.next(space, negated, mode: .max, seed: 8, number: 20) == next)
  }

  @Test func `refuse spaces and budgets that are beyond them`() throws {
    let endless = try Self.space(continuous: true)
    #expect(
      Searcher.grid.problems(in: endless, maxTrials: 10) == [
        SpaceProblem(["/rate"], "has infinitely many values; grid needs choice or int"),
        SpaceProblem(["/weight"], "has infinitely many values; grid needs choice or int"),
      ])
    let wide = try SearchSpace([
      Parameter("/a", .int(low: 1, high: 101, step: 1)), Parameter("/b", .int(low: 1, high: 100, step: 1)),
    ])
    #expect(
      Searcher.grid.problems(in: wide, maxTrials: nil)
        == [SpaceProblem([], "has 10100 configurations; grid takes at most 10000")])
    #expect(Searcher.gp.problems(in: endless, maxTrials: 301).count == 1)
    #expect(Searcher.gp.problems(in: endless, maxTrials: 300).isEmpty)
  }

  @Test func `queue a thousand random trials at once in a moment`() throws {
    let space = try Self.space(continuous: true)
    let clock = ContinuousClock()
    let taken = clock.measure {
      let batch = Searcher.sobol.batch(space, [], mode: .min, seed: 0, first: 0, count: 1_000)
      #expect(batch.count == 1_000)
    }
    #expect(taken < .seconds(2))
  }
}
