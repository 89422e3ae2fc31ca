/// The network that is trained and kept.
package struct EncoderSpecification: Sendable, Equatable {
  /// torchvision's name of the network.
  package enum Architecture: String, Sendable, CaseIterable { case resnet18, resnet34, resnet50 }
  /// What comes before the first block.
  package enum Stem: String, Sendable, CaseIterable {
    /// A 3×3 convolution of stride 1, no pooling.
    case cifar
    /// A 7×7 convolution of stride 2, then 3×3 max-pooling of stride 2.
    case imagenet
  }
  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision); a multiple of 16.
  package var width: Int
  package var stem: Stem
  /// Zero padding of the `cifar` stem's convolution, 0…2.
  package var stemPadding: Int
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the representation; `nil`: the pooled features are.
  package var fc: Int?
  /// Whether the last normalisation of each block starts with weight 0.
  package var zeroInitResidual: Bool

  package init(
    architecture: Architecture, width: Int, stem: Stem = .cifar, stemPadding: Int, stemBias: Bool,
    fc: Int? = nil, zeroInitResidual: Bool = false
  ) {
    self.architecture = architecture
    self.width = width
    self.stem = stem
    self.stemPadding = stemPadding
    self.stemBias = stemBias
    self.fc = fc
    self.zeroInitResidual = zeroInitResidual
  }
}

/// How convolutions are computed. It decides the last digits of results, so it is a part of the
/// specification.
package enum ConvolutionMode: String, Sendable, CaseIterable {
  /// As a product over all taps, with the smallest rounding errors (about 3e-7 of the largest value).
  case direct
  /// Each by the algorithm with the fewest products, direct or Winograd's (about 3e-6), chosen by its shape
  /// alone.
  case auto
}

/// The expander after the representation: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorSpecification: Sendable, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias.
  package var lastBias: Bool

  package init(
    widths: [Int], lastBias: Bool
  ) {
    self.widths = widths
    self.lastBias = lastBias
  }
}

/// `inv·mse + var·v + cov·c`, with the variants that published code tells apart.
package struct LossSpecification: Sendable, Equatable {
  /// How the hinge terms of both views are joined.
  package enum Variance: String, Sendable, CaseIterable {
    /// `v(z1) + v(z2)`.
    case sum
    /// `(v(z1) + v(z2)) / 2`.
    case mean
  }
  /// Over which images a BatchNorm takes its statistics.
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

  package init(
    inv: Double, `var`: Double, cov: Double, gamma: Double, epsilon: Double, variance: Variance,
    batchNorm: BatchNormScope
  ) {
    self.inv = inv
    self.var = `var`
    self.cov = cov
    self.gamma = gamma
    self.epsilon = epsilon
    self.variance = variance
    self.batchNorm = batchNorm
  }
}
