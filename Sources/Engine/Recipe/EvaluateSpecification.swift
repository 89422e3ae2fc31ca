import JSONText
import Text

/// Everything that determines an evaluation, resolved. The JSON form is the `spec` of an `evaluate` job.
package struct EvaluateSpecification: JSONRecord, Hashable {
  /// What the head is trained on.
  package enum Features: String, Sendable, CaseIterable {
    /// Features of freshly augmented training images each epoch.
    case augmented
    /// Features of unaugmented images, computed once.
    case cached
  }
  package var checkpoint: CheckpointReference
  package var `protocol`: EvaluationProtocol
  package var features: Features
  /// What of the encoder is evaluated; `nil`: its output, `fc` where it has one and else the pooled maps.
  package var layer: EvaluationLayer?
  package var dataset: EvaluationDataset
  /// Also evaluates raw pixels and the untrained encoder by the same protocol.
  package var baselines: Bool
  /// Epochs of the linear head, ≥ 1 (50 in the protocol); `logistic` has none.
  package var epochs: Int
  package var seed: UInt64

  package init(
    checkpoint: CheckpointReference, `protocol`: EvaluationProtocol = .linear, features: Features = .cached,
    dataset: EvaluationDataset, baselines: Bool = false, epochs: Int = 50, seed: UInt64 = 0,
    layer: EvaluationLayer? = nil
  ) {
    self.checkpoint = checkpoint
    self.protocol = `protocol`
    self.features = features
    self.dataset = dataset
    self.baselines = baselines
    self.epochs = epochs
    self.seed = seed
    self.layer = layer
  }

  package static let fields = Fields<Self> {
    Field("checkpoint", \.checkpoint, .record, "What is evaluated: a checkpoint of a train job.")
    Field(
      "protocol", \.protocol, .choice, "How the frozen encoder is evaluated; every result names it."
    ).then { $0.layer = $0.protocol == .logistic ? .pooled : nil }
    Field(
      "features", \.features, .choice,
      "What the head is trained on: cached features of unaugmented images, or new augmented ones each epoch."
    ).check("must be \"cached\" with protocol \"logistic\"") {
      $0.protocol != .logistic || $0.features == .cached
    }
    Field(
      "layer", \.layer, .choiceOrNull(),
      "What of the encoder is evaluated; null: its output. Default: pooled with logistic, else null."
    ).check("must be \"pooled\" or \"fc\" with protocol \"logistic\"") {
      $0.protocol != .logistic || $0.layer != nil
    }.withoutDefault()
    Field(
      "dataset", \.dataset, .record,
      "The images that the head is trained and tested on; the dataset of the training, if not given.")
    Field(
      "baselines", \.baselines, .boolean,
      "Whether raw pixels and the untrained encoder are evaluated in the same way.")
    Field(
      "epochs", \.epochs, .integer(1...100_000), "Epochs of the linear head; logistic has none.")
    Field(
      "seed", \.seed, .seed, "Of all randomness; the same specification and seed give the same result.")
  }
}

/// A checkpoint of another job, by which a job depends on that one.
package struct CheckpointReference: JSONRecord, Hashable {
  package var job: JobID
  /// `last`, `best`, or a checkpoint's name as the job's list gives it.
  package var which: ByteString

  /// What `which` asks for.
  package enum Choice: Sendable, Equatable {
    /// The newest when the job has ended.
    case last
    /// The best by the job's `keep_best` when it has ended.
    case best
    /// The one of that name, which exists when it is named.
    case named(ByteString)

    /// Whether it is known only when the job has ended.
    package var waitsForEnd: Bool { if case .named = self { false } else { true } }

    package init(_ which: ByteString) {
      switch which {
      case "last": self = .last
      case "best": self = .best
      default: self = .named(which)
      }
    }
  }

  /// What `which` asks for.
  package var choice: Choice { Choice(which) }

  package init(job: JobID, which: ByteString) {
    self.job = job
    self.which = which
  }

  package static let fields = Fields<Self> {
    Field(
      "which", \.which, .line(charactersMax: 255),
      "Which of its checkpoints: `last` or `best` (by the training's checkpoint.keep_best), for which the "
        + "job waits until the training has ended; or the name of a checkpoint that exists, which is kept "
        + "for the job.")
    Field("job", \.job, .jobID, "The id of a train job.").required("must be the id of a train job")
      .withoutDefault()
  }
}

extension Form where Value == JobID {
  /// The id of a train job.
  fileprivate static var jobID: Form {
    Form(
      schema: ["type": "string"], requirement: { _ in "must be the id of a train job" },
      parse: { $0.string.flatMap { JobID($0) } }, json: { .string($0.text) })
  }
}

/// The dataset of an evaluation; its train and test splits are both used.
package struct EvaluationDataset: JSONRecord, Hashable {
  package var name: ByteString
  /// Takes this many images of each split, from the first; `nil`: all.
  package var limit: Int?

  package init(
    name: ByteString, limit: Int? = nil
  ) {
    self.name = name
    self.limit = limit
  }

  package static let fields = Fields<Self> {
    Field(
      "name", \.name, .line(charactersMax: 1024),
      "A dataset of GET /datasets, or a path in one of the forms of --dataset-root."
    ).withoutDefault()
    Field(
      "limit", \.limit, .integerOrNull(DatasetSelection.limits),
      "Use only the first N images of each split; null: all.")
  }
}

/// A layer of an encoder whose output describes an image.
package enum EvaluationLayer: String, Sendable, CaseIterable {
  /// The pooled maps of the last stage.
  case pooled
  /// The final Linear.
  case fc
}

/// How a frozen encoder is evaluated; every result names it.
package enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// One Linear on frozen features, training images augmented, test images normalised.
  case linear
  /// The same as published with the `seed` recipe: test images are not normalised.
  case linearSeed = "linear-seed"
  /// Multinomial logistic regression on standardised features, fitted to convergence, with a ridge chosen on
  /// training images that are held back.
  case logistic
}
