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
          checkpoint: CheckpointReference(job: id, which: "last"), protocol: .logistic, features: .cached,
          dataset: EvaluationDataset(name: "synthetic"), baselines: true, epochs: 50, seed: 0, layer: .pooled,
          labelShare: 1, mirror: false, seeds: 1, knn: .init(k: 20, temperature: 0.07, metric: .cosine)))
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
      try EvaluateSpecification.parse(["checkpoint": checkpoint, "protocol": "linear"]).layer == .pooled)
    #expect(
      try EvaluateSpecification.parse(["checkpoint": checkpoint, "protocol": "linear-seed"]).layer == nil)
    #expect(
      try EvaluateSpecification.parse(["checkpoint": checkpoint, "protocol": "linear-official"]).epochs == 100
    )
  }

  @Test(arguments: [#"{"protocol":"linear"}"#, #"{"protocol":"logistic"}"#, "{}"])
  func `what an earlier version has stored keeps its meaning`(text: String) throws {
    var members = try #require(try JSON.parse(text).object)
    members["checkpoint"] = ["job": .string(id.text)]
    let stored = try EvaluateSpecification.parse(.object(members), defaults: .stored)
    let isLogistic = text.contains("logistic")
    #expect(
      stored
        == EvaluateSpecification(
          checkpoint: CheckpointReference(job: id, which: "last"), protocol: isLogistic ? .logistic : .linear,
          dataset: EvaluationDataset(name: "fashion-mnist"), layer: isLogistic ? .pooled : nil))
    // As that version wrote it: with all its members, and none that it did not know.
    members["layer"] = .null
    members["epochs"] = 7
    members["baselines"] = true
    members["protocol"] = "linear"
    let resolved = try EvaluateSpecification.parse(.object(members), defaults: .stored)
    #expect(resolved.layer == nil && resolved.epochs == 7 && resolved.baselines && resolved.seeds == 1)
  }

  @Test(
    arguments: [
      (#"{"protocol":"knn","layer":null}"#, "/layer"), (#"{"layer":"conv"}"#, "/layer"),
      (#"{"label_share":0}"#, "/label_share"), (#"{"label_share":1.5}"#, "/label_share"),
      (#"{"seeds":0}"#, "/seeds"), (#"{"seeds":101}"#, "/seeds"), (#"{"knn":{"k":0}}"#, "/knn/k"),
      (#"{"knn":{"temperature":0}}"#, "/knn/temperature"), (#"{"knn":{"metric":"l3"}}"#, "/knn/metric"),
      (#"{"protocol":"linear","mirror":true}"#, "/mirror"), (#"{"features":"augmented"}"#, "/features"),
      (#"{"protocol":"knn","features":"augmented"}"#, "/features"),
      (#"{"protocol":"finetune","layer":"embedding"}"#, "/layer"),
      (#"{"finetune":{"batch_size":1}}"#, "/finetune/batch_size"),
      (#"{"finetune":{"head_lr":0}}"#, "/finetune/head_lr"),
    ])
  func `refuses each member outside its range, and those that do not fit each other`(
    text: String, pointer: String
  ) throws {
    var members = try #require(try JSON.parse(text).object)
    members["checkpoint"] = ["job": .string(id.text)]
    let error = #expect(throws: SpecificationProblems.self) {
      try EvaluateSpecification.parse(.object(members))
    }
    #expect(error?.problems.map(\.pointer) == [pointer])
  }

  @Test func `the metrics of neighbours are named where another one is asked for`() {
    let spec: JSON = ["checkpoint": ["job": .string(id.text)], "knn": ["metric": "euclidean"]]
    let error = #expect(throws: SpecificationProblems.self) { try EvaluateSpecification.parse(spec) }
    #expect(error?.problems.map(\.message) == [#"must be one of "cosine", "whitened", got "euclidean""#])
    let schema = EvaluateSpecification.schema["properties"]?["knn"]?["properties"]?["metric"]
    #expect(schema?["enum"] == ["cosine", "whitened"] && schema?["default"] == "cosine")
  }

  @Test(arguments: [(#"{"label_share":0.01}"#, 0.03, 0.08), (#"{"label_share":0.1}"#, 0.01, 0.1)])
  func `fine-tuning has the published rates for its share of the labels, unless others are given`(
    text: String, backbone: Double, head: Double
  ) throws {
    var members = try #require(try JSON.parse(text).object)
    members["checkpoint"] = ["job": .string(id.text)]
    members["protocol"] = "finetune"
    let specification = try EvaluateSpecification.parse(.object(members))
    #expect(specification.epochs == 20)
    #expect(specification.finetune.backboneRate == backbone && specification.finetune.headRate == head)
    #expect(try EvaluateSpecification.parse(JSON.parse(specification.json.text)) == specification)
    members["finetune"] = ["backbone_lr": 0.5]
    #expect(try EvaluateSpecification.parse(.object(members)).finetune.backboneRate == 0.5)
    #expect(try EvaluateSpecification.parse(.object(members)).finetune.headRate == head)
  }

  @Test(arguments: [(0.01, 600, 6, true), (0.01, 940, 10, false), (0.01, 940, 9, true), (1, 5, 10, true)])
  func `needs a label for each class`(share: Double, count: Int, classes: Int, isEnough: Bool) {
    let specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: id, which: "last"), dataset: EvaluationDataset(name: "synthetic"),
      labelShare: share)
    let problems = ProblemList()
    specification.check(imageCounts: [.train: count, .test: 1], classes: classes, at: "", problems)
    #expect(problems.problems.map(\.pointer) == (isEnough ? [] : ["/label_share"]))
    #expect(isEnough || problems.problems.first?.message.contains("9 of 940 images") == true)
  }

  @Test(
    arguments: [
      ([:], ["/checkpoint"]), (["checkpoint": [:]], ["/checkpoint/job"]),
      (["checkpoint": "last"], ["/checkpoint"]),
      (["checkpoint": ["job": "nobody", "when": 1]], ["/checkpoint/job", "/checkpoint/when"]),
      (["checkpoint": ["job": 7], "protocol": "nn"], ["/checkpoint/job", "/protocol"]),
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
