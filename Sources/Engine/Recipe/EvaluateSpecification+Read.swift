import JSONText
import Text

extension EvaluateSpecification {
  /// What a `spec` leaves to the job that it names.
  package struct Defaults: Sendable {
    /// The dataset, that of the training.
    package var dataset: ByteString

    /// Whether a version that did not know all members may have written the `spec`: what it lacks is then
    /// what that version did, whatever the defaults are by now.
    package var isStored: Bool

    package init(dataset: ByteString = "fashion-mnist", isStored: Bool = false) {
      self.dataset = dataset
      self.isStored = isStored
    }

    /// Of the `spec` of a job that was queued.
    package static let stored = Defaults(isStored: true)
  }

  /// Reads a `spec`; `checkpoint` must name a job or a model, all else has defaults.
  ///
  /// - Parameter places: where keys belong that are in a wrong place.
  package static func parse(
    _ json: JSON, at pointer: String = "", defaults: Defaults = Defaults(),
    places: KeyPlaces = EvaluateSpecification.places
  ) throws(SpecificationProblems) -> EvaluateSpecification {
    let problems = ProblemList()
    let specification = read(json, at: pointer, defaults: defaults, problems, places: places)
    try problems.check()
    guard let specification else { throw SpecificationProblems([(pointer, "is incomplete")]) }
    return specification
  }

  /// As `parse`; what is wrong is noted in the list. `nil` if it names neither a job nor a model.
  package static func read(
    _ json: JSON, at pointer: String, defaults: Defaults = Defaults(), _ problems: ProblemList,
    places: KeyPlaces = EvaluateSpecification.places
  ) -> EvaluateSpecification? {
    let reader = ObjectReader(json, at: pointer, problems, places: places)
    if json["checkpoint"] == nil {
      problems.add("\(pointer)/checkpoint", "is missing; must be \(CheckpointReference.requirement)")
    }
    var result = defaults.isStored ? earlier : template
    result.dataset.name = defaults.dataset
    result.read(reader)
    reader.finish()
    // Versions without `layer` evaluated the output, and protocol logistic the pooled maps.
    if defaults.isStored, json["layer"] == nil { result.layer = result.protocol == .logistic ? .pooled : nil }
    return result.checkpoint.isComplete ? result : nil
  }

  /// What is read on top of: the defaults, without the checkpoint, which must be given.
  private static let template = {
    var template = earlier
    (template.protocol, template.layer, template.baselines) = (.logistic, .pooled, true)
    return template
  }()

  /// The same of versions that did not know all members.
  private static let earlier = EvaluateSpecification(
    checkpoint: .template, dataset: EvaluationDataset(name: Defaults().dataset))

  /// What a `spec` may be, as a JSON Schema.
  package static let schema: JSON = schema(defaults: template)
  /// What the resolved `spec` of an answer may be, as a JSON Schema.
  package static let resolvedSchema: JSON = schema(defaults: nil)

  private static func schema(defaults: EvaluateSpecification?) -> JSON {
    guard case .object(var members) = fields.schema(defaults: defaults) else { return .null }
    members["required"] = ["checkpoint"]
    return .object(members)
  }

  /// Where the keys of a `spec` belong.
  package static let places = KeyPlaces(resolvedSchema, name: "spec")

  /// Notes a dataset that has too few images to fit or test a classifier.
  ///
  /// - Parameter classes: of the dataset.
  package func check(
    imageCounts counts: [DatasetSelection.Split: Int], classes: Int, at pointer: String,
    _ problems: ProblemList
  ) {
    for (split, needed) in [(DatasetSelection.Split.train, 2), (.test, 1)] {
      let count = min(counts[split] ?? 0, dataset.limit ?? .max)
      if count >= needed { continue }
      problems.add(
        "\(pointer)/dataset/name",
        "must have at least \(needed) \(needed == 1 ? "image" : "images") in split \"\(split.rawValue)\", "
          + "got \(count)")
    }
    let count = min(counts[.train] ?? 0, dataset.limit ?? .max)
    if labelShare < 1, count >= 2, labelledCount(of: count) < classes {
      problems.add(
        "\(pointer)/label_share",
        "must leave at least one image for each of the \(classes) classes, got "
          + "\(JSON.number(labelShare).text), which is \(labelledCount(of: count)) of \(count) images")
    }
  }

  /// How many of that many training images have labels that are used.
  package func labelledCount(of images: Int) -> Int {
    labelShare == 1 ? images : Int((labelShare * Double(images)).rounded())
  }

  /// Notes a layer that a model does not have.
  package func check(model: ModelDescription, at pointer: String, _ problems: ProblemList) {
    if let problem = layer?.problem(with: model) { problems.add("\(pointer)/layer", problem) }
  }

  /// Notes a layer that the network of a training does not have.
  package func check(training: TrainSpecification, at pointer: String, _ problems: ProblemList) {
    if let problem = layer?.problem(with: training) { problems.add("\(pointer)/layer", problem) }
  }
}

extension EvaluationLayer {
  /// What is said of a layer that a model does not have; `nil`: it has it.
  package func problem(with model: ModelDescription) -> String? {
    let hasFC = model.encoder.fc != nil
    if self == .pooled || self == .fc && hasFC { return nil }
    return "must be \(hasFC ? "\"pooled\" or \"fc\"" : "\"pooled\""), as the model has no "
      + "\(self == .fc ? "fc" : "projector"), got \"\(rawValue)\""
  }

  /// What is said of a layer that the network of a training does not have; `nil`: it has it.
  package func problem(with training: TrainSpecification) -> String? {
    switch self {
    case .fc where training.encoder.fc == nil:
      "must be \"pooled\" or \"embedding\", as encoder.fc of the training is null, got \"fc\""
    case .embedding where !training.hasProjector:
      "must be \"pooled\" or \"fc\", as method \"\(training.loss.method.rawValue)\" has no projector, got "
        + "\"embedding\""
    case .pooled, .fc, .embedding: nil
    }
  }
}
