import JSONText
import Platform
import Sweeps
import Testing

@Suite struct `The Parzen estimator` {
  @Test func `has the densities of Optuna's`() throws {
    let space = try Golden.space(hasCondition: false)
    for golden in try Golden.member("parzen").array ?? [] {
      let observed = (golden["observed"]?.array ?? []).map(Golden.configuration)
      let estimator = ParzenEstimator(space, observed)
      let expected = golden["logs"]?.doubles ?? []
      #expect(expected.count == 12)
      for (asked, log) in zip(golden["asked"]?.array ?? [], expected) {
        #expect(agree(estimator.logDensity(Golden.configuration(asked)), log, within: 1e-9))
      }
    }
  }

  @Test func `draws as often as its density says`() throws {
    let space = try SearchSpace([
      Parameter("/a", .choice(["x", "y"])), Parameter("/n", .int(low: 1, high: 4, step: 1)),
    ])
    let estimator = ParzenEstimator(
      space, [Configuration(["/a": "x", "/n": 2]), Configuration(["/a": "y", "/n": 4])])
    var random = SweepRandom(seed: 1, number: 0, purpose: .candidates)
    var counts: [Configuration: Int] = [:]
    for _ in 0..<20_000 { counts[estimator.draw(&random), default: 0] += 1 }
    let chances = (0..<8).map { space.configuration(at: $0) }.map {
      ($0, Mathematics.exponential(estimator.logDensity($0)))
    }
    #expect(agree(chances.reduce(0) { $0 + $1.1 }, 1, within: 1e-12))
    for (configuration, chance) in chances {
      #expect(abs(Double(counts[configuration] ?? 0) / 20_000 - chance) < 0.015)
    }
  }

  @Test func `takes only active parameters into account`() throws {
    let space = try Golden.space(hasCondition: true)
    let bare = Configuration(["/batch": 64, "/lr": 0.1, "/method": "a"])
    var full = bare
    full["/method"] = "b"
    full["/weight"] = 0
    let estimator = ParzenEstimator(space, [bare, full])
    #expect(estimator.logDensity(bare).isFinite)
    var random = SweepRandom(seed: 1, number: 0, purpose: .candidates)
    #expect((0..<200).allSatisfy { _ in space.contains(estimator.draw(&random)) })
  }

  @Test func `has logarithms of masses that no Double can hold`() throws {
    for row in try Golden.member("logarithms")["masses"]?.array?.map(\.doubles) ?? [] {
      #expect(agree(NormalDistribution.logMass(row[0], row[1]), row[2], within: 1e-10), "\(row)")
    }
  }

}
