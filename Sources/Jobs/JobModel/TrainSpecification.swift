/// Everything that determines a pre-training run, resolved: no field is left to a default.
///
/// The JSON form is the `spec` of a `train` job (snake_case, one object a nested type).
/// Two runs of one value with one binary and instruction set give the same bits.
package struct TrainSpecification: Sendable, Equatable {
  package var preset: Preset
  package var dataset: DatasetSelection
  package var encoder: EncoderSpecification
  package var projector: ProjectorSpecification
  package var loss: LossSpecification
  package var augmentation: AugmentationSpecification
  package var optimizer: OptimizerSpecification
  package var schedule: ScheduleSpecification
  /// Passes over the data set, ≥ 1.
  package var epochs: Int
  /// Stops after so many optimiser steps even if epochs are left; `nil`: no such limit.
  package var maxSteps: Int?
  /// Images a step (each gives two views), ≥ 2.
  package var batchSize: Int
  /// A new order each epoch; `false` keeps the order of the data set.
  package var shuffle: Bool
  /// Leaves the short last batch of an epoch out.
  package var dropLast: Bool
  package var seed: UInt64
  package var checkpoint: CheckpointPolicy
  /// A metric line every so many steps, ≥ 1; the first and last step always have one.
  package var logEverySteps: Int
}

/// The named recipe from which a specification's unnamed fields come.
package enum Preset: String, Sendable, CaseIterable {
  case seed, paper
  case soloCIFAR = "solo-cifar"
  case small
}

/// Which images: `dataset` in both kinds of job.
package struct DatasetSelection: Sendable, Equatable {
  package enum Split: String, Sendable, CaseIterable { case train, test }
  /// `fashion-mnist`, `synthetic`, or the name of a data set registered by path.
  package var name: String
  package var split: Split
  /// Takes the first so many images; `nil`: all.
  package var limit: Int?
}

/// The network that is trained and kept.
package struct EncoderSpecification: Sendable, Equatable {
  package enum Architecture: String, Sendable, CaseIterable { case resnet18, resnet34 }
  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision); a multiple of 16.
  package var width: Int
  /// Zero padding of the 3×3 stride-1 stem convolution, 0…2.
  package var stemPadding: Int
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the representation; `nil`: the pooled features are.
  package var fc: Int?
}

/// The expander behind the representation: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorSpecification: Sendable, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias.
  package var lastBias: Bool
}

/// `inv·mse + var·v + cov·c`, with the variants that published code tells apart.
package struct LossSpecification: Sendable, Equatable {
  package enum Variance: String, Sendable, CaseIterable {
    /// `v(z1) + v(z2)`.
    case sum
    /// `(v(z1) + v(z2)) / 2`.
    case mean
  }
  package enum BatchNormScope: String, Sendable, CaseIterable {
    /// Both views pass the network as one batch.
    case concatenated
    /// Each view has its own batch statistics.
    case perView = "per_view"
  }
  package var inv: Double
  package var `var`: Double
  package var cov: Double
  /// The standard deviation that the hinge of the variance term asks for.
  package var gamma: Double
  /// Added to the variance before its root.
  package var epsilon: Double
  package var variance: Variance
  package var batchNorm: BatchNormScope
}

/// How the two views of an image are made; operations in the order of the fields.
package enum AugmentationSpecification: Sendable, Equatable {
  /// View one is the normalised image, view two its mirror image: no randomness.
  case mirror
  case random(AugmentationRecipe)
}

/// Probabilities and ranges of each operation; `asymmetric` fields hold one value a view.
package struct AugmentationRecipe: Sendable, Equatable {
  /// Area of the crop as a share of the image, `[low, high]` within (0, 1].
  package var cropScale: [Double]
  /// Aspect ratio of the crop, `[low, high]`.
  package var cropRatio: [Double]
  /// Antialiased (triangle-filtered) resize, as torchvision does today.
  package var antialias: Bool
  package var flipProbability: Double
  package var jitterProbability: Double
  package var brightness: Double
  package var contrast: Double
  package var saturation: Double
  package var hue: Double
  package var grayscaleProbability: Double
  /// Blur probability of view one and of view two.
  package var blurProbability: [Double]
  /// Odd side of the Gaussian kernel in pixels.
  package var blurKernel: Int
  package var blurSigma: [Double]
  /// Solarize probability of view one and of view two.
  package var solarizeProbability: [Double]
  package var solarizeThreshold: Double
}

package struct OptimizerSpecification: Sendable, Equatable {
  package enum Name: String, Sendable, CaseIterable { case adam, adamw, sgd, lars }
  package var name: Name
  package var learningRate: Double
  /// Adam and AdamW.
  package var betas: [Double]
  /// Adam and AdamW.
  package var epsilon: Double
  package var weightDecay: Double
  /// SGD and LARS.
  package var momentum: Double
  /// LARS: the trust coefficient.
  package var trust: Double
  /// LARS: never scales the rate up (trust ratio clipped at the learning rate).
  package var clip: Bool
  /// LARS: biases and norm parameters are neither decayed nor adapted.
  package var excludeBiasAndNorm: Bool
}

package struct ScheduleSpecification: Sendable, Equatable {
  package enum Name: String, Sendable, CaseIterable { case constant, cosine }
  package var name: Name
  /// Linear warm-up from 0, in epochs (fractions allowed), ≥ 0.
  package var warmupEpochs: Double
  /// Cosine ends at this share of the learning rate, 0…1.
  package var finalFactor: Double
}

package struct CheckpointPolicy: Sendable, Equatable {
  /// A checkpoint every so many epochs, ≥ 1; the end of the run always has one.
  package var everyEpochs: Int
  /// Also writes the untrained state as step 0.
  package var initial: Bool
  /// The newest so many are kept, ≥ 1; `step 0` is kept beside them when `initial` asked for it.
  package var keepLast: Int
}
