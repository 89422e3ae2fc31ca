import JobModel
import JobStore
import Platform
import Recipe
import Synchronization
import Testing

@Suite struct `Writes that share commits` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  /// Runs `body` on so many threads at once, each with its number.
  private func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let threads = try (0..<count).map { index in try Thread(name: "writer-\(index)") { body(index) } }
    for thread in threads { thread.join() }
  }

  private func new(_ specification: JobSpecification) -> NewJob {
    NewJob(id: store.newID(), labelling: JobLabelling(), specification: specification)
  }

  @Test func `all are stored, each by itself, whoever else fails`() throws {
    let commits = Mutex(0)
    store.observe { commits.withLock { $0 += 1 } }
    let outcomes = Mutex((stored: [JobID](), refused: 0))
    let (store, fixture) = (store, fixture)
    let missing = store.newID()
    try together(8) { thread in
      for round in 0..<25 {
        let isWrong = (thread + round) % 5 == 0
        do {
          // The first of the pair is stored before the second is refused: neither may stay.
          let good = NewJob(
            id: store.newID(), labelling: JobLabelling(), specification: .train(.preset(.small)))
          let bad = try EvaluateSpecification.parse(["checkpoint": ["job": .string(missing.text)]])
          let second = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .evaluate(bad))
          _ = try store.enqueue(isWrong ? [good, second] : [good])
          outcomes.withLock { $0.stored.append(good.id) }
          // Another store sees what has been acknowledged.
          if round == 24 { #expect(try fixture.reopened().job(good.id) != nil) }
        } catch {
          outcomes.withLock { $0.refused += 1 }
        }
      }
    }
    let (stored, refused) = outcomes.withLock { $0 }
    #expect(stored.count == 160)
    #expect(refused == 40)
    let listed = try store.list(limit: 500).map(\.id)
    #expect(Set(listed) == Set(stored))
    #expect(commits.withLock { $0 } <= 200)
  }

  /// Queues under a key and waits for what becomes of it.
  private static func enqueue(
    _ jobs: [NewJob], under key: IdempotencyKey?, in store: JobStore,
    _ describe: @escaping @Sendable ([JobRecord]) -> StoredAnswer
  ) -> JobStore.Enqueued? {
    let outcomes = Inbox<JobStore.Enqueued>()
    store.enqueue(jobs, under: key, describe: describe) { outcomes.send($0) }
    return outcomes.receive(timeoutMilliseconds: 30_000).first
  }

  @Test func `nobody has to wait for them, and one that fails fails alone`() throws {
    let settled = Inbox<(number: Int, id: String?)>()
    let missing = try EvaluateSpecification.parse(["checkpoint": ["job": .string(store.newID().text)]])
    for number in 0..<300 {
      let job = new(number % 3 == 0 ? .evaluate(missing) : .train(.preset(.small)))
      store.enqueue([job], under: nil) { records in
        StoredAnswer(status: 201, headers: [:], body: records.map(\.id.text).joined())
      } settled: { outcome in
        settled.send((number, try? outcome.get().answer.body))
      }
    }
    var outcomes: [(number: Int, id: String?)] = []
    while outcomes.count < 300 {
      let more = settled.receive(timeoutMilliseconds: 30_000)
      try #require(!more.isEmpty)
      outcomes += more
    }
    #expect(outcomes.map(\.number) == Array(0..<300))
    #expect(outcomes.allSatisfy { ($0.id == nil) == ($0.number % 3 == 0) })
    #expect(store.commitCount < 300)
    // On the disk, in the order in which they were given.
    #expect(try fixture.reopened().list(limit: 500).reversed().map(\.id.text) == outcomes.compactMap(\.id))
  }

  @Test func `the last hold of a store may be that of its own thread`() throws {
    let gone = Inbox<Bool>()
    var store: JobStore? = try fixture.reopened()
    weak let remembered = store
    let turn = Inbox<Void>()
    store?.enqueue([new(.train(.preset(.small)))], under: nil) { _ in
      StoredAnswer(status: 201, headers: [:], body: "")
    } settled: { [store] outcome in
      _ = turn.receive(timeoutMilliseconds: 30_000)
      gone.send(store != nil && (try? outcome.get()) != nil)
    }
    store = nil
    turn.send(())
    #expect(gone.receive(timeoutMilliseconds: 30_000) == [true])
    while remembered != nil { Thread.yieldSlice() }
    #expect(try self.store.list(limit: 10).count == 1)
  }

  @Test func `a key lets one of many equal requests create`() throws {
    let store = store
    let key = IdempotencyKey(owner: "", key: "k", requestSHA256: "aa")
    let answers = Mutex<[(StoredAnswer, Bool)]>([])
    try together(6) { _ in
      let job = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .train(.preset(.small)))
      let got = try? Self.enqueue([job], under: key, in: store) { records in
        StoredAnswer(status: 201, headers: ["Location": "/\(records[0].id)"], body: "é \(records[0].id)")
      }?.get()
      if let got { answers.withLock { $0.append((got.answer, got.isRepeated)) } }
    }
    let got = answers.withLock { $0 }
    #expect(got.count == 6)
    #expect(got.filter { !$0.1 }.count == 1)
    #expect(got.allSatisfy { $0.0 == got[0].0 })
    #expect(try store.list(limit: 10).count == 1)
    #expect(try store.answer(to: key) == got[0].0)
    #expect(throws: JobStoreError.keyReused("k")) {
      try store.answer(to: IdempotencyKey(owner: "", key: "k", requestSHA256: "bb"))
    }
    #expect(try store.answer(to: IdempotencyKey(owner: "x", key: "k", requestSHA256: "bb")) == nil)
    fixture.now.advance(by: 8 * 86_400_000)
    #expect(try store.answer(to: key) == nil)
  }

  @Test func `the feed tells every change once and in order`() throws {
    let start = try store.feedBounds().last
    let job = try fixture.train()
    let claimed = try fixture.claim()
    let line = "{\"event\":\"metric\",\"step\":1}"
    _ = try store.ingest(job.id, attempt: claimed.attempt, from: 0, to: 10, lines: [line])
    _ = try store.relabel(job.id) { $0.name = "n" }
    _ = try store.requestCancel(job.id, mode: .now)
    try store.transition(job.id, attempt: claimed.attempt, to: .cancelled, reason: .userCancelled)
    try store.delete(job.id)
    let (entries, through) = try store.feed(after: start, limit: 100)
    #expect(entries.allSatisfy { $0.job == job.id })
    #expect(entries.map(\.id) == entries.map(\.id).sorted())
    // The lines went with the job.
    #expect(entries.map(\.change) == [.job, .job, .job, .job, .job, .deleted])
    #expect(try store.feedBounds().last == through)
    #expect(try store.feed(after: through, limit: 100).entries.isEmpty)
  }

  @Test func `the feed has the lines of a job`() throws {
    let job = try fixture.train()
    let claimed = try fixture.claim()
    let start = try store.feedBounds().last
    // Lines of its own the job has already: that it was queued and claimed.
    let before = try #require(try store.lastSequence(job.id))
    let lines = (1...3).map { "{\"event\":\"metric\",\"step\":\($0)}" }
    _ = try store.ingest(job.id, attempt: claimed.attempt, from: 0, to: 10, lines: lines)
    let entries = try store.feed(after: start, limit: 2).entries
    #expect(
      entries.map(\.change)
        == (1...2).map {
          .line(EventLine(sequence: before + $0, event: "metric", step: $0, line: lines[$0 - 1]))
        })
    #expect(try store.lastSequence(job.id) == before + 3)
    #expect(try store.lastSequence(store.newID()) == nil)
  }
}
