import JSONText
import Recipe
import Testing

@Suite struct EmbedSpecificationTests {
  private let id = JobID(unixMilliseconds: 1_790_000_000_000, random: 5)

  @Test func `only the checkpoint has to be named`() throws {
    let specification = try EmbedSpecification.parse(["checkpoint": ["job": .string(id.text)]])
    #expect(
      specification
        == EmbedSpecification(
          checkpoint: CheckpointReference(job: id, which: "last"),
          dataset: EvaluationDataset(name: "fashion-mnist"), split: .test, layer: .pooled))
    #expect(specification.datasetUse == DatasetUse(name: "fashion-mnist", split: .test))
    #expect(specification.checkpointUse == specification.checkpoint)
  }

  @Test func `what it writes reads back equal`() throws {
    let specification = EmbedSpecification(
      checkpoint: CheckpointReference(job: id, which: "best"),
      dataset: EvaluationDataset(name: "pets", limit: 300), split: .train, layer: .embedding)
    #expect(try EmbedSpecification.parse(JSON.parse(specification.json.text)) == specification)
  }

  @Test func `names every wrong member`() throws {
    let error = #expect(throws: SpecificationProblems.self) {
      try EmbedSpecification.parse([
        "checkpoint": ["job": .string(id.text), "which": ""], "split": "val", "layer": "stage4",
        "dataset": ["name": "pets", "limit": 0], "size": 3,
      ])
    }
    #expect(
      error?.problems.map(\.pointer).sorted() == [
        "/checkpoint/which", "/dataset/limit", "/layer", "/size", "/split",
      ])
    #expect(throws: SpecificationProblems.self) { try EmbedSpecification.parse([:]) }
  }

  @Test func `has a step for each 256 images of its split`() throws {
    var specification = try EmbedSpecification.parse(["checkpoint": ["job": .string(id.text)]])
    #expect(specification.stepCount(imageCounts: [.train: 10, .test: 513]) == 3)
    specification.dataset.limit = 256
    #expect(specification.stepCount(imageCounts: [.train: 10, .test: 513]) == 1)
    #expect(specification.stepCount(imageCounts: [.train: 10]) == nil)
  }
}
