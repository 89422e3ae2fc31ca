import JSONText
import Text

/// Everything that determines an embedding of a dataset, resolved: the features of every image of a split by
/// a trained encoder. The JSON form is the `spec` of an `embed` job.
package struct EmbedSpecification: JSONRecord, Hashable {
  package var checkpoint: CheckpointReference
  package var dataset: EvaluationDataset
  /// The part of the dataset.
  package var split: DatasetSelection.Split
  /// Whose output describes an image.
  package var layer: EvaluationLayer

  package init(
    checkpoint: CheckpointReference, dataset: EvaluationDataset, split: DatasetSelection.Split = .test,
    layer: EvaluationLayer = .pooled
  ) {
    self.checkpoint = checkpoint
    self.dataset = dataset
    self.split = split
    self.layer = layer
  }

  package static let fields = Fields<Self> {
    Field(
      "checkpoint", \.checkpoint, .record, "Whose encoder is used: a checkpoint of a train job, or a model.")
    Field(
      "dataset", \.dataset, .record,
      "The images that are embedded; the dataset of the training, if not given. A model has none: then it "
        + "must be given.")
    Field("split", \.split, .choice, "The part of the dataset.")
    Field(
      "layer", \.layer, .choice,
      "What describes an image: the pooled maps of the last stage, the final Linear, or the projector's "
        + "output.")
  }

  /// Reads a `spec`; `checkpoint` must name a job or a model, all else has defaults.
  ///
  /// - Parameter places: where keys belong that are in a wrong place.
  package static func parse(
    _ json: JSON, at pointer: String = "", places: KeyPlaces = EmbedSpecification.places
  ) throws(SpecificationProblems) -> EmbedSpecification {
    let problems = ProblemList()
    let specification = read(json, at: pointer, dataset: nil, problems, places: places)
    try problems.check()
    guard let specification else { throw SpecificationProblems([(pointer, "is incomplete")]) }
    return specification
  }

  /// As `parse`; what is wrong is noted in the list. `nil` if it names neither a job nor a model.
  ///
  /// - Parameter dataset: the one of the training, which is embedded if no other is named.
  package static func read(
    _ json: JSON, at pointer: String, dataset: ByteString?, _ problems: ProblemList,
    places: KeyPlaces = EmbedSpecification.places
  ) -> EmbedSpecification? {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    if json["checkpoint"] == nil {
      problems.add("\(pointer)/checkpoint", "is missing; must be \(CheckpointReference.requirement)")
    }
    var result = template
    if let dataset { result.dataset.name = dataset }
    result.read(reader)
    reader.finish()
    return result.checkpoint.isComplete ? result : nil
  }

  /// What is read on top of: the defaults, without the checkpoint, which must be given.
  private static let template = EmbedSpecification(
    checkpoint: .template, dataset: EvaluationDataset(name: EvaluateSpecification.Defaults().dataset))

  /// What a `spec` may be, as a JSON Schema.
  package static let schema: JSON = schema(defaults: template)
  /// What the resolved `spec` of an answer may be, as a JSON Schema.
  package static let resolvedSchema: JSON = schema(defaults: nil)

  private static func schema(defaults: EmbedSpecification?) -> JSON {
    guard case .object(var members) = fields.schema(defaults: defaults) else { return .null }
    members["required"] = ["checkpoint"]
    return .object(members)
  }

  /// Where the keys of a `spec` belong.
  package static let places = KeyPlaces(resolvedSchema, name: "spec")

  /// How many images it takes of a split of that size.
  package func imageCount(of count: Int) -> Int { min(count, dataset.limit ?? count) }

  /// Notes a split that has no image.
  package func check(
    imageCounts counts: [DatasetSelection.Split: Int], at pointer: String, _ problems: ProblemList
  ) {
    if counts[split] ?? 0 > 0 { return }
    problems.add(
      "\(pointer)/split",
      "must be a split with images, split \"\(split.rawValue)\" of \"\(dataset.name.shown)\" has none")
  }
}

extension EmbedSpecification: WorkSpecification {
  /// Images that are embedded at once: one step.
  package static let stepImages = 256

  package static func read(
    resolved json: JSON, at pointer: String, places: KeyPlaces
  ) throws(SpecificationProblems) -> EmbedSpecification { try parse(json, at: pointer, places: places) }

  package var datasetUse: DatasetUse? { DatasetUse(name: dataset.name, split: split) }

  package var checkpointUse: CheckpointReference? { checkpoint }

  package func stepCount(imageCounts: [DatasetSelection.Split: Int]) -> Int? {
    imageCounts[split].map { stepCount(imageCount: imageCount(of: $0)) }
  }

  /// Steps needed for that number of images.
  package func stepCount(imageCount: Int) -> Int { (imageCount + Self.stepImages - 1) / Self.stepImages }
}
