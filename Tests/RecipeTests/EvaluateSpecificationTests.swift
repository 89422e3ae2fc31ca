import JSONText
import Recipe
import Testing

@Suite struct EvaluateSpecificationTests {
  private let id = JobID(unixMilliseconds: 1_790_000_000_000, random: 5)

  @Test func `only the job has to be named`() throws {
    let spec: JSON = ["checkpoint": ["job": .string(id.text)]]
    let specification = try EvaluateSpecification.parse(spec, defaults: .init(dataset: "synthetic"))
    #expect(
      specification
        == EvaluateSpecification(
          checkpoint: CheckpointReference(job: id, which: "last"), protocol: .linear, features: .cached,
          dataset: EvaluationDataset(name: "synthetic"), baselines: false, epochs: 50, seed: 0))
    #expect(try EvaluateSpecification.parse(JSON.parse(specification.json.text)) == specification)
  }

  @Test func `what it writes reads back equal`() throws {
    let specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: id, which: "step-00000010.safetensors.gz"), protocol: .linearSeed,
      features: .cached, dataset: EvaluationDataset(name: "cifar10:/data", limit: 100), baselines: true,
      epochs: 3,
      seed: (1 << 53) - 1)
    #expect(try EvaluateSpecification.parse(JSON.parse(specification.json.text)) == specification)
  }

  @Test func `logistic takes the pooled maps, or fc, of images that do not change`() throws {
    let checkpoint: JSON = ["job": .string(id.text)]
    let standard = try EvaluateSpecification.parse(["checkpoint": checkpoint, "protocol": "logistic"])
    #expect(standard.layer == .pooled)
    #expect(standard.features == .cached)
    #expect(try EvaluateSpecification.parse(JSON.parse(standard.json.text)) == standard)
    let fc = try EvaluateSpecification.parse([
      "checkpoint": checkpoint, "protocol": "logistic", "layer": "fc",
    ])
    #expect(fc.layer == .fc)
    let error = #expect(throws: SpecificationProblems.self) {
      try EvaluateSpecification.parse([
        "checkpoint": checkpoint, "protocol": "logistic", "layer": .null, "features": "augmented",
      ])
    }
    #expect(error?.problems.map(\.pointer).sorted() == ["/features", "/layer"])
    #expect(throws: SpecificationProblems.self) {
      try EvaluateSpecification.parse(["checkpoint": checkpoint, "layer": "projector"])
    }
    #expect(
      try EvaluateSpecification.parse(["checkpoint": checkpoint, "protocol": "linear"]).layer == nil)
  }

  @Test(
    arguments: [
      ([:], ["/checkpoint"]), (["checkpoint": [:]], ["/checkpoint/job"]),
      (["checkpoint": "last"], ["/checkpoint"]),
      (["checkpoint": ["job": "nobody", "when": 1]], ["/checkpoint/job", "/checkpoint/when"]),
      (["checkpoint": ["job": 7], "protocol": "knn"], ["/checkpoint/job", "/protocol"]),
      (
        [
          "checkpoint": ["job": "01kcz0000000000a"], "features": "none", "baselines": 1, "epochs": 0,
          "seed": "x",
          "dataset": ["name": 1, "split": "train"], "protocols": "linear",
        ],
        [
          "/baselines", "/dataset/name", "/dataset/split", "/epochs", "/features", "/protocols", "/seed",
        ]
      ),
    ] as [(JSON, [String])])
  func `names every wrong field`(spec: JSON, pointers: [String]) {
    let error = #expect(throws: SpecificationProblems.self) { try EvaluateSpecification.parse(spec) }
    #expect(error?.problems.map(\.pointer).sorted() == pointers)
  }
}
