import JobModel
import JobStore
import Recipe
import Testing
import Text

@Suite struct QueueTests {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  @Test func `a queued job comes back as it was submitted`() throws {
    let specification = TrainSpecification.preset(.paper)
    let labelling = JobLabelling(name: "é \"x\"", labels: ["team": "a"], notes: "n\nm", priority: 70)
    let needed = try fixture.train()
    var new = NewJob(
      id: store.newID(), labelling: labelling, specification: .train(specification),
      policy: JobPolicy(onDependencyFailure: .run, maxDurationSeconds: 7, maxAttempts: 3), needs: [needed.id],
      steps: 42)
    new.cost = JobCost(
      memoryBytes: 1, diskBytes: 2, work: .init(kind: "train", amount: 1e9, once: 0, perImage: 0.5),
      epochs: 3, stepImages: 4)
    let record = try #require(try store.enqueue([new]).first)
    #expect(try store.job(new.id) == record)
    #expect(record.policy == new.policy)
    #expect(record.labelling == labelling)
    #expect(record.state == .blocked)
    #expect(record.attempt == 0)
    #expect(record.steps == 42)
    #expect(record.createdAtMilliseconds == fixture.now.read())
    #expect(try record.specification() == .train(specification))
    #expect(try store.job(store.newID()) == nil)
  }

  @Test func `claims by priority, then first in first out`() throws {
    let low = try fixture.train(priority: 10)
    let first = try fixture.train()
    let second = try fixture.train()
    let high = try fixture.train(priority: 90)
    var claimed: [JobID] = []
    while let job = try store.claimNext(bootID: "b") { claimed.append(job.id) }
    #expect(claimed == [high.id, first.id, second.id, low.id])
  }

  @Test func `a claim is an attempt of this boot`() throws {
    let job = try fixture.train()
    fixture.now.advance(by: 500)
    let claimed = try #require(try store.claimNext(bootID: "boot 1"))
    #expect(claimed.id == job.id)
    #expect(claimed.state == .running)
    #expect(claimed.attempt == 1)
    #expect(claimed.bootID == "boot 1")
    #expect(claimed.startedAtMilliseconds == fixture.now.read())
    #expect(claimed.revision > job.revision)
    #expect(try store.claimNext(bootID: "boot 1") == nil)
  }

  @Test func `what was acknowledged is there after a restart`() throws {
    let job = try fixture.train()
    #expect(try fixture.reopened().job(job.id) == job)
  }

  @Test func `ids of one millisecond are different and rise`() {
    let ids = (0..<1000).map { _ in store.newID() }
    #expect(ids == ids.sorted())
    #expect(Set(ids).count == 1000)
  }

  @Test func `several jobs are queued all or none`() throws {
    let train = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .train(.preset(.small)))
    func evaluation(of id: JobID) throws -> NewJob {
      let specification = try EvaluateSpecification.parse(["checkpoint": ["job": .string(id.text)]])
      return NewJob(id: store.newID(), labelling: JobLabelling(), specification: .evaluate(specification))
    }
    #expect(throws: JobStoreError.self) {
      try store.enqueue([train, evaluation(of: train.id), evaluation(of: store.newID())])
    }
    #expect(try store.list(limit: 10).isEmpty)
    let records = try store.enqueue([train, evaluation(of: train.id)])
    #expect(records.map(\.state) == [.queued, .blocked])
  }

  @Test func `lists the newest first, page by page, and filters`() throws {
    for index in 0..<7 {
      let job = try fixture.train()
      _ = try store.relabel(job.id) {
        $0.labels = ["n": ByteString("\(index % 2)"), ByteString("i\(index)"): ""]
      }
    }
    let all = try store.list(limit: 100)
    #expect(all.map(\.sequence) == [7, 6, 5, 4, 3, 2, 1])
    #expect(try store.list(after: JobCursor("5", JobOrder()), limit: 2).map(\.sequence) == [4, 3])
    _ = try store.claimNext(bootID: "b")
    #expect(try store.list(JobFilter(states: [.running]), limit: 9).map(\.sequence) == [1])
    #expect(try store.list(JobFilter(states: [.running, .queued]), limit: 9).count == 7)
    #expect(try store.list(JobFilter(kind: .evaluate), limit: 9).isEmpty)
    #expect(try store.list(JobFilter(labels: [("n", "1")]), limit: 9).map(\.sequence) == [6, 4, 2])
    #expect(try store.list(JobFilter(labels: [("i3", nil)]), limit: 9).map(\.sequence) == [4])
    #expect(try store.counts() == [.running: 1, .queued: 6])
    _ = try store.requestCancel(all[0].id, mode: .now)
    #expect(try store.counts() == [.running: 1, .queued: 5, .cancelled: 1])
    try store.delete(all[0].id)
    #expect(try store.counts() == [.running: 1, .queued: 5])
  }

  @Test func `labelling changes alone, and a change of nothing is none`() throws {
    let job = try fixture.train()
    let changed = try store.relabel(job.id) {
      $0.name = "x"
      $0.priority = 1
    }
    #expect(changed.labelling == JobLabelling(name: "x", priority: 1))
    #expect(changed.specificationText == job.specificationText)
    #expect(changed.revision == job.revision + 1)
    #expect(try store.relabel(job.id) { $0.name = "x" }.revision == changed.revision)
    #expect(throws: JobStoreError.self) { try store.relabel(store.newID()) { $0.name = "y" } }
  }

  @Test func `only finished jobs that nobody needs are deleted`() throws {
    let job = try fixture.train()
    #expect(throws: JobStoreError.self) { try store.delete(job.id) }
    let claimed = try fixture.claim()
    try store.transition(job.id, attempt: claimed.attempt, to: .succeeded)
    let evaluation = try fixture.evaluate(job.id)
    #expect(throws: JobStoreError.isNeeded(job.id, by: [evaluation.id])) { try store.delete(job.id) }
    _ = try store.requestCancel(evaluation.id, mode: .now)
    try store.delete(job.id)
    #expect(try store.job(job.id) == nil)
    #expect(try store.lines(job.id, limit: 10).isEmpty)
    #expect(throws: JobStoreError.noSuchJob(job.id)) { try store.delete(job.id) }
    #expect(try store.job(evaluation.id)?.state == .cancelled)
  }
}
