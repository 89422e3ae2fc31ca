import JobModel
import JobStore
import Platform
import SQLite
import Testing

@Suite struct `What is asked of jobs` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  private func settle(_ job: JobRecord, _ departure: JobStore.Departure) throws -> JobState? {
    try store.settle(job.id, attempt: job.attempt, departure, crashLimit: 3)
  }

  private func end(_ job: JobRecord, _ line: String) throws -> IngestOutcome {
    let offset = try fixture.job(job.id).ingestOffset
    return try store.ingest(
      job.id, attempt: job.attempt, from: offset, to: offset + line.utf8.count + 1, lines: [line])
  }

  @Test func `what is queued is paused at once, and waits until it is resumed`() throws {
    let job = try fixture.train()
    for _ in 0..<2 { #expect(try store.requestPause(job.id).state == .paused) }
    #expect(try fixture.job(job.id).reason == .userPaused)
    #expect(try store.claimNext(bootID: "b") == nil)
    for _ in 0..<2 { #expect(try store.resume(job.id).state == .queued) }
    #expect(try fixture.claim().id == job.id)
  }

  @Test func `what runs pauses once its worker has left, dead or alive`() throws {
    for departure in [JobStore.Departure.yielded, .died, .neverStarted] {
      let job = try fixture.train()
      let claimed = try fixture.claim()
      #expect(try store.requestPause(job.id).state == .pausing)
      #expect(try settle(claimed, departure) == .paused)
      #expect(try fixture.job(job.id).reason == .userPaused)
      #expect(try fixture.job(job.id).crashes == 0)
      #expect(try store.requestCancel(job.id, mode: .now).state == .cancelled)
    }
  }

  @Test func `a job that is resumed before it rests goes on when its worker has left`() throws {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    _ = try store.requestPause(job.id)
    #expect(try store.resume(job.id).state == .running)
    #expect(try settle(claimed, .yielded) == .queued)
  }

  @Test func `a cancel wins over a pause, and cannot be paused`() throws {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    _ = try store.requestPause(job.id)
    #expect(try store.requestCancel(job.id, mode: .graceful).state == .cancelling)
    #expect(throws: JobStoreError.self) { try store.requestPause(job.id) }
    #expect(throws: JobStoreError.self) { try store.resume(job.id) }
    #expect(try settle(claimed, .yielded) == .cancelled)
    #expect(throws: JobStoreError.self) { try store.requestPause(job.id) }
  }

  @Test func `a retried job is queued, its end is no longer the last line, and its counts begin anew`() throws
  {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    #expect(
      try end(claimed, #"{"event":"end","state":"failed","reason":"bad_input"}"#)
        == .ended(.failed, malformed: 0))
    for _ in 0..<2 { #expect(try store.retry(job.id).state == .queued) }
    let again = try fixture.job(job.id)
    #expect(again.finishedAtMilliseconds == nil && again.failures == 0 && again.reason == nil)
    #expect(try store.lines(job.id, limit: 9).isEmpty)
    let second = try fixture.claim()
    #expect(second.attempt == 2)
    #expect(try end(second, #"{"event":"end","state":"succeeded"}"#) == .ended(.succeeded, malformed: 0))
    #expect(throws: JobStoreError.self) { try store.retry(job.id) }
  }

  @Test func `a retried evaluation waits for its training again`() throws {
    let training = try fixture.train()
    let evaluation = try fixture.evaluate(training.id)
    _ = try store.requestCancel(training.id, mode: .now)
    #expect(try fixture.job(evaluation.id).state == .cancelled)
    #expect(throws: JobStoreError.unusableNeed(training.id, kind: .train, state: .cancelled)) {
      try store.retry(evaluation.id)
    }
    _ = try store.retry(training.id)
    #expect(try store.retry(evaluation.id).state == .blocked)
    let claimed = try fixture.claim()
    try store.transition(training.id, attempt: claimed.attempt, to: .succeeded)
    #expect(try fixture.job(evaluation.id).state == .queued)
  }

  @Test func `an error of its own is retried after a while, as often as the job may fail`() throws {
    let job = try fixture.train(policy: JobPolicy(maxAttempts: 3))
    let line = #"{"event":"end","state":"failed","reason":"worker_error","message":"a fault"}"#
    #expect(try end(fixture.claim(), line) == .ended(.queued, malformed: 0))
    #expect(try store.claimNext(bootID: "b") == nil)
    let wait = try #require(try store.millisecondsToNextTry())
    #expect(wait == JobPolicy.backOffMilliseconds(after: 2))
    fixture.now.advance(by: wait)
    // The time may come just after a claim has found nothing: it must not be missed.
    #expect(try store.millisecondsToNextTry() == 0)
    fixture.now.advance(by: 5)
    #expect(try store.millisecondsToNextTry() == 0)
    #expect(try end(fixture.claim(), line) == .ended(.queued, malformed: 0))
    // A clock that is set back does not hold the job up for longer than any back-off.
    fixture.now.advance(by: -1_000_000_000)
    #expect(try end(fixture.claim(), line) == .ended(.failed, malformed: 0))
    #expect(try fixture.job(job.id).failures == 3)
    #expect(try store.lines(job.id, limit: 9).map(\.event) == ["warning", "warning", "end"])
  }

  @Test(arguments: ["diverged", "bad_input"])
  func `what another attempt cannot better is not retried`(reason: String) throws {
    try fixture.train(policy: JobPolicy(maxAttempts: 3))
    let line = #"{"event":"end","state":"failed","reason":"\#(reason)"}"#
    #expect(try end(fixture.claim(), line) == .ended(.failed, malformed: 0))
  }

  @Test func `deaths are followed by longer and longer waits, the first by none`() {
    #expect(
      (1...9).map(JobPolicy.backOffMilliseconds) == [
        0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000,
      ])
  }

  @Test func `a job over its time fails with that reason, whatever its worker says or does not say`() throws {
    for isSilent in [true, false] {
      let job = try fixture.train(policy: JobPolicy(maxDurationSeconds: 5))
      let claimed = try fixture.claim()
      try store.endOverdue(job.id, attempt: claimed.attempt)
      #expect(try fixture.job(job.id).state == .cancelling)
      if isSilent {
        #expect(try settle(claimed, .died) == .failed)
      } else {
        let line = #"{"event":"end","state":"cancelled","reason":"user_cancelled"}"#
        #expect(try end(claimed, line) == .ended(.failed, malformed: 0))
      }
      let ended = try fixture.job(job.id)
      #expect(ended.reason == .maxDuration)
      #expect(ended.message == "it has run for its max_duration of 5 seconds")
      #expect(try store.lines(job.id, limit: 9).last?.line.contains("max_duration") == true)
    }
  }

  @Test func `what was paused for want of space goes on by itself, what a user paused does not`() throws {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    let resting = try fixture.train()
    _ = try store.requestPause(resting.id)
    #expect(try store.pauseForSpace(message: "full"))
    #expect(try settle(claimed, .yielded) == .paused)
    #expect(try fixture.job(job.id).reason == .diskFull)
    #expect(try store.isWaitingForSpace())
    try store.resumeForSpace()
    #expect(try fixture.job(job.id).state == .queued)
    #expect(try fixture.job(resting.id).state == .paused)
    fixture.now.advance(by: 60_000)
    #expect(try settle(fixture.claim(), .yielded(.diskFull)) == .paused)
    // A user's pause takes the place of the other.
    _ = try store.requestPause(job.id)
    try store.resumeForSpace()
    #expect(try fixture.job(job.id).state == .paused)
  }

  @Test func `a job that asks for no more runs when the one that it needs has failed`() throws {
    let first = try fixture.train()
    let patient = try fixture.train(policy: JobPolicy(onDependencyFailure: .run), needs: [first.id])
    let strict = try fixture.train(needs: [first.id, patient.id])
    #expect(patient.state == .blocked && strict.state == .blocked)
    try store.transition(first.id, attempt: fixture.claim().attempt, to: .failed, reason: .diverged)
    #expect(try fixture.job(patient.id).state == .queued)
    #expect(try fixture.job(strict.id).state == .cancelled)
    #expect(
      try fixture.train(policy: JobPolicy(onDependencyFailure: .run), needs: [first.id]).state == .queued)
    #expect(throws: JobStoreError.self) { try fixture.train(needs: [first.id]) }
  }

  @Test func `each step of a job's life is recorded with time, cause and actor`() throws {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    fixture.now.advance(by: 7)
    _ = try store.requestPause(job.id)
    _ = try settle(claimed, .yielded)
    _ = try store.resume(job.id)
    _ = try end(fixture.claim(), #"{"event":"end","state":"failed","reason":"diverged","message":"NaN"}"#)
    let life = try store.transitions(of: job.id, limit: 99)
    #expect(life.map(\.to) == [.queued, .running, .pausing, .paused, .queued, .running, .failed])
    #expect(life.map(\.from) == [nil, .queued, .running, .pausing, .paused, .queued, .running])
    #expect(life.map(\.initiator) == [.user, .daemon, .user, .daemon, .user, .daemon, .worker])
    #expect(life.map(\.attempt) == [0, 1, 1, 1, 1, 2, 2])
    #expect(life.map(\.reason) == [nil, nil, .userPaused, .userPaused, nil, nil, .diverged])
    #expect(life[2].atMilliseconds == life[1].atMilliseconds + 7)
    #expect(life.last?.message == "NaN")
    let other = try fixture.train()
    let behind = try store.transitions(after: try #require(life.last).id, limit: 9)
    #expect(behind.map(\.job) == [other.id])
  }

  @Test func `a deletion takes the rows and leaves a note until the files are gone`() throws {
    let job = try fixture.train()
    #expect(throws: JobStoreError.self) { try store.delete(job.id) }
    _ = try store.requestCancel(job.id, mode: .now)
    try store.delete(job.id)
    #expect(try store.job(job.id) == nil)
    #expect(try store.transitions(of: job.id, limit: 9).isEmpty)
    #expect(try fixture.reopened().unfinishedDeletions() == [job.id])
    try store.finishDeletion(job.id)
    #expect(try store.unfinishedDeletions().isEmpty)
  }

  @Test func `a checkpoint that its worker could not tell of counts as one`() throws {
    let job = try fixture.train()
    for _ in 0..<2 { _ = try settle(fixture.claim(), .died); fixture.now.advance(by: 60_000) }
    let third = try fixture.claim()
    _ = try end(third, #"{"event":"started","attempt":3,"step":40,"steps":80}"#)
    #expect(try fixture.job(job.id).crashes == 0)
    _ = try settle(third, .died)
    fixture.now.advance(by: 60_000)
    _ = try end(fixture.claim(), #"{"event":"started","attempt":4,"step":40,"steps":80}"#)
    #expect(try fixture.job(job.id).crashes == 1, "the same step again is no progress")
  }

  @Test func `a copy is whole, also while the store is written to`() throws {
    let job = try fixture.train()
    let copy = "\(fixture.folder)/copy.sqlite"
    try JobStore.backUp(fixture.path, to: copy)
    try fixture.train()
    let restored = try JobStore(path: copy, migrations: JobStore.migrations(in: StoreFixture.migrations))
    #expect(try restored.list(limit: 9).map(\.id) == [job.id])
    #expect(try JobStore.problems(of: copy).isEmpty)
  }

  @Test func `a damaged database is told`() throws {
    for _ in 0..<200 { try fixture.train() }
    let copy = "\(fixture.folder)/damaged.sqlite"
    try JobStore.backUp(fixture.path, to: copy)
    let bytes = try File(copy, .read).readAll()
    let damaged = bytes[..<8192] + [UInt8](repeating: 0x5a, count: 8192) + bytes[16384...]
    try AtomicFile.write(Array(damaged), to: copy)
    let problems = Result { try JobStore.problems(of: copy) }
    #expect(throws: (any Error).self) { if try !problems.get().isEmpty { throw Missing() } }
  }

  @Test func `a database of an older schema is copied before it is changed`() throws {
    let all = try JobStore.migrations(in: StoreFixture.migrations)
    let path = "\(fixture.folder)/old.sqlite"
    _ = try Migrator.migrate(
      Connection(path: path, access: .write), Array(all.prefix(1)), appliedAt: "then")
    _ = try JobStore(path: path, migrations: all)
    #expect(FileSystem.exists("\(path).schema-1"))
    #expect(try JobStore.problems(of: "\(path).schema-1").isEmpty)
    _ = try JobStore(path: path, migrations: all)
    #expect(try FileSystem.list(fixture.folder).filter { $0.contains("schema") }.count == 1)
  }

  @Test func `a database of an older schema learns which jobs wait for which`() throws {
    let all = try JobStore.migrations(in: StoreFixture.migrations)
    let path = "\(fixture.folder)/old.sqlite"
    let connection = try Connection(path: path, access: .write)
    _ = try Migrator.migrate(connection, Array(all.prefix(3)), appliedAt: "then")
    let ids = (0..<3).map { _ in fixture.store.newID() }
    for id in ids {
      try connection.execute(
        """
        INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms)
        VALUES (?, 'train', '{}', 50, 'blocked', '{}', 0)
        """, [.text(id.text)])
    }
    try connection.script("INSERT INTO job_dependencies (job, needs) VALUES (3, 2), (3, 1)")
    let store = try JobStore(path: path, migrations: all)
    let needs = try ids.map { try #require(try store.job($0)).needsText }
    #expect(needs == ["[]", "[]", "[\"\(ids[0])\",\"\(ids[1])\"]"])
    #expect(try store.counts() == [.blocked: 3], "what is there is counted")
  }
}
