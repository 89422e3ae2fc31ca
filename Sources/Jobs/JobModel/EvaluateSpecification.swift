import Text

/// Everything that determines an evaluation, resolved. The JSON form is the `spec` of an `evaluate` job.
package struct EvaluateSpecification: Sendable, Equatable {
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
  package var dataset: EvaluationDataset
  /// Also evaluates raw pixels and the untrained encoder by the same protocol.
  package var baselines: Bool
  /// Epochs of the linear head, ≥ 1 (50 in the protocol).
  package var epochs: Int
  package var seed: UInt64

  package init(
    checkpoint: CheckpointReference, `protocol`: EvaluationProtocol, features: Features,
    dataset: EvaluationDataset, baselines: Bool, epochs: Int, seed: UInt64
  ) {
    self.checkpoint = checkpoint
    self.protocol = `protocol`
    self.features = features
    self.dataset = dataset
    self.baselines = baselines
    self.epochs = epochs
    self.seed = seed
  }
}

/// A checkpoint of another job, by which an evaluation depends on that job.
package struct CheckpointReference: Sendable, Equatable {
  package var job: JobID
  /// `last`, or a checkpoint's name as the job's list gives it.
  package var which: ByteString

  package init(
    job: JobID, which: ByteString
  ) {
    self.job = job
    self.which = which
  }
}

/// The data set of an evaluation; its train and test splits are both used.
package struct EvaluationDataset: Sendable, Equatable {
  package var name: ByteString
  /// Takes the first so many images of each split; `nil`: all.
  package var limit: Int?

  package init(
    name: ByteString, limit: Int? = nil
  ) {
    self.name = name
    self.limit = limit
  }
}

/// How a frozen encoder is judged; every result names it.
package enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// One Linear on frozen features, training images augmented, test images normalised.
  case linear
  /// The same as published with the `seed` recipe: test images are not normalised.
  case linearSeed = "linear-seed"
}
