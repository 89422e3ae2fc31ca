import Sweeps
import Testing
import Text

@Suite struct `Successive halving` {
  private func halving(_ min: Int = 1, _ max: Int = 9) throws -> SuccessiveHalving {
    try SuccessiveHalving(reductionFactor: 3, minEpochs: min, maxEpochs: max)
  }

  private func trial(_ number: Int, _ rungs: [Double], _ state: Trial.State = .resting) -> Trial {
    Trial(number: number, configuration: Configuration(["/x": .integer(number)]), state: state, rungs: rungs)
  }

  @Test func `has rungs from the least to the most epochs`() throws {
    #expect(try halving(1, 9).rungs == [1, 3, 9])
    #expect(try halving(2, 20).rungs == [2, 6, 18, 20])
    #expect(try halving(4, 4).rungs == [4])
  }

  @Test func `refuses to begin above its end`() {
    #expect(throws: InvalidSpace.self) {
      try SuccessiveHalving(reductionFactor: 3, minEpochs: 10, maxEpochs: 9)
    }
    #expect(throws: InvalidSpace.self) {
      try SuccessiveHalving(reductionFactor: 1, minEpochs: 1, maxEpochs: 9)
    }
  }

  @Test func `sends the best third on as soon as there are three`() throws {
    let halving = try halving()
    let two = [trial(0, [5]), trial(1, [3])]
    #expect(halving.decisions(two, mode: .min, trialsMax: 9).promotions.isEmpty)
    let three = two + [trial(2, [4])]
    #expect(
      halving.decisions(three, mode: .min, trialsMax: 9).promotions == [.init(trial: 1, rung: 1, epochs: 3)])
    #expect(
      halving.decisions(three, mode: .max, trialsMax: 9).promotions == [.init(trial: 0, rung: 1, epochs: 3)])
  }

  @Test func `stops those that can no longer be among the best, and says why`() throws {
    // Of at most 6 trials 2 go on; the third best of 4 may not, whatever the last two show.
    let rows = [trial(0, [5]), trial(1, [3]), trial(2, [4]), trial(3, [6])]
    let stops = try halving().decisions(rows, mode: .min, trialsMax: 6).stops
    #expect(stops.map(\.trial) == [0, 3])
    #expect(
      stops.first?.message == "stopped at rung 0 after 1 epoch: place 3 of 4; at most 2 go on")
  }

  @Test func `sends the highest rung on first`() throws {
    let rows = [
      trial(0, [1, 1]), trial(1, [2, 2]), trial(2, [3, 3]), trial(3, [4]), trial(4, [5]), trial(5, [6]),
      trial(6, [0.5]), trial(7, [7]), trial(8, [8]), trial(9, [9]), trial(10, [9]), trial(11, [9]),
    ]
    let promotions = try halving().decisions(rows, mode: .min, trialsMax: nil).promotions
    #expect(promotions == [.init(trial: 0, rung: 2, epochs: 9), .init(trial: 6, rung: 1, epochs: 3)])
  }

  @Test func `counts a diverged trial as the worst, and a failed one not at all`() throws {
    let rows = [trial(0, [5]), trial(1, [], .diverged), trial(2, [], .diverged), trial(3, [], .failed)]
    let promotions = try halving().decisions(rows, mode: .min, trialsMax: 9).promotions
    #expect(promotions == [.init(trial: 0, rung: 1, epochs: 3)])
    #expect(try halving().decisions(Array(rows.dropFirst()), mode: .min, trialsMax: 9).promotions.isEmpty)
  }

  @Test func `always lets one trial train to the end`() throws {
    let rows = [trial(0, [5]), trial(1, [4])]
    let (promotions, stops) = try halving().decisions(rows, mode: .min, trialsMax: 2)
    #expect(promotions == [.init(trial: 1, rung: 1, epochs: 3)])
    #expect(stops.map(\.trial) == [0])
  }
}
