import JSONText
import JobModel
import Recipe
import SQLite
import Testing

@testable import JobStore

/// The registry of imported datasets.
@Suite struct `Datasets of the store` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  private func importing(_ name: String) throws -> JobRecord {
    let specification = ImportSpecification(name: .init(name), path: "/data/pets.zip")
    let job = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .import(specification))
    let (answer, isRepeated) = try store.enqueueImport(job, name: .init(name), source: "pets.zip") {
      StoredAnswer(status: 202, headers: [:], body: "\($0.name) \($0.state.rawValue)")
    }
    #expect(answer.body == "\(name) importing")
    #expect(!isRepeated)
    return try #require(try store.job(job.id))
  }

  private func end(_ job: JobRecord, _ lines: [String]) throws {
    let claimed = try #require(try store.claimNext(bootID: "b"))
    #expect(claimed.id == job.id)
    _ = try store.ingest(job.id, attempt: claimed.attempt, from: 0, to: 9, lines: lines)
  }

  @Test func `a dataset is what its import has made of it`() throws {
    let job = try importing("pets")
    #expect(try store.dataset(named: "pets")?.state == .importing)
    try end(
      job,
      [
        #"{"event":"result","result":{"digest":"ab","bytes":12,"counts":{"train":3}}}"#,
        #"{"event":"end","state":"succeeded"}"#,
      ])
    let ready = try #require(try store.dataset(named: "pets"))
    #expect(ready.state == .ready)
    #expect(ready.digest == "ab")
    #expect(ready.bytes == 12)
    #expect(ready.job == job.id)
    #expect(try JSON.parse(ready.description ?? "")["counts"]?["train"] == 3)
    try store.delete(job.id)
    #expect(try store.dataset(named: "pets")?.job == nil)
    #expect(try store.dataset(named: "pets")?.state == .ready)
  }

  @Test func `a failed import leaves a failed dataset, and a retry imports again`() throws {
    let job = try importing("pets")
    try end(job, [#"{"event":"end","state":"failed","reason":"bad_input","message":"no images"}"#])
    let failed = try #require(try store.dataset(named: "pets"))
    #expect(failed.state == .failed)
    #expect(failed.message == "no images")
    _ = try store.retry(job.id)
    #expect(try store.dataset(named: "pets")?.state == .importing)
  }

  @Test func `a success without a description is a failure`() throws {
    let job = try importing("pets")
    try end(job, [#"{"event":"end","state":"succeeded"}"#])
    #expect(try store.dataset(named: "pets")?.state == .failed)
  }

  @Test func `a name is in use until its dataset is deleted, which an unfinished job prevents`() throws {
    let job = try importing("pets")
    #expect(throws: JobStoreError.datasetExists("pets", state: .importing)) { try importing("pets") }
    #expect(throws: JobStoreError.datasetIsNeeded("pets", by: [job.id])) {
      try store.deleteDataset(named: "pets")
    }
    _ = try store.requestCancel(job.id, mode: .now)
    #expect(try store.dataset(named: "pets")?.state == .failed)
    #expect(try store.deleteDataset(named: "pets").id == job.id)
    #expect(throws: JobStoreError.noSuchDataset("pets")) { try store.deleteDataset(named: "pets") }
    _ = try importing("pets")
  }

  @Test func `a job that reads a dataset is queued only when that is ready, and then keeps it`() throws {
    let job = try importing("pets")
    var train = TrainSpecification.preset(.small)
    train.dataset.name = "pets"
    var new = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .train(train))
    new.readsImported = true
    #expect(throws: JobStoreError.datasetIsNotReady("pets", state: .importing)) { try store.enqueue([new]) }
    try end(
      job,
      [
        #"{"event":"result","result":{"digest":"ab","bytes":12}}"#, #"{"event":"end","state":"succeeded"}"#,
      ])
    _ = try store.enqueue([new])
    #expect(throws: JobStoreError.datasetIsNeeded("pets", by: [new.id])) {
      try store.deleteDataset(named: "pets")
    }
  }
}
