import Recipe
import Testing

@testable import Training

@Suite("Learning rate schedule")
struct LearningRateScheduleTests {
  private func schedule(
    _ name: ScheduleSpecification.Name, warmup: Double, final: Double = 0, epochs: Int = 20,
    peak: Double = 0.4,
    maxSteps: Int = .max
  ) -> LearningRateSchedule {
    LearningRateSchedule(
      ScheduleSpecification(name: name, warmupEpochs: warmup, finalFactor: final), peak: peak,
      stepsPerEpoch: 10, stepsTotal: min(10 * epochs, maxSteps))
  }

  @Test func `constant is constant`() {
    let schedule = schedule(.constant, warmup: 0)
    for step in [0, 1, 100, 199, 500] { #expect(schedule.rate(step: step) == 0.4) }
  }

  @Test func `warm-up rises in a line from exactly 0 and arrives after its last step`() {
    let schedule = schedule(.constant, warmup: 2)
    #expect(schedule.rate(step: 0) == 0)
    #expect(abs(schedule.rate(step: 5) - 0.1) < 1e-15)
    #expect(schedule.rate(step: 20) == 0.4)
  }

  @Test func `cosine falls from the peak to its share one step after the last`() {
    let schedule = schedule(.cosine, warmup: 0, final: 0.001)
    #expect(schedule.rate(step: 0) == 0.4)
    #expect(abs(schedule.rate(step: 100) - (0.2 + 0.0002)) < 1e-12)
    #expect(abs(schedule.rate(step: 200) - 0.0004) < 1e-12)
  }

  @Test func `a run that max_steps shortens ends where a whole one of as many steps does`() {
    let cut = schedule(.cosine, warmup: 1, final: 0.001, epochs: 500, maxSteps: 50)
    let whole = schedule(.cosine, warmup: 1, final: 0.001, epochs: 5)
    #expect((0...50).map { cut.rate(step: $0) } == (0...50).map { whole.rate(step: $0) })
    #expect(cut.rate(step: 10) == 0.4)
    #expect(abs(cut.rate(step: 50) - 0.0004) < 1e-12)
  }

  @Test func `a warm-up longer than the run is cut to it`() {
    let schedule = schedule(.cosine, warmup: 10, epochs: 20, maxSteps: 8)
    #expect(schedule.rate(step: 0) == 0)
    #expect(abs(schedule.rate(step: 4) - 0.2) < 1e-15)
    #expect(schedule.rate(step: 8) == 0.4)
  }

  /// Values of facebookresearch/vicreg's `adjust_learning_rate` for epochs 20, len(loader) 10, base_lr 0.4 at
  /// batch 256, computed with Python's `math`.
  @Test(arguments: [
    (0, 0.0), (37, 0.148), (99, 0.396), (100, 0.4), (101, 0.39990141076107316), (150, 0.2002),
    (173, 0.0680698893083344), (199, 0.0004985892389268264),
  ])
  func `gives the rates of the paper's code`(step: Int, expected: Double) {
    let rate = schedule(.cosine, warmup: 10, final: 0.001).rate(step: step)
    #expect(abs(rate - expected) < 1e-12)
  }
}
