import JSONText
import JobModel
import Recipe
import Testing

@testable import JobStore

/// The registry of uploaded models (issue 17).
@Suite struct `Models of the store` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }

  init() throws { fixture = try StoreFixture() }

  private func model(_ name: String, width: Int = 16) -> ModelRecord {
    ModelRecord(
      id: store.newID(), name: .init(name),
      description: ModelDescription(
        encoder: EncoderSpecification(width: width, stem: .imagenet), imageSize: 64),
      parameterCount: 5, digest: "ab", bytes: 12, createdAtMilliseconds: 7)
  }

  private func job(_ reference: CheckpointReference, model: JobID? = nil) -> NewJob {
    let specification = EvaluateSpecification(
      checkpoint: reference, dataset: EvaluationDataset(name: "synthetic"))
    var job = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .evaluate(specification))
    job.model = model
    return job
  }

  @Test func `a model is read as it was stored, by a name that is its own`() throws {
    let (one, other) = (model("one"), model("other", width: 32))
    try store.add(one)
    try store.add(other)
    #expect(try store.models() == [one, other])
    #expect(try store.model(named: "other") == other)
    #expect(try store.model(named: "Other") == nil)
    #expect(throws: JobStoreError.modelExists("one")) { try store.add(model("one")) }
  }

  @Test func `a model goes when no unfinished job needs it`() throws {
    let record = model("mine")
    try store.add(record)
    let evaluation = try #require(
      try store.enqueue([job(CheckpointReference(model: "mine"), model: record.id)]).first)
    var train = TrainSpecification()
    train.initFrom = InitialWeights(CheckpointReference(model: "mine"))
    let training = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .train(train))
    _ = try store.enqueue([training])
    #expect(throws: JobStoreError.modelIsNeeded("mine", by: [evaluation.id, training.id])) {
      try store.deleteModel(named: "mine") { _ in Issue.record("the model is needed") }
    }
    for id in [evaluation.id, training.id] { _ = try store.requestCancel(id, mode: .graceful) }
    struct Refused: Error {}
    #expect(throws: Refused.self) { try store.deleteModel(named: "mine") { _ in throw Refused() } }
    #expect(try store.deleteModel(named: "mine") { _ in } == record)
    #expect(throws: JobStoreError.noSuchModel("mine")) { try store.deleteModel(named: "mine") { _ in } }
    #expect(throws: JobStoreError.retryNeedsModel(evaluation.id, "mine")) { try store.retry(evaluation.id) }
    try store.add(model("mine"))
    #expect(try store.retry(evaluation.id).state == .queued)
  }

  @Test func `a job is queued only with the model that it was read with`() throws {
    let reference = CheckpointReference(model: "mine")
    #expect(throws: JobStoreError.noSuchModel("mine")) { try store.enqueue([job(reference)]) }
    let record = model("mine")
    try store.add(record)
    #expect(throws: JobStoreError.noSuchModel("mine")) {
      try store.enqueue([job(reference, model: store.newID())])
    }
    #expect(try store.enqueue([job(reference, model: record.id)]).first?.state == .queued)
  }
}
