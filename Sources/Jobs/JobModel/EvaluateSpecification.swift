import JSONText
import Text

/// Everything that determines an evaluation, resolved. The JSON form is the `spec` of an `evaluate` job.
package struct EvaluateSpecification: Sendable, Hashable {
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
    checkpoint: CheckpointReference, `protocol`: EvaluationProtocol, features: Features,
    dataset: EvaluationDataset, baselines: Bool, epochs: Int, seed: UInt64, layer: EvaluationLayer? = nil
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
}

/// A checkpoint of another job, by which an evaluation depends on that job.
package struct CheckpointReference: Sendable, Hashable {
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

  package init(
    job: JobID, which: ByteString
  ) {
    self.job = job
    self.which = which
  }
}

/// The dataset of an evaluation; its train and test splits are both used.
package struct EvaluationDataset: Sendable, Hashable {
  package var name: ByteString
  /// Takes this many images of each split, from the first; `nil`: all.
  package var limit: Int?

  package init(
    name: ByteString, limit: Int? = nil
  ) {
    self.name = name
    self.limit = limit
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

extension EvaluateSpecification {
  /// Notes a dataset that has too few images to train or test a classifier.
  package func check(
    imageCounts counts: [DatasetSelection.Split: Int], at pointer: String, _ problems: ProblemList
  ) {
    for (split, needed) in [(DatasetSelection.Split.train, 2), (.test, 1)] {
      let count = min(counts[split] ?? 0, dataset.limit ?? .max)
      if count >= needed { continue }
      problems.add(
        "\(pointer)/dataset/name",
        "must have at least \(needed) \(needed == 1 ? "image" : "images") in split \"\(split.rawValue)\", "
          + "got \(count)")
    }
  }
}
