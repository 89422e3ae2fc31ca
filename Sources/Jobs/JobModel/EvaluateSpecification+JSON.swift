import JSONText
import Text

extension EvaluateSpecification {
  /// What a `spec` leaves to the job that it names.
  package struct Defaults: Sendable {
    /// The dataset, that of the training.
    package var dataset: ByteString

    package init(dataset: ByteString = "fashion-mnist") { self.dataset = dataset }
  }

  /// Reads a `spec`; `checkpoint.job` is required, all else has defaults.
  package static func parse(
    _ json: JSON, at pointer: String = "", defaults: Defaults = Defaults()
  ) throws(SpecificationProblems) -> EvaluateSpecification {
    let problems = ProblemList()
    let specification = read(json, at: pointer, defaults: defaults, problems)
    try problems.check()
    guard let specification else { throw SpecificationProblems([(pointer, "is incomplete")]) }
    return specification
  }

  /// As `parse`; what is wrong is noted in the list. `nil` if it names no job.
  package static func read(
    _ json: JSON, at pointer: String, defaults: Defaults = Defaults(), _ problems: ProblemList
  ) -> EvaluateSpecification? {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    if json["checkpoint"] == nil {
      problems.add("\(pointer)/checkpoint", "is missing; must be {\"job\": ID, \"which\": \"last\"}")
    }
    let specification = read(reader, defaults: defaults)
    reader.finish()
    return specification
  }

  /// What a `spec` may be, as a JSON Schema.
  package static var schema: JSON {
    let schema = ObjectReader.schema { _ = read($0, defaults: Defaults()) }
    guard case .object(var members) = schema else { return schema }
    members["required"] = ["checkpoint"]
    return .object(members)
  }

  private static let places = KeyPlaces(schema, outside: JobSubmission.keys, name: "spec")

  private static func read(_ reader: ObjectReader, defaults: Defaults) -> EvaluateSpecification? {
    var checkpoint: CheckpointReference?
    reader.object("checkpoint", "What is evaluated: a checkpoint of a train job.") {
      checkpoint = CheckpointReference.read($0)
    }
    var choice = EvaluationProtocol.linear
    reader.choice("protocol", into: &choice, "How the frozen encoder is evaluated; every result names it.")
    var features = Features.cached
    reader.choice(
      "features", into: &features,
      "What the head is trained on: cached features of unaugmented images, or new augmented ones each epoch.")
    if choice == .logistic, features != .cached {
      reader.refuse("features", "must be \"cached\" with protocol \"logistic\"")
    }
    var layer = choice == .logistic ? EvaluationLayer.pooled : nil
    reader.layer("layer", into: &layer)
    if choice == .logistic, layer == nil {
      reader.refuse("layer", "must be \"pooled\" or \"fc\" with protocol \"logistic\"")
    }
    var dataset = EvaluationDataset(name: defaults.dataset)
    reader.object(
      "dataset",
      "The images that the head is trained and tested on; the dataset of the training, if not given."
    ) {
      $0.line(
        "name", charactersMax: 1024, into: &dataset.name,
        "A dataset of GET /datasets, or a path in one of the forms of --dataset-root.")
      $0.integer(
        "limit", orNullIn: 2...1_000_000_000, into: &dataset.limit,
        "Use only the first N images of each split; null: all.")
    }
    var baselines = false
    reader.boolean(
      "baselines", into: &baselines,
      "Whether raw pixels and the untrained encoder are evaluated in the same way.")
    var epochs = 50
    reader.integer("epochs", 1...100_000, into: &epochs, "Epochs of the linear head; logistic has none.")
    var seed: UInt64 = 0
    reader.seed(
      "seed", into: &seed,
      "Of all randomness; the same specification and seed give the same result.")
    return checkpoint.map {
      EvaluateSpecification(
        checkpoint: $0, protocol: choice, features: features, dataset: dataset, baselines: baselines,
        epochs: epochs, seed: seed, layer: layer)
    }
  }

  /// Every field by name; `parse` reads it back as an equal value.
  package var json: JSON {
    [
      "checkpoint": ["job": .string(checkpoint.job.text), "which": .string(checkpoint.which)],
      "protocol": .string(`protocol`.rawValue),
      "features": .string(features.rawValue),
      "layer": layer.map { .string($0.rawValue) } ?? .null,
      "dataset": ["name": .string(dataset.name), "limit": .optional(dataset.limit)],
      "baselines": .bool(baselines),
      "epochs": .integer(epochs),
      "seed": .integer(Int(seed)),
    ]
  }
}

extension ObjectReader {
  /// A layer of the encoder, or `null`.
  fileprivate func layer(_ key: ByteString, into field: inout EvaluationLayer?) {
    describe(
      key,
      "What of the encoder is evaluated; null: its output. Default: pooled with logistic, else null.",
      ["enum": .array(EvaluationLayer.allCases.map { .string($0.rawValue) } + [.null])])
    guard let value = value(key) else { return }
    if value.isNull {
      field = nil
    } else if let layer = value.string.flatMap(EvaluationLayer.init(bytes:)) {
      field = layer
    } else {
      refuse(key, "must be one of \"pooled\", \"fc\", null")
    }
  }
}

extension CheckpointReference {
  fileprivate static func read(_ reader: ObjectReader) -> CheckpointReference? {
    reader.describe("job", "The id of a train job.", ["type": "string"])
    var which: ByteString = "last"
    reader.line(
      "which", charactersMax: 255, into: &which,
      "Which of its checkpoints: `last` or `best` (by the training's checkpoint.keep_best), for which the "
        + "evaluation waits until the training has ended; or the name of a checkpoint that exists, which is "
        + "kept for the evaluation.")
    guard let id = reader.value("job")?.string.flatMap(JobID.init) else {
      reader.refuse("job", "must be the id of a train job")
      return nil
    }
    return CheckpointReference(job: id, which: which)
  }
}
