import Foundation
import JSONText
import Recipe
import Testing
import Text

@Suite struct TrainSpecificationTests {
  @Test func `an empty spec is the small recipe, which takes minutes`() throws {
    let specification = try TrainSpecification.parse([:])
    #expect(specification == .preset(.small))
    #expect(specification.encoder.width == 16)
    #expect(specification.epochs == 4)
    let preset = TrainSpecification.schema["properties"]?["preset"]
    #expect(preset?["default"] == "small", "\(preset?.text ?? "")")
  }

  @Test func `the seed recipe is as published`() throws {
    let specification = try TrainSpecification.parse(["preset": "seed"])
    #expect(specification == .preset(.seed))
    #expect(specification.projector.widths == [1024, 1024, 1024, 1024])
    #expect(specification.encoder.fc == 512)
    #expect(specification.optimizer.learningRate == 2e-4)
    #expect(specification.epochs == 500)
  }

  @Test(arguments: Preset.allCases)
  func `what it writes reads back equal`(preset: Preset) throws {
    var specification = TrainSpecification.preset(preset)
    #expect(try TrainSpecification.parse(["preset": .string(preset.rawValue)]) == specification)
    #expect(try TrainSpecification.parse(JSON.parse(specification.json.text)) == specification)
    specification.augmentation = .mirror
    specification.dataset.limit = 1000
    specification.maxSteps = 7
    specification.checkpoint.keepEvery = 5
    specification.checkpoint.keepBest = KeepBest(metric: "rankme", mode: .max, count: 2)
    specification.divergence = DivergencePolicy(policy: .rollback, factor: 0.25, maxRollbacks: 2)
    specification.seed = (1 << 53) - 1
    specification.optimizer.learningRate = 0.1 + 0.2
    #expect(try TrainSpecification.parse(JSON.parse(specification.json.text)) == specification)
  }

  @Test(arguments: Preset.allCases)
  func `its text is that of its JSON`(preset: Preset) {
    let specification = TrainSpecification.preset(preset)
    #expect(specification.jsonText == specification.json.text)
  }

  @Test func `what an earlier version stored is read, and written with its members and new ones`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/data-schema-6/runs")
    var count = 0
    for run in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let file = folder.appending(path: "\(run)/spec.json")
      guard let bytes = try? Data(contentsOf: file) else { continue }
      let stored = try JSON.parse(Array(bytes))
      let spec = try #require(stored["spec"])
      let written =
        stored["kind"] == "train"
        ? try TrainSpecification.parse(spec).json
        : try EvaluateSpecification.parse(spec, defaults: .stored).json
      #expect(Self.additions(to: spec, in: written, at: "").isSubset(of: Self.newMembers), "\(run)")
      count += 1
    }
    #expect(count >= 5)
  }

  /// Members that the earlier version did not have, with the values that mean what it did.
  private static let newMembers: Set<String> = [
    "/layer null", "/method \"vicreg\"", "/predictor null", "/schedule/horizon_epochs null", "/views 2",
    "/image_size null", "/init_from null", "/encoder/stem \"cifar\"", "/encoder/zero_init_residual false",
    "/projector/hidden_bias true", "/projector/last_batch_norm false", "/optimizer/nesterov false",
    "/augmentation/crop_padding null", "/local_views null", "/online null", "/mirror false", "/seeds 1",
    "/label_share 1", "/finetune \(FineTuneSpecification().json.text)",
    #"/knn {"k":20,"metric":"cosine","temperature":0.07}"#,
  ]

  /// Members that one value has and the other has not, with their values; and those that differ.
  private static func additions(to old: JSON, in new: JSON, at pointer: String) -> Set<String> {
    guard let members = new.object, let before = old.object else {
      return old == new ? [] : ["\(pointer) was \(old.text), is \(new.text)"]
    }
    let lost = before.keys.filter { members[$0] == nil }.map { "\(pointer)/\($0) is gone" }
    return members.reduce(into: Set(lost)) { found, member in
      let place = "\(pointer)/\(member.key)"
      if let value = before[member.key] {
        found.formUnion(additions(to: value, in: member.value, at: place))
      } else {
        found.insert("\(place) \(member.value.text)")
      }
    }
  }

  @Test func `writes the names that the interface promises`() {
    let json = TrainSpecification.preset(.seed).json
    #expect(
      json.object?.keys.sorted() == [
        "augmentation", "batch_size", "checkpoint", "convolution", "dataset", "divergence", "drop_last",
        "encoder", "epochs", "image_size", "init_from", "local_views", "log_every_steps", "loss", "max_steps",
        "method",
        "online", "optimizer",
        "predictor", "preset", "projector", "schedule", "seed", "shuffle", "views",
      ])
    #expect(
      json["encoder"] == [
        "arch": "resnet18", "width": 64, "stem": "cifar", "stem_padding": 0, "stem_bias": true, "fc": 512,
        "zero_init_residual": false,
      ])
    #expect(
      json["loss"] == [
        "inv": 25, "var": 25, "cov": 1, "gamma": 1, "epsilon": 0, "variance": "sum",
        "batch_norm": "concatenated",
      ])
    #expect(json["dataset"] == ["name": "fashion-mnist", "split": "train", "limit": nil])
    let schedule: JSON = ["name": "constant", "warmup_epochs": 0, "final_factor": 0, "horizon_epochs": nil]
    #expect(json["schedule"] == schedule)
    #expect(
      json["checkpoint"] == [
        "every_epochs": 10, "initial": false, "keep_last": 3, "keep_every": nil, "keep_best": nil,
      ])
    #expect(json["divergence"] == ["policy": "fail", "lr_factor": 0.5, "max_rollbacks": 3])
  }

  @Test(arguments: MethodName.allCases)
  func `small takes the heads, the optimiser and the views of another method`(method: MethodName) throws {
    let specification = try TrainSpecification.parse(["method": .string(ByteString(method.rawValue))])
    #expect(specification.preset == .small && specification.loss.method == method)
    #expect((specification.predictor != nil) == (method == .byol || method == .simsiam))
    #expect(specification.views == (method == .supervised ? 1 : 2))
    #expect(specification.encoder == TrainSpecification.preset(.small).encoder)
    #expect(try TrainSpecification.parse(specification.json) == specification)
  }

  @Test(arguments: Preset.allCases)
  func `a preset is read back as it is, and its rate follows the batch`(preset: Preset) throws {
    let specification = TrainSpecification.preset(preset)
    #expect(try TrainSpecification.parse(specification.json) == specification)
    let halved = try TrainSpecification.parse([
      "preset": .string(ByteString(preset.rawValue)), "batch_size": 128,
    ])
    let follows = ![.seed, .small, .fashionHour, .paper].contains(preset)
    if follows {
      #expect(halved.optimizer.learningRate == specification.optimizer.learningRate / 2)
    }
  }

  @Test func `the named presets differ from seed as their recipes do`() {
    let paper = TrainSpecification.preset(.paper)
    #expect(
      paper.loss == LossSpecification(VICReg(epsilon: 1e-4, variance: .mean, batchNorm: .perView)))
    #expect(paper.projector == ProjectorSpecification(widths: [1024, 1024, 1024], lastBias: false))
    #expect(paper.optimizer.name == .lars)
    #expect(paper.optimizer.learningRate == 0.5)
    #expect(paper.schedule == ScheduleSpecification(name: .cosine, warmupEpochs: 10, finalFactor: 0.001))
    let solo = TrainSpecification.preset(.soloCIFAR)
    #expect(solo.encoder.stemPadding == 2)
    #expect(solo.encoder.fc == nil)
    #expect(solo.optimizer.trust == 0.02)
    #expect(solo.optimizer.clip)
    #expect(solo.dropLast)
    #expect(TrainSpecification.preset(.small).encoder.width == 16)
  }

  @Test(arguments: [
    (Preset.paper, 128, 0.4), (.paper, 256, 0.5), (.paper, 512, 0.8), (.paper, 2048, 2.4),
    (.soloCIFAR, 512, 0.6),
    (.seed, 512, 2e-4),
  ])
  func `a recipe's rate follows the batch size unless it is given`(
    preset: Preset, batchSize: Int, rate: Double
  ) throws {
    let spec: JSON = ["preset": .string(preset.rawValue), "batch_size": .integer(batchSize)]
    #expect(try TrainSpecification.parse(spec).optimizer.learningRate == rate)
    let given: JSON = [
      "preset": .string(preset.rawValue), "batch_size": .integer(batchSize), "optimizer": ["lr": 0.25],
    ]
    #expect(try TrainSpecification.parse(given).optimizer.learningRate == 0.25)
  }

  /// Member by member: a pointer, a wrong value, and what the message has to say.
  @Test(
    arguments: [
      (
        "/preset", "sed",
        #"must be one of "seed", "paper", "solo-cifar", "small", "fashion-hour", "barlow-cifar", "#
          + #""simclr-cifar", "byol-cifar", "simsiam-cifar", "sigreg-cifar", "supervised", got "sed""#
      ),
      (
        "/method", "vicregs",
        #"must be one of "vicreg", "barlow-twins", "simclr", "byol", "simsiam", "sigreg", "supervised", "#
          + #"got "vicregs""#
      ),
      ("/loss/temperature", 0.2, #"is allowed only where method is "simclr", got 0.2"#),
      ("/views", 9, "must be a whole number from 1 to 8, got 9"),
      ("/views", 1, #"must be from 2 to 8, as method is "vicreg", got 1"#),
      ("/local_views", 4, "must be an object, got 4"),
      ("/local_views/count", 9, "must be a whole number from 1 to 8, got 9"),
      ("/local_views/size", 7, "must be a whole number from 8 to 256, got 7"),
      (
        "/local_views/crop_scale", [0.4, 0.05],
        "must be [low, high] with low ≤ high, both > 0 and ≤ 1, got [0.4,0.05]"
      ),
      ("/predictor", [:], #"must be null, as method is "vicreg""#),
      ("/image_size", 15, "must be null or a whole number from 16 to 256, got 15"),
      ("/epochs", 0, "must be a whole number from 1 to 1000000, got 0"),
      ("/epochs", 1.5, "must be a whole number from 1 to 1000000, got 1.5"),
      ("/epochs", "ten", "must be a whole number from 1 to 1000000, got \"ten\""),
      ("/epochs", nil, "must be a whole number from 1 to 1000000, got null"),
      ("/max_steps", 0, "must be null or a whole number from 1 to 1000000000, got 0"),
      ("/batch_size", 1, "must be a whole number from 2 to 65536, got 1"),
      ("/shuffle", 1, "must be true or false, got 1"),
      ("/drop_last", "no", "must be true or false, got \"no\""),
      ("/seed", -1, "must be a whole number from 0 to 9007199254740991, got -1"),
      (
        "/seed", 9_007_199_254_740_992,
        "must be a whole number from 0 to 9007199254740991, got 9007199254740992"
      ),
      ("/convolution", "fft", #"must be one of "direct", "auto", got "fft""#),
      ("/log_every_steps", 0, "must be a whole number from 1 to 1000000, got 0"),
      ("/dataset", "cifar10", "must be an object, got \"cifar10\""),
      (
        "/dataset/name", "",
        "must be a string of 1 to 1024 characters without control characters and controls of text direction, "
          + "got \"\""
      ),
      ("/dataset/split", "val", #"must be one of "train", "test", got "val""#),
      ("/dataset/limit", 1, "must be null or a whole number from 2 to 1000000000, got 1"),
      ("/encoder/arch", "vit", #"must be one of "resnet18", "resnet34", "resnet50", got "vit""#),
      ("/encoder/width", 20, "must be a multiple of 16 from 16 to 512, got 20"),
      ("/encoder/stem_padding", 3, "must be a whole number from 0 to 2, got 3"),
      ("/encoder/stem_bias", nil, "must be true or false, got null"),
      ("/encoder/fc", 0, "must be null or a whole number from 1 to 16384, got 0"),
      ("/projector/widths", [], "must be an array of 1 to 8 whole numbers from 1 to 16384, got []"),
      (
        "/projector/widths", [64, "x"],
        "must be an array of 1 to 8 whole numbers from 1 to 16384, got [64,\"x\"]"
      ),
      (
        "/projector/widths", [64, 1],
        "must end with 2 or more, as one dimension has no covariance, got [64,1]"
      ),
      ("/projector/last_bias", "true", "must be true or false, got \"true\""),
      ("/loss/inv", -1, "must be from 0 to 1000000, got -1"),
      ("/loss/gamma", 0, "must be > 0, got 0"),
      ("/loss/epsilon", 2, "must be from 0 to 1, got 2"),
      ("/loss/variance", "max", #"must be one of "sum", "mean", got "max""#),
      ("/loss/batch_norm", "none", #"must be one of "concatenated", "per_view", got "none""#),
      ("/augmentation", "mirrored", "must be \"mirror\" or an object, got \"mirrored\""),
      (
        "/augmentation/crop_scale", [0.5, 0.2],
        "must be [low, high] with low ≤ high, both > 0 and ≤ 1, got [0.5,0.2]"
      ),
      (
        "/augmentation/crop_scale", [0, 1], "must be [low, high] with low ≤ high, both > 0 and ≤ 1, got [0,1]"
      ),
      ("/augmentation/crop_ratio", [1], "must be [low, high] with low ≤ high, both > 0 and ≤ 100, got [1]"),
      ("/augmentation/antialias", 0, "must be true or false, got 0"),
      ("/augmentation/flip_probability", 1.5, "must be from 0 to 1, got 1.5"),
      ("/augmentation/hue", 0.6, "must be from 0 to 0.5, got 0.6"),
      ("/augmentation/blur_kernel", 4, "must be odd, got 4"),
      (
        "/augmentation/blur_sigma", [2, 1],
        "must be [low, high] with low ≤ high, both > 0 and ≤ 100, got [2,1]"
      ),
      (
        "/augmentation/blur_probability", [0.1, 0.2, 0.3],
        "must be a number from 0 to 1, or an array of two such numbers, one per view, got [0.1,0.2,0.3]"
      ),
      ("/optimizer/name", "Adam", #"must be one of "adam", "adamw", "sgd", "lars", got "Adam""#),
      ("/optimizer/lr", -1, "must be > 0, got -1"),
      ("/optimizer/lr", 1001, "must be > 0 and ≤ 1000, got 1001"),
      ("/optimizer/lr", "fast", "must be a number > 0 and ≤ 1000, got \"fast\""),
      ("/optimizer/betas", [0.9, 1], "must be an array of 2 numbers ≥ 0 and < 1, got [0.9,1]"),
      ("/optimizer/momentum", 1, "must be ≥ 0 and < 1, got 1"),
      ("/optimizer/weight_decay", -0.1, "must be from 0 to 100, got -0.1"),
      ("/schedule/name", "step", #"must be one of "constant", "cosine", got "step""#),
      ("/schedule/final_factor", 2, "must be from 0 to 1, got 2"),
      ("/schedule/warmup_epochs", 501, "must be ≤ epochs (4), got 501"),
      ("/checkpoint/every_epochs", 0, "must be a whole number from 1 to 1000000, got 0"),
      ("/checkpoint/keep_last", 0, "must be a whole number from 1 to 10000, got 0"),
      ("/checkpoint/keep_every", 0, "must be null or a whole number from 1 to 1000000, got 0"),
      ("/checkpoint/keep_best/mode", "low", #"must be one of "min", "max", null, got "low""#),
      ("/divergence/policy", "hope", #"must be one of "fail", "rollback", got "hope""#),
      ("/divergence/lr_factor", 0, "must be > 0, got 0"),
      ("/checkpoint/initial", "yes", "must be true or false, got \"yes\""),
    ] as [(String, JSON, String)])
  func `a wrong field is named with its value and what is allowed`(
    pointer: String, value: JSON, message: String
  ) throws {
    let keys = pointer.split(separator: "/").map(String.init)
    let spec = keys.reversed().reduce(value) { .object([$1: $0]) }
    let error = #expect(throws: SpecificationProblems.self) { try TrainSpecification.parse(spec) }
    #expect(error?.problems.map(\.pointer) == [pointer])
    #expect(error?.problems.first?.message == message)
  }

  @Test func `a run with more metric lines than a file may have is told how often to log`() {
    var specification = TrainSpecification.preset(.small)
    specification.epochs = 1_000_000
    specification.logEverySteps = 1
    let problems = ProblemList()
    specification.check(imageCount: 6400, at: "/spec", problems)
    #expect(problems.problems.map(\.pointer) == ["/spec/log_every_steps"])
    #expect(problems.problems.first?.message.hasPrefix("must be ≥ 26, as a run of 100000000 steps") == true)
  }

  @Test func `all problems come at once`() {
    let spec: JSON = [
      "optimiser": [:], "epochs": 0, "optimizer": ["lr": -1, "momentun": 0.9], "encoder": ["width": "wide"],
      "a/b~c": 1,
    ]
    let error = #expect(throws: SpecificationProblems.self) {
      try TrainSpecification.parse(spec, at: "/spec")
    }
    #expect(
      Set(error?.problems.map(\.pointer) ?? []) == [
        "/spec/optimiser", "/spec/epochs", "/spec/optimizer/lr", "/spec/optimizer/momentun",
        "/spec/encoder/width",
        "/spec/a~1b~0c",
      ])
    let messages = Dictionary(
      error?.problems.map { ($0.pointer, $0.message) } ?? [], uniquingKeysWith: { $1 })
    #expect(
      messages["/spec/optimiser"]?.contains("unknown key \"optimiser\"; did you mean \"optimizer\"?") == true)
    #expect(
      messages["/spec/optimizer/momentun"]
        == "unknown key \"momentun\"; did you mean \"momentum\"? Known here: betas, clip, eps, "
        + "exclude_bias_and_norm, lr, momentum, name, nesterov, trust, weight_decay")
  }

  @Test(arguments: [JSON.null, [], "seed", 3])
  func `a spec that is no object is refused as such`(spec: JSON) {
    let error = #expect(throws: SpecificationProblems.self) {
      try TrainSpecification.parse(spec, at: "/spec")
    }
    #expect(error?.problems.count == 1)
    #expect(error?.problems.first?.pointer == "/spec")
  }

  @Test func `a specification that an earlier version took with any name of a metric is still read`() throws {
    let stored: JSON = ["checkpoint": ["keep_best": ["metric": "los"]]]
    #expect(try TrainSpecification.parse(stored).checkpoint.keepBest?.metric == "los")
  }

  @Test func `a loss without any weight is refused`() {
    let spec: JSON = ["loss": ["inv": 0, "var": 0, "cov": 0]]
    let error = #expect(throws: SpecificationProblems.self) { try TrainSpecification.parse(spec) }
    #expect(error?.problems.map(\.pointer) == ["/loss"])
  }

  @Test func `batches that the images cannot fill are refused`() {
    let alone: JSON = ["dataset": ["limit": 257], "batch_size": 256]
    #expect(throws: SpecificationProblems.self) { try TrainSpecification.parse(alone) }
    let none: JSON = ["dataset": ["limit": 255], "batch_size": 256, "drop_last": true]
    #expect(throws: SpecificationProblems.self) { try TrainSpecification.parse(none) }
    let fits: JSON = ["dataset": ["limit": 257], "batch_size": 256, "drop_last": true]
    #expect(throws: Never.self) { try TrainSpecification.parse(fits) }
  }

  @Test func `one probability serves both views`() throws {
    let spec: JSON = ["augmentation": ["blur_probability": 0.25, "solarize_probability": [0, 1]]]
    guard case .random(let recipe) = try TrainSpecification.parse(spec).augmentation else {
      Issue.record("not random")
      return
    }
    #expect(recipe.blurProbability == [0.25, 0.25])
    #expect(recipe.solarizeProbability == [0, 1])
    #expect(recipe.cropScale == 0.2...1)
  }

  @Test func `counts its steps`() throws {
    var specification = TrainSpecification.preset(.seed)
    #expect(specification.stepsPerEpoch(imageCount: 50_000) == 196)
    #expect(specification.stepCount(imageCount: 50_000) == 98_000)
    specification.dropLast = true
    #expect(specification.stepsPerEpoch(imageCount: 50_000) == 195)
    specification.dataset.limit = 512
    specification.epochs = 3
    #expect(specification.stepCount(imageCount: 50_000) == 6)
    specification.maxSteps = 5
    #expect(specification.stepCount(imageCount: 50_000) == 5)
  }

  @Test func `views must be as large as the stem's convolution`() {
    func problems(side: Int, _ change: (inout TrainSpecification) -> Void) -> [String] {
      var specification = TrainSpecification.preset(.seed)
      specification.augmentation = .mirror
      change(&specification)
      let list = ProblemList()
      specification.check(imageSide: side, at: "/spec", list)
      return list.problems.map { "\($0.pointer) \($0.message)" }
    }
    #expect(
      problems(side: 2) { _ in } == [
        "/spec/image_size must be at least 3, as the stem's 3×3 convolution has a padding of 0, got 2"
      ])
    #expect(problems(side: 2) { $0.imageSize = 16 }.isEmpty)
    #expect(problems(side: 1) { $0.encoder.stemPadding = 1 }.isEmpty)
    #expect(problems(side: 1) { $0.encoder.stem = .imagenet }.isEmpty)
  }
}
