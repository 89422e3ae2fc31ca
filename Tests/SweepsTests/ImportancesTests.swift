import JSONText
import Sweeps
import Testing

@Suite struct `Importances of parameters` {
  @Test func `are those of Optuna's PED-ANOVA`() throws {
    let space = try Golden.space(hasCondition: true)
    for golden in try Golden.member("importances").array ?? [] {
      let rows = golden["rows"]?.array ?? []
      let trials = rows.enumerated().map { index, row in
        Trial(
          number: index, configuration: Golden.configuration(row["parameters"] ?? .null),
          state: .succeeded(row["value"]?.double ?? 0))
      }
      let shares = Importances(space, Observations(trials, mode: .min)).shares
      #expect(shares.count == 4)
      for share in shares {
        let expected = golden["importances"]?[share.pointer]?.double ?? -1
        #expect(abs(share.value - expected) < 1e-6, "\(share.pointer)")
      }
      #expect(shares.map(\.value) == shares.map(\.value).sorted(by: >))
    }
  }

  @Test func `add up to one, and are even where nothing is known`() throws {
    let space = try Golden.space(hasCondition: false)
    let same = (0..<10).map { number in
      Trial(
        number: number, configuration: space.configuration(atUnits: [0.5, 0.5, 0.5, 0.5]),
        state: .succeeded(1))
    }
    let shares = Importances(space, Observations(same, mode: .min)).shares
    #expect(agree(shares.reduce(0) { $0 + $1.value }, 1, within: 1e-12))
    #expect(Importances(space, Observations([], mode: .min)).shares.isEmpty)
  }
}
