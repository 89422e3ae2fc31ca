import JobModel

/// The whole state of an evaluation between two epochs of a classifier.
struct EvaluationState: Sendable, Equatable {
  /// The subject whose classifier is being trained.
  let subject: EvaluationSubject
  /// Epochs of that classifier that are done.
  let epoch: Int
  /// Accuracies of the subjects that are finished.
  let accuracies: [EvaluationSubject: Double]
  /// `head.weight` `[classes, D]` and `head.bias` `[classes]`.
  let classifier: [String: TensorValue]

  /// A state.
  init(
    subject: EvaluationSubject, epoch: Int, accuracies: [EvaluationSubject: Double],
    classifier: [String: TensorValue]
  ) {
    self.subject = subject
    self.epoch = epoch
    self.accuracies = accuracies
    self.classifier = classifier
  }

  /// Reads the state in `file`, which must come from the same specification.
  init(_ file: TensorFile, of specification: EvaluateSpecification) throws(CheckpointError) {
    let metadata = try CheckpointMetadata(file.metadata)
    guard try metadata.text("spec") == specification.json.text else { throw .otherSpecification }
    guard let subject = EvaluationSubject(rawValue: try metadata.text("subject")) else {
      throw .metadata(key: "subject", "is unknown")
    }
    self.subject = subject
    epoch = try metadata.natural("epoch")
    var accuracies: [EvaluationSubject: Double] = [:]
    for subject in EvaluationSubject.allCases {
      guard let text = metadata.entries["top1_\(subject.rawValue)"] else { continue }
      guard let accuracy = Double(text) else {
        throw .metadata(key: "top1_\(subject.rawValue)", "is no number")
      }
      accuracies[subject] = accuracy
    }
    self.accuracies = accuracies
    classifier = file.tensors
  }

  /// The tensor file of this state; the same for the same state of the same evaluation.
  func file(of specification: EvaluateSpecification, instructionSet: String) -> TensorFile {
    var metadata = [
      "format": "pt", "version": CheckpointFormat.version, "kind": "evaluate", "subject": subject.rawValue,
      "epoch": String(epoch), "seed": String(specification.seed), "isa": instructionSet,
      "spec": specification.json.text,
    ]
    for (subject, accuracy) in accuracies { metadata["top1_\(subject.rawValue)"] = "\(accuracy)" }
    return TensorFile(metadata: metadata, tensors: classifier)
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
