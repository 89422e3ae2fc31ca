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
  /// Share of the training images whose labels are used, above 0 and up to 1.
  package var labelShare: Double
  /// Takes the mean of the features of an image and of its mirror image.
  package var mirror: Bool
  /// Also evaluates raw pixels and the untrained encoder by the same protocol.
  package var baselines: Bool
  /// Epochs of protocols that train step by step, ≥ 1; `logistic` and `knn` have none.
  package var epochs: Int
  /// How often it is repeated, each time with the next seed, ≥ 1.
  package var seeds: Int
  package var seed: UInt64
  package var knn: NeighbourSpecification
  package var finetune: FineTuneSpecification

  /// The values that properties begin with are those of versions that did not know them.
  package init(
    checkpoint: CheckpointReference, `protocol`: EvaluationProtocol = .linear, features: Features = .cached,
    dataset: EvaluationDataset, baselines: Bool = false, epochs: Int = 50, seed: UInt64 = 0,
    layer: EvaluationLayer? = nil, labelShare: Double = 1, mirror: Bool = false, seeds: Int = 1,
    knn: NeighbourSpecification = NeighbourSpecification(),
    finetune: FineTuneSpecification = FineTuneSpecification()
  ) {
    self.checkpoint = checkpoint
    self.protocol = `protocol`
    self.features = features
    self.dataset = dataset
    self.baselines = baselines
    self.epochs = epochs
    self.seed = seed
    self.layer = layer
    self.labelShare = labelShare
    self.mirror = mirror
    self.seeds = seeds
    self.knn = knn
    self.finetune = finetune
  }

  package static let fields = Fields<Self> {
    Field("checkpoint", \.checkpoint, .record, "What is evaluated: a checkpoint of a train job, or a model.")
    Field("protocol", \.protocol, .choice, "How the encoder is evaluated; every result names it.").then {
      $0.layer = $0.protocol.defaultLayer
      $0.epochs = $0.protocol.defaultEpochs
    }
    Field(
      "features", \.features, .choice,
      "What a linear protocol trains on: cached features of unaugmented images, or new augmented ones each "
        + "epoch."
    ).check("must be \"cached\", as only linear protocols train on augmented features") {
      $0.protocol.isLinear || $0.features == .cached
    }
    Field(
      "layer", \.layer, .choiceOrNull(),
      "What of the encoder is evaluated: the pooled maps of the last stage, the final Linear, or the "
        + "projector's output; null, with linear protocols only: the input of the projector. linear-seed's "
        + "default is null, as published."
    ).check("must be a layer, as only linear protocols take null") { $0.protocol.isLinear || $0.layer != nil }
      .check("must be \"pooled\" or \"fc\" with protocol \"finetune\"") {
        $0.protocol != .finetune || $0.layer != .embedding
      }
    Field(
      "dataset", \.dataset, .record,
      "The images that the classifier is fitted to and tested on; the dataset of the training, if not given. "
        + "A model has none: then it must be given.")
    Field(
      "label_share", \.labelShare, .number(.positive(1)),
      "Share of the training images whose labels are used: as many of each class as possible, chosen by "
        + "seed."
    ).then { $0.finetune.adopt(labelShare: $0.labelShare) }
    Field(
      "mirror", \.mirror, .boolean,
      "logistic and knn: whether features are the mean of those of the image and of its mirror image."
    ).check("must be false, as only \"logistic\" and \"knn\" average features") {
      !$0.mirror || $0.protocol == .logistic || $0.protocol == .knn
    }
    Field(
      "baselines", \.baselines, .boolean,
      "Whether raw pixels and the untrained encoder are evaluated in the same way.")
    Field(
      "epochs", \.epochs, .integer(1...100_000),
      "Passes over the labelled images: linear protocols 50, linear-official 100, finetune 20; logistic and "
        + "knn have none.")
    Field(
      "seeds", \.seeds, .integer(1...100),
      "How often it is repeated, with seed, seed + 1, and so on; the result has mean and interval.")
    Field(
      "seed", \.seed, .seed, "Of all randomness; the same specification and seed give the same result.")
    Field("knn", \.knn, .record, "knn: how neighbours are found and vote.")
    Field("finetune", \.finetune, .record, "finetune: how the network is trained.")
  }
}

/// How nearest neighbours are found and vote: protocol `knn`.
package struct NeighbourSpecification: JSONRecord, Hashable {
  /// What makes two images near.
  package enum Metric: String, Sendable, CaseIterable {
    /// The cosine of the angle between their features.
    case cosine
    /// The same of whitened features, in which all directions count alike.
    case whitened
  }
  /// Neighbours that vote, ≥ 1; all, where there are fewer.
  package var k: Int
  /// A neighbour of similarity s has the weight exp(s / temperature).
  package var temperature: Double
  package var metric: Metric

  package init(k: Int = 20, temperature: Double = 0.07, metric: Metric = .cosine) {
    self.k = k
    self.temperature = temperature
    self.metric = metric
  }

  package static let fields = Fields<Self> {
    Field("k", \.k, .integer(1...1000), "Neighbours that vote; all, where there are fewer.")
    Field(
      "temperature", \.temperature, .number(.positive(100)),
      "A neighbour of similarity s has the weight exp(s / temperature).")
    Field(
      "metric", \.metric, .choice,
      "What makes two images near: cosine, of the angle between their features; whitened, the same after the "
        + "training images' features have been standardised and decorrelated (Ledoit-Wolf), so that all "
        + "directions count alike. Raw pixels of over 4096 numbers are compared by their plain cosine.")
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

/// A layer whose output describes an image.
package enum EvaluationLayer: String, Sendable, CaseIterable {
  /// The pooled maps of the last stage.
  case pooled
  /// The final Linear.
  case fc
  /// The output of the projector.
  case embedding
}

/// How an encoder is evaluated; every result names it.
package enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// Multinomial logistic regression on standardised features, fitted to convergence, with a ridge chosen on
  /// training images that are held back.
  case logistic
  /// A weighted vote of the training images with the most similar features.
  case knn
  /// One Linear on frozen features, training images augmented, test images normalised.
  case linear
  /// The same as published with the `seed` recipe: test images are not normalised.
  case linearSeed = "linear-seed"
  /// One Linear on frozen features with momentum, as facebookresearch/vicreg's evaluation has it.
  case linearOfficial = "linear-official"
  /// The whole network is trained with one Linear on top, by the labels that are used.
  case finetune

  /// Whether one Linear is trained by gradient descent on frozen features.
  package var isLinear: Bool {
    switch self {
    case .linear, .linearSeed, .linearOfficial: true
    case .logistic, .knn, .finetune: false
    }
  }

  /// Whether it trains epoch by epoch.
  package var hasEpochs: Bool { isLinear || self == .finetune }

  /// The layer that is evaluated where none is given.
  var defaultLayer: EvaluationLayer? { self == .linearSeed ? nil : .pooled }

  /// The epochs of a specification that gives none.
  var defaultEpochs: Int {
    switch self {
    case .linearOfficial: 100
    case .finetune: 20
    case .logistic, .knn, .linear, .linearSeed: 50
    }
  }
}
