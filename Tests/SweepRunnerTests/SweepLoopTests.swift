import JSONText
import JobModel
import JobStore
import Recipe
import Sweeps
import Testing
import Text

@Suite struct `Sweeps go on by their rows` {
  private let fixture: SweepFixture

  init() throws { fixture = try SweepFixture() }

  private static func rates(_ rest: String) -> String {
    #"{"space": {"/optimizer/lr": {"log_uniform": [1e-4, 1e-1]}}, "search": {"name": "random"}, \#(rest)}"#
  }

  @Test func `a sweep asks for its trials, takes what they report, and ends`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 12, "max_concurrent": 3"#))
    #expect(try fixture.trials(id).count == 3)
    try fixture.runAll()
    let standing = try fixture.standing(id)
    #expect(standing.record.state == .succeeded && standing.record.reason == "max_trials")
    #expect(standing.trials.count == 12 && standing.trials.allSatisfy { $0.outcome == .succeeded })
    for trial in standing.trials {
      #expect(trial.value == trial.configuration["/optimizer/lr"]?.double)
    }
    #expect(standing.record.startedAtMilliseconds != nil && standing.record.finishedAtMilliseconds != nil)
  }

  @Test func `a thousand trials are queued in a few steps`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 1000"#))
    #expect(try fixture.trials(id).count == 1000)
    let filter = JobFilter(sweep: ByteString(id.text))
    #expect(try fixture.store.page(filter, JobOrder(), after: nil, limit: 1).total == 1000)
  }

  @Test func `the same trials are asked for, whoever dies in between`() throws {
    let text = Self.rates(#""max_trials": 20, "max_concurrent": 2"#)
    let one = try fixture.begin(text)
    try fixture.runAll()
    let other = try SweepFixture()
    let two = try other.begin(text)
    while let job = try other.claim() {
      try other.restart()
      try other.end(job, try SweepFixture.rate(job))
      try other.restart()
      other.look()
    }
    #expect(try fixture.trials(one).map(\.configuration) == other.trials(two).map(\.configuration))
    #expect(try other.state(two) == .succeeded)
  }

  @Test func `an evaluation of each training gives the value, and seeds their mean`() throws {
    let id = try fixture.begin(
      """
      {"space": {"/loss/cov": {"choice": [1, 2]}}, "search": {"name": "grid"}, "evaluate": {}, "seeds": 2}
      """)
    #expect(try fixture.standing(id).jobs.count == 8)
    var accuracy = 0.0
    while let job = try fixture.claim() {
      if job.kind == .evaluate { accuracy += 0.125 }
      try fixture.end(job, job.kind == .evaluate ? accuracy : 3)
    }
    let trials = try fixture.trials(id)
    #expect(
      trials.map(\.seedValues).flatMap(\.self).compactMap(\.self).sorted() == [0.125, 0.25, 0.375, 0.5])
    #expect(trials.compactMap(\.value).reduce(0, +) == 0.625)
    #expect(try fixture.standing(id).record.reason == "space_exhausted")
  }

  @Test func `a trial that ends for a passing reason is run once more, and only once`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 1, "max_failed": 1"#))
    let first = try #require(try fixture.claim())
    try fixture.end(first, nil, .failed, .crashLoop)
    #expect(try fixture.trials(id)[0].outcome == nil)
    let second = try #require(try fixture.claim())
    #expect(second.id == first.id)
    try fixture.end(second, nil, .failed, .workerError)
    #expect(try fixture.claim() == nil)
    #expect(try fixture.state(id) == .succeeded)
    #expect(try fixture.trials(id)[0].trial.hasFailed || fixture.trials(id)[0].outcome == .failed)
  }

  @Test func `too many failures end a sweep, and what has not begun with it`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 9, "max_failed": 1"#))
    for _ in 0..<2 { try fixture.end(try #require(try fixture.claim()), nil, .failed, .badInput) }
    let standing = try fixture.standing(id)
    #expect(standing.record.state == .failed && standing.record.reason == "max_failed")
    #expect(standing.jobs.allSatisfy { $0.state.isFinished })
    #expect(standing.trials.count { $0.outcome == .cancelled } == 7)
  }

  @Test func `a diverged trial is one that has run, and the worst`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 3, "max_failed": 0"#))
    try fixture.end(try #require(try fixture.claim()), nil, .failed, .diverged)
    try fixture.end(try #require(try fixture.claim()), nil)
    try fixture.end(try #require(try fixture.claim()), 2)
    let standing = try fixture.standing(id)
    #expect(standing.trials.map(\.outcome) == [.diverged, .diverged, .succeeded])
    #expect(standing.record.state == .succeeded)
    #expect(SweepState.ranking(standing.trials.map(\.trial), mode: .min).map(\.number) == [2])
  }

  @Test func `a paused sweep rests with its jobs, and goes on`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 4, "max_concurrent": 2"#))
    let running = try #require(try fixture.claim())
    #expect(try fixture.store.pauseSweep(id) { _ in }.state == .pausing)
    fixture.look()
    #expect(try fixture.claim() == nil)
    #expect(try fixture.state(id) == .pausing)
    _ = try fixture.store.settle(running.id, attempt: running.attempt, .yielded, crashLimit: 3)
    fixture.look()
    #expect(try fixture.state(id) == .paused)
    #expect(try fixture.standing(id).jobs.map(\.state) == [.paused, .paused])
    #expect(try fixture.store.resumeSweep(id) { _ in }.state == .running)
    try fixture.runAll()
    #expect(try fixture.state(id) == .succeeded && fixture.trials(id).count == 4)
  }

  @Test func `a cancelled sweep ends when its jobs have, and asks for nothing`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 4, "max_concurrent": 2"#))
    let running = try #require(try fixture.claim())
    #expect(try fixture.store.cancelSweep(id) { _ in }.state == .cancelling)
    fixture.look()
    try fixture.end(running, nil, .cancelled, .userCancelled)
    #expect(try fixture.state(id) == .cancelled)
    #expect(try fixture.trials(id).map(\.outcome) == [.cancelled, .cancelled])
    #expect(try fixture.store.cancelSweep(id) { _ in }.state == .cancelled)
    #expect(throws: JobStoreError.self) { try fixture.store.resumeSweep(id) { _ in } }
  }

  @Test func `a sweep that has had its trials goes on with more`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 3"#))
    try fixture.runAll()
    #expect(try fixture.state(id) == .succeeded)
    let extended = try fixture.store.extendSweep(id, if: { _ in }) { record, trials in
      #expect(trials == 3)
      var (specification, _) = try record.specification()
      specification.maxTrials = 5
      return specification
    }
    #expect(extended.state == .running && extended.finishedAtMilliseconds == nil)
    fixture.look()
    try fixture.runAll()
    #expect(try fixture.trials(id).count == 5 && fixture.state(id) == .succeeded)
  }

  @Test func `jobs of a sweep stay as long as it is under way, and after it`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 2, "max_concurrent": 1"#))
    let first = try #require(try fixture.claim())
    try fixture.end(first, 1)
    #expect(throws: JobStoreError.isOfSweep(first.id, id)) { try fixture.store.delete(first.id) }
    #expect(throws: JobStoreError.self) { try fixture.store.deleteSweep(id) { _ in } }
    try fixture.runAll()
    try fixture.store.deleteSweep(id) { _ in }
    #expect(try fixture.store.sweep(id) == nil)
    #expect(try fixture.store.job(first.id)?.place == nil)
    try fixture.store.delete(first.id)
  }

  @Test func `a retried job of a trial is judged again`() throws {
    let id = try fixture.begin(Self.rates(#""max_trials": 2, "max_failed": 5"#))
    let first = try #require(try fixture.claim())
    try fixture.end(first, nil, .failed, .badInput)
    #expect(try fixture.trials(id)[0].outcome == .failed)
    _ = try fixture.store.retry(first.id)
    #expect(try fixture.trials(id)[0].outcome == nil)
    try fixture.runAll()
    #expect(try fixture.trials(id).allSatisfy { $0.outcome == .succeeded })
  }

  @Test func `halving stops trials at rungs and has the best train to the end`() throws {
    let id = try fixture.begin(
      Self.rates(
        #""max_trials": 9, "max_concurrent": 2, "early_stopping": {"max_epochs": 9, "reduction_factor": 3}"#))
    try fixture.runAll()
    let standing = try fixture.standing(id)
    #expect(standing.record.state == .succeeded)
    #expect(standing.trials.count == 9)
    let ends = standing.trials.filter { $0.outcome == .succeeded }
    #expect(!ends.isEmpty && ends.allSatisfy { $0.epochs == 9 && $0.rung == 2 && $0.rungValues.count == 3 })
    let stopped = standing.trials.filter { $0.outcome == .stopped }
    #expect(ends.count + stopped.count == 9 && stopped.allSatisfy { $0.message?.isEmpty == false })
    #expect(standing.jobs.count == 9 + standing.trials.reduce(0) { $0 + $1.rung })
    // The one with the smallest rate is the best at every rung.
    let best = try #require(standing.trials.min { ($0.value ?? 9) < ($1.value ?? 9) })
    #expect(best.outcome == .succeeded)
  }
}
