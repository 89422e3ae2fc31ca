import JSONText
import Recipe

/// What an evaluation has found about one subject.
struct EvaluationOutcome: Sendable, Equatable {
  /// Share of the test images that are classified rightly.
  var top1: Double
  /// Protocol `logistic`: what its fit was.
  var fit: EvaluationResult.Fit?
}

/// The whole state of an evaluation between two steps that it can be resumed from.
struct EvaluationState: Sendable, Equatable {
  /// The subject whose classifier is being trained.
  let subject: EvaluationSubject
  /// Epochs of that classifier that are done.
  let epoch: Int
  /// What the subjects before gave, and this one so far.
  let outcomes: [EvaluationSubject: EvaluationOutcome]
  /// `head.weight` `[classes, D]` and `head.bias` `[classes]`; empty for a classifier that has not begun.
  let classifier: [String: TensorValue]

  /// A state.
  init(
    subject: EvaluationSubject, epoch: Int, outcomes: [EvaluationSubject: EvaluationOutcome],
    classifier: [String: TensorValue]
  ) {
    self.subject = subject
    self.epoch = epoch
    self.outcomes = outcomes
    self.classifier = classifier
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
    epoch = try metadata.natural("epoch")
    var outcomes: [EvaluationSubject: EvaluationOutcome] = [:]
    for subject in EvaluationSubject.allCases {
      guard metadata.entries["top1_\(subject.rawValue)"] != nil else { continue }
      var outcome = EvaluationOutcome(top1: try metadata.number("top1_\(subject.rawValue)"))
      if metadata.entries["ridge_\(subject.rawValue)"] != nil {
        outcome.fit = EvaluationResult.Fit(
          ridge: try metadata.number("ridge_\(subject.rawValue)"),
          trainTop1: try metadata.number("train_top1_\(subject.rawValue)"),
          iterations: try metadata.natural("iterations_\(subject.rawValue)"))
      }
      outcomes[subject] = outcome
    }
    self.outcomes = outcomes
    classifier = file.tensors
  }

  /// The tensor file of this state; the same for the same state of the same evaluation.
  func file(of specification: EvaluateSpecification, instructionSet: String) -> TensorFile {
    var metadata = [
      "format": "pt", "version": CheckpointFormat.version, "kind": "evaluate", "subject": subject.rawValue,
      "epoch": String(epoch), "seed": String(specification.seed), "isa": instructionSet,
      "spec": specification.jsonText,
    ]
    for (subject, outcome) in outcomes {
      metadata["top1_\(subject.rawValue)"] = "\(outcome.top1)"
      guard let fit = outcome.fit else { continue }
      metadata["ridge_\(subject.rawValue)"] = "\(fit.ridge)"
      metadata["train_top1_\(subject.rawValue)"] = "\(fit.trainTop1)"
      metadata["iterations_\(subject.rawValue)"] = "\(fit.iterations)"
    }
    return TensorFile(metadata: metadata, tensors: classifier)
  }

  private static func specification(
    in metadata: CheckpointMetadata
  ) throws(CheckpointError) -> EvaluateSpecification {
    let text = try metadata.text("spec")
    do {
      return try EvaluateSpecification.parse(JSON.parse(text))
    } catch {
      throw .metadata(key: "spec", "is not an evaluation's specification: \(error)")
    }
  }
}

/// Whose features a classifier is trained on, in the order in which they are evaluated.
enum EvaluationSubject: String, Sendable, CaseIterable {
  case trained
  case untrained
  case rawPixels = "raw_pixels"

  /// What its figures are called in the stream: `top1`, `top1_untrained` …
  func figureName(_ figure: String) -> String { self == .trained ? figure : "\(figure)_\(rawValue)" }
}
