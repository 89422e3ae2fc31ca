import JobModel
import Recipe
import Testing

@testable import JobStore

/// Issue 19: when the jobs of the queue will begin.
@Suite struct `Forecasts of the queue` {
  private func waiting(_ seconds: Double?..., notBefore: Int = 0) -> [QueueForecast.Waiting] {
    seconds.enumerated().map { index, seconds in
      QueueForecast.Waiting(
        sequence: index + 1, notBefore: notBefore, milliseconds: seconds.map { $0 * 1000 })
    }
  }

  private func starts(
    _ queue: [QueueForecast.Waiting], busy: [Int?] = [], workers: Int = 1
  ) -> [Int: Int] {
    QueueForecast.starts(of: queue, busy: busy, workers: workers, now: 1_000)
  }

  @Test func `one worker takes one job after the other`() {
    #expect(starts(waiting(10, 5, 1)) == [1: 1_000, 2: 11_000, 3: 16_000])
    #expect(starts(waiting(10, 5), busy: [4_000]) == [1: 4_000, 2: 14_000])
    #expect(starts([]).isEmpty)
  }

  @Test func `each job takes the worker that is free first`() {
    #expect(
      starts(waiting(10, 2, 3, 9), workers: 2) == [1: 1_000, 2: 1_000, 3: 3_000, 4: 6_000])
    #expect(starts(waiting(1, 1), busy: [9_000], workers: 2) == [1: 1_000, 2: 2_000])
  }

  @Test func `what is not known ends what can be told, unless another worker goes on`() {
    #expect(starts(waiting(10, nil, 5)) == [1: 1_000, 2: 11_000])
    #expect(starts(waiting(10), busy: [nil]).isEmpty)
    #expect(starts(waiting(nil, 5, 5), workers: 2) == [1: 1_000, 2: 1_000, 3: 6_000])
  }

  @Test func `a worker that should have ended is about to, and one too many makes no room`() {
    #expect(starts(waiting(1), busy: [10]) == [1: 1_000])
    #expect(starts(waiting(1), busy: [2_000, 5_000]) == [1: 5_000])
  }

  @Test func `a job that may not be tried yet begins when it may`() {
    #expect(starts(waiting(1, 1, notBefore: 7_000)) == [1: 7_000, 2: 8_000])
  }

  @Test func `a store's queue has no forecast where nothing was measured`() throws {
    let fixture = try StoreFixture()
    let (first, second) = (try fixture.train(priority: 40), try fixture.train(priority: 60))
    let now = fixture.now.read()
    let forecast = try fixture.store.forecast(at: now)
    // A worker is free for it: it begins at once.
    #expect(forecast.start(of: second) == nil && forecast.start(of: first) == nil)
    _ = try fixture.claim()
    #expect(try fixture.store.forecast(at: now + 2_000).start(of: first) == nil)
  }
}
