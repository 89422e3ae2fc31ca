import JobModel
import JobStore
import Recipe
import Testing

@Suite struct LifeTests {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  @Test func `an evaluation waits until its training has succeeded`() throws {
    let training = try fixture.train()
    let evaluation = try fixture.evaluate(training.id)
    #expect(evaluation.state == .blocked)
    let claimed = try fixture.claim()
    #expect(claimed.id == training.id)
    #expect(try store.claimNext(bootID: "b") == nil)
    try store.transition(training.id, attempt: 1, to: .succeeded)
    #expect(try fixture.job(evaluation.id).state == .queued)
    #expect(try store.claimNext(bootID: "b")?.id == evaluation.id)
  }

  @Test func `an evaluation of a training that has succeeded is queued at once`() throws {
    let training = try fixture.train()
    _ = try fixture.claim()
    try store.transition(training.id, attempt: 1, to: .succeeded)
    #expect(try fixture.evaluate(training.id).state == .queued)
  }

  @Test func `an evaluation of a named checkpoint waits for nothing but what it needs`() throws {
    let training = try fixture.train()
    let other = try fixture.train()
    let specification = try EvaluateSpecification.parse([
      "checkpoint": ["job": .string(training.id.text), "which": "step-00000001.safetensors.gz"]
    ])
    let jobs = try [[], [other.id]].map { needs in
      let job = NewJob(
        id: store.newID(), labelling: JobLabelling(), specification: .evaluate(specification), needs: needs)
      return try require(store.enqueue([job]).first)
    }
    #expect(jobs.map(\.state) == [.queued, .blocked])
    #expect(jobs.map(\.needsText) == ["[]", "[\"\(other.id)\"]"])
    _ = try fixture.claim()
    try store.transition(training.id, attempt: 1, to: .failed, reason: .diverged)
    #expect(try jobs.map { try fixture.job($0.id).state } == [.queued, .blocked])
    #expect(throws: JobStoreError.isNeeded(training.id, by: jobs.map(\.id))) { try store.delete(training.id) }
    _ = try fixture.claim()
    try store.transition(other.id, attempt: 1, to: .succeeded)
    #expect(try fixture.job(jobs[1].id).state == .queued)
    _ = try store.requestCancel(jobs[1].id, mode: .graceful)
    #expect(try store.retry(jobs[1].id).state == .queued)
    #expect(try store.unfinished(of: jobs.map(\.id) + [training.id]) == Set(jobs.map(\.id)))
  }

  @Test(arguments: [JobState.failed, .cancelled])
  func `an evaluation ends with the training that it needs`(state: JobState) throws {
    let training = try fixture.train()
    let evaluation = try fixture.evaluate(training.id)
    _ = try fixture.claim()
    try store.transition(
      training.id, attempt: 1, to: state, reason: state == .failed ? .diverged : .userCancelled)
    let record = try fixture.job(evaluation.id)
    #expect(record.state == .cancelled)
    #expect(record.reason == .dependencyFailed)
    #expect(record.finishedAtMilliseconds != nil)
    #expect(try store.lines(evaluation.id, limit: 9).last?.event == "end")
    #expect(throws: JobStoreError.unusableNeed(training.id, kind: .train, state: state)) {
      try fixture.evaluate(training.id)
    }
  }

  @Test func `an evaluation cannot need an evaluation, or nothing`() throws {
    let training = try fixture.train()
    let evaluation = try fixture.evaluate(training.id)
    #expect(throws: JobStoreError.unusableNeed(evaluation.id, kind: .evaluate, state: .blocked)) {
      try fixture.evaluate(evaluation.id)
    }
    let nobody = store.newID()
    #expect(throws: JobStoreError.unusableNeed(nobody, kind: nil, state: nil)) {
      try fixture.evaluate(nobody)
    }
    #expect(try store.list(limit: 9).count == 2)
  }

  @Test func `a write for an older attempt changes nothing`() throws {
    let job = try fixture.train()
    _ = try fixture.claim()
    #expect(try store.settle(job.id, attempt: 1, .died, crashLimit: 3) == .queued)
    let second = try fixture.claim()
    #expect(second.attempt == 2)
    #expect(try !store.transition(job.id, attempt: 1, to: .succeeded))
    #expect(try store.settle(job.id, attempt: 1, .died, crashLimit: 3) == nil)
    #expect(try !store.adopt(job.id, attempt: 1, bootID: "other"))
    #expect(
      try store.ingest(job.id, attempt: 1, from: 0, to: 9, lines: ["{\"event\":\"warning\"}"]) == .stale)
    #expect(try fixture.job(job.id) == second)
  }

  @Test func `a step that the table forbids changes nothing`() throws {
    let job = try fixture.train()
    #expect(try !store.transition(job.id, attempt: 0, to: .succeeded))
    #expect(try !store.transition(store.newID(), attempt: 0, to: .cancelled))
    #expect(try fixture.job(job.id) == job)
  }

  @Test func `what waits is cancelled at once`() throws {
    let training = try fixture.train()
    let evaluation = try fixture.evaluate(training.id)
    #expect(try store.requestCancel(evaluation.id, mode: .graceful).state == .cancelled)
    let cancelled = try store.requestCancel(training.id, mode: .graceful)
    #expect(cancelled.state == .cancelled)
    #expect(cancelled.reason == .userCancelled)
    #expect(try store.requestCancel(training.id, mode: .now) == cancelled)
    #expect(try store.lines(training.id, limit: 9).map(\.event) == ["end"])
    #expect(throws: JobStoreError.self) { try store.requestCancel(store.newID(), mode: .now) }
  }

  @Test func `what runs is asked to end, and asked harder`() throws {
    let job = try fixture.train()
    _ = try fixture.claim()
    let asked = try store.requestCancel(job.id, mode: .graceful)
    #expect(asked.state == .cancelling)
    #expect(asked.cancelMode == .graceful)
    #expect(try store.requestCancel(job.id, mode: .graceful) == asked)
    let harder = try store.requestCancel(job.id, mode: .now)
    #expect(harder.cancelMode == .now)
    #expect(try store.requestCancel(job.id, mode: .graceful) == harder)
    #expect(try store.activeJobs().map(\.id) == [job.id])
    #expect(try store.settle(job.id, attempt: 1, .died, crashLimit: 3) == .cancelled)
    #expect(try fixture.job(job.id).reason == .userCancelled)
  }

  @Test(arguments: [CancelMode.graceful, .now])
  func `a cancel counts while a job ends for its time, whatever its worker says then`(mode: CancelMode) throws
  {
    for hasWorkerLine in [true, false] {
      let job = try fixture.train(policy: JobPolicy(maxDurationSeconds: 1))
      let attempt = try fixture.claim().attempt
      try store.endOverdue(job.id, attempt: attempt)
      #expect(try fixture.job(job.id).reason == .maxDuration)
      let asked = try store.requestCancel(job.id, mode: mode)
      #expect(asked.state == .cancelling && asked.reason == .userCancelled && asked.cancelMode == mode)
      // The time that is up does not take the cancel back.
      try store.endOverdue(job.id, attempt: attempt)
      if hasWorkerLine {
        let line = #"{"event":"end","state":"cancelled","reason":"user_cancelled"}"#
        _ = try store.ingest(job.id, attempt: attempt, from: 0, to: 9, lines: [line])
      } else {
        try store.settle(job.id, attempt: attempt, .died, crashLimit: 3)
      }
      let ended = try fixture.job(job.id)
      #expect(ended.state == .cancelled && ended.reason == .userCancelled)
    }
  }

  @Test func `a job whose worker died goes on, until it is a crash loop`() throws {
    let job = try fixture.train()
    var attempt = try fixture.claim().attempt
    #expect(try store.settle(job.id, attempt: attempt, .died, crashLimit: 3) == .queued)
    #expect(try fixture.job(job.id).reason == .workerDied)
    attempt = try fixture.claim().attempt
    #expect(try fixture.job(job.id).reason == nil)
    #expect(try store.settle(job.id, attempt: attempt, .died, crashLimit: 3) == .queued)
    #expect(try store.claimNext(bootID: "b") == nil)
    fixture.now.advance(by: JobPolicy.backOffMilliseconds(after: 2))
    attempt = try fixture.claim().attempt
    #expect(try store.settle(job.id, attempt: attempt, .died, crashLimit: 3, message: "signal 9") == .failed)
    let failed = try fixture.job(job.id)
    #expect(failed.reason == .crashLoop)
    #expect(failed.message == "signal 9")
  }

  @Test func `a worker that yielded costs no crash`() throws {
    let job = try fixture.train()
    for _ in 0..<5 {
      let attempt = try fixture.claim().attempt
      #expect(try store.settle(job.id, attempt: attempt, .yielded, crashLimit: 1) == .queued)
    }
    #expect(try fixture.job(job.id).reason == .yielded)
  }

  @Test func `the time of the first start stays`() throws {
    let job = try fixture.train()
    let first = try fixture.claim().startedAtMilliseconds
    fixture.now.advance(by: 1000)
    try store.settle(job.id, attempt: 1, .yielded, crashLimit: 3)
    #expect(try fixture.claim().startedAtMilliseconds == first)
  }

  @Test func `a new daemon adopts what is alive`() throws {
    let job = try fixture.train()
    _ = try fixture.claim()
    let restarted = try fixture.reopened()
    #expect(try restarted.activeJobs().map(\.id) == [job.id])
    #expect(try restarted.adopt(job.id, attempt: 1, bootID: "second"))
    #expect(try fixture.job(job.id).bootID == "second")
  }
}
