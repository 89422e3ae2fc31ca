import JSONText
import Recipe

/// The whole state of an evaluation that it can be resumed from.
struct EvaluationState: Sendable, Equatable {
  /// The subject that is being evaluated.
  let subject: EvaluationSubject
  /// Which of its runs, from 0.
  let run: Int
  /// What the runs before gave.
  let outcomes: [EvaluationSubject: [EvaluationOutcome]]
  /// Where the present run stands.
  let place: ProbePlace

  /// A state.
  init(
    subject: EvaluationSubject, run: Int, outcomes: [EvaluationSubject: [EvaluationOutcome]],
    place: ProbePlace
  ) {
    self.subject = subject
    self.run = run
    self.outcomes = outcomes
    self.place = place
  }

  /// Reads the state in `file`, which must come from the same specification.
  ///
  /// Specifications are compared as they are read: fields that the writer of `file` did not know have their
  /// defaults.
  init(_ file: TensorFile, of specification: EvaluateSpecification) throws(CheckpointError) {
    let metadata = try CheckpointMetadata(file.metadata)
    guard try Self.specification(in: metadata) == specification else { throw .otherSpecification }
    guard let subject = EvaluationSubject(rawValue: try metadata.text("subject")) else {
      throw .metadata(key: "subject", "is unknown")
    }
    self.subject = subject
    run = try metadata.natural("run")
    var tensors = file.tensors
    var outcomes: [EvaluationSubject: [EvaluationOutcome]] = [:]
    for subject in EvaluationSubject.allCases {
      let count = try metadata.natural("outcomes_\(subject.rawValue)")
      outcomes[subject] = try (0..<count).map { run throws(CheckpointError) in
        try Self.outcome("\(subject.rawValue).\(run)", metadata, &tensors)
      }
    }
    self.outcomes = outcomes.filter { !$0.value.isEmpty }
    place = ProbePlace(epoch: try metadata.natural("epoch"), tensors: tensors)
  }

  private static func outcome(
    _ name: String, _ metadata: CheckpointMetadata, _ tensors: inout [String: TensorValue]
  ) throws(CheckpointError) -> EvaluationOutcome {
    let key = "outcome.\(name)"
    guard case .int64(let predictions)? = tensors.removeValue(forKey: key)?.elements,
      predictions.allSatisfy({ (0...Int64(Int32.max)).contains($0) })
    else { throw .missingTensor(key) }
    var outcome = EvaluationOutcome(
      test: RankedImages(
        predictions: predictions.map { Int($0) }, firstHits: try metadata.natural("\(key).top1_hits"),
        topHits: try metadata.natural("\(key).top5_hits")),
      trainTop1: try metadata.number("\(key).train_top1"))
    if metadata.entries["\(key).ridge"] != nil {
      outcome.fit = EvaluationResult.Fit(
        ridge: try metadata.number("\(key).ridge"), iterations: try metadata.natural("\(key).iterations"))
    }
    return outcome
  }

  /// The tensor file of this state; the same for the same state of the same evaluation.
  func file(of specification: EvaluateSpecification, instructionSet: String) -> TensorFile {
    var metadata = [
      "format": "pt", "version": CheckpointFormat.version, "kind": "evaluate", "subject": subject.rawValue,
      "run": String(run), "epoch": String(place.epoch), "seed": String(specification.seed),
      "isa": instructionSet, "spec": specification.jsonText,
    ]
    var tensors = place.tensors
    for subject in EvaluationSubject.allCases {
      let found = outcomes[subject] ?? []
      metadata["outcomes_\(subject.rawValue)"] = String(found.count)
      for (run, outcome) in found.enumerated() {
        let key = "outcome.\(subject.rawValue).\(run)"
        let predictions = outcome.test.predictions
        tensors[key] = TensorValue(shape: [predictions.count], .int64(predictions.map { Int64($0) }))
        metadata["\(key).top1_hits"] = String(outcome.test.firstHits)
        metadata["\(key).top5_hits"] = String(outcome.test.topHits)
        metadata["\(key).train_top1"] = "\(outcome.trainTop1)"
        guard let fit = outcome.fit else { continue }
        metadata["\(key).ridge"] = "\(fit.ridge)"
        metadata["\(key).iterations"] = "\(fit.iterations)"
      }
    }
    return TensorFile(metadata: metadata, tensors: tensors)
  }

  private static func specification(
    in metadata: CheckpointMetadata
  ) throws(CheckpointError) -> EvaluateSpecification {
    let text = try metadata.text("spec")
    do {
      return try EvaluateSpecification.parse(JSON.parse(text), defaults: .stored)
    } catch {
      throw .metadata(key: "spec", "is not an evaluation's specification: \(error)")
    }
  }
}

/// Whose features a classifier is fitted to, in the order in which they are evaluated.
enum EvaluationSubject: String, Sendable, CaseIterable {
  case trained
  case untrained
  case rawPixels = "raw_pixels"

  /// Figures that are not the subject's.
  private static let shared: Set<String> = ["lr", "lr_head", "images_per_second"]

  /// What its figures are called in the stream: `top1`, `top1_untrained` …
  func figureName(_ figure: String) -> String {
    self == .trained || Self.shared.contains(figure) ? figure : "\(figure)_\(rawValue)"
  }
}
