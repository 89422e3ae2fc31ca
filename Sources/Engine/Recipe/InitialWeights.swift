import JSONText
import Text

/// What a training begins with instead of new weights: a checkpoint of another training, by which it depends
/// on that job, or a model.
package struct InitialWeights: JSONRecord, Equatable {
  package var checkpoint: CheckpointReference
  /// Goes on with that training, with all of its state; else only the encoder's weights are taken.
  package var optimizer: Bool

  package init(_ checkpoint: CheckpointReference, optimizer: Bool = false) {
    self.checkpoint = checkpoint
    self.optimizer = optimizer
  }

  /// What is read on top of: the defaults, without the job or model, one of which must be given.
  static let template = InitialWeights(.template)

  package static let fields = Fields<Self> {
    CheckpointReference.fields.within(\.checkpoint)
    Field(
      "optimizer", \.optimizer, .boolean,
      "true: goes on with that training at its next step, with all of its state; the specification may "
        + "differ in its length, rates and what is written. false: takes the encoder's weights alone."
    ).check("must be false, as a model has no state of a training") {
      !$0.optimizer || $0.checkpoint.model == nil
    }
  }
}

extension TrainSpecification {
  /// The checkpoint of another job, or the model, that the training begins with.
  package var checkpointUse: CheckpointReference? { initFrom?.checkpoint }

  /// Notes what does not fit the training whose checkpoint this one begins with.
  ///
  /// - Parameters:
  ///   - source: what that training's specification is.
  ///   - job: what it is called in messages.
  package func check(
    beginningWith source: TrainSpecification, of job: String, at pointer: String, _ problems: ProblemList
  ) {
    guard let initFrom else { return }
    if initFrom.optimizer {
      Self.compare(
        json, source.json, at: pointer, Self.free, problems,
        reason: "as in \(job), which init_from goes on with")
    } else {
      check(beginningWith: source.encoder, of: job, at: pointer, problems)
    }
  }

  /// Notes an encoder of another shape than the one whose weights this training begins with.
  ///
  /// - Parameter source: what that one is called in messages.
  package func check(
    beginningWith other: EncoderSpecification, of source: String, at pointer: String, _ problems: ProblemList
  ) {
    Self.compare(
      encoder.backbone.json, other.backbone.json, at: "\(pointer)/encoder", [], problems,
      reason: "as in \(source), whose weights init_from takes")
  }

  /// Notes that a training which goes on has no more steps than what it goes on with.
  ///
  /// - Parameters:
  ///   - steps: that the checkpoint is at.
  ///   - imageCount: of the dataset.
  package func check(
    goingOnAfter steps: Int, imageCount: Int, at pointer: String, _ problems: ProblemList
  ) {
    let own = stepCount(imageCount: imageCount)
    guard initFrom?.optimizer == true, own <= steps else { return }
    let isLimited = maxSteps == own
    problems.add(
      "\(pointer)/\(isLimited ? "max_steps" : "epochs")",
      "must give more steps than the \(steps) of the checkpoint that init_from goes on with, got "
        + (isLimited ? "\(own)" : "\(epochs), which is \(own) steps"))
  }

  /// Members in which a training that goes on may differ from what it goes on with, and members of its
  /// members.
  private static let free: Set<[ByteString]> = [
    ["preset"], ["init_from"], ["epochs"], ["max_steps"], ["schedule"], ["checkpoint"], ["divergence"],
    ["log_every_steps"], ["optimizer", "lr"], ["optimizer", "weight_decay"],
  ]

  /// Notes each value that differs.
  ///
  /// - Parameters:
  ///   - free: paths to members that may differ.
  ///   - path: to these values.
  private static func compare(
    _ own: JSON, _ other: JSON, at pointer: String, _ free: Set<[ByteString]>, _ problems: ProblemList,
    path: [ByteString] = [], reason: String
  ) {
    guard let members = own.object, let others = other.object else {
      if own != other { problems.add(pointer, "must be \(other.text), \(reason), got \(own.text)") }
      return
    }
    for key in Set(members.keys).union(others.keys).sorted() where !free.contains(path + [key]) {
      compare(
        members[key] ?? .null, others[key] ?? .null, at: ObjectReader.pointer(to: key, in: pointer), free,
        problems, path: path + [key], reason: reason)
    }
  }
}

extension EncoderSpecification {
  /// The encoder without what another one with the same weights may have differently: its final Linear, and
  /// how it begins.
  fileprivate var backbone: EncoderSpecification {
    var backbone = self
    backbone.fc = nil
    backbone.zeroInitResidual = false
    if stem == .imagenet { (backbone.stemPadding, backbone.stemBias) = (0, false) }
    return backbone
  }
}
