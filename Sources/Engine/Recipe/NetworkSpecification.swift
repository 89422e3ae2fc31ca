import JSONText

/// The network that is trained and kept.
package struct EncoderSpecification: JSONRecord, Hashable {
  /// torchvision's name of the network.
  package enum Architecture: String, Sendable, CaseIterable { case resnet18, resnet34, resnet50 }
  /// What comes before the first block.
  package enum Stem: String, Sendable, CaseIterable {
    /// A 3×3 convolution of stride 1 with settable padding and bias, no pooling.
    case cifar
    /// torchvision's: a 7×7 convolution of stride 2 and padding 3 without bias, then 3×3 max-pooling of
    /// stride 2 and padding 1.
    case imagenet
  }
  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision) before a block's expansion; a multiple of 16, doubled by
  /// each further stage.
  package var width: Int
  package var stem: Stem
  /// Zero padding of the `cifar` stem's convolution, 0…2.
  package var stemPadding: Int
  /// Whether the `cifar` stem's convolution has a bias.
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the representation; `nil`: the pooled features are.
  package var fc: Int?
  /// Whether the last BatchNorm of each block starts with weight 0, so that the block starts as its shortcut.
  package var zeroInitResidual: Bool

  /// The default values are those of the `seed` recipe.
  package init(
    architecture: Architecture = .resnet18, width: Int = 64, stem: Stem = .cifar, stemPadding: Int = 0,
    stemBias: Bool = true, fc: Int? = 512, zeroInitResidual: Bool = false
  ) {
    self.architecture = architecture
    self.width = width
    self.stemPadding = stemPadding
    self.stemBias = stemBias
    self.fc = fc
    self.stem = stem
    self.zeroInitResidual = zeroInitResidual
  }

  /// What `width` may be, in multiples of 16.
  package static let widthRange = 16...512
  /// What `stemPadding` may be.
  package static let stemPaddingRange = 0...2
  /// What `fc` may be.
  package static let outputsRange = 1...16_384

  package static let fields = Fields<Self> {
    Field("arch", \.architecture, .choice, "The architecture, by its name in torchvision.")
    Field(
      "width", \.width, .integer(widthRange, multipleOf: 16),
      "Channels of the first stage; torchvision has 64.")
    Field(
      "stem", \.stem, .choice,
      "Before the first block: cifar, a 3×3 convolution; imagenet, a 7×7 one of stride 2, and max-pooling.")
    Field(
      "stem_padding", \.stemPadding, .integer(stemPaddingRange),
      "Zero padding in pixels of the cifar stem's convolution.")
    Field("stem_bias", \.stemBias, .boolean, "Whether the cifar stem's convolution has a bias.")
    Field(
      "fc", \.fc, .integerOrNull(outputsRange),
      "Outputs of a last Linear, which are then the representation; null: the pooled features are.")
    Field(
      "zero_init_residual", \.zeroInitResidual, .boolean,
      "Whether the last BatchNorm of each block starts with weight 0.")
  }
}

/// How convolutions are computed. It decides the last digits of results, so it is a part of the
/// specification.
package enum ConvolutionChoice: String, Sendable, CaseIterable {
  /// As a product over all taps, with the smallest rounding errors (about 3e-7 of the largest value).
  case direct
  /// Each by the algorithm with the fewest products, direct or Winograd's (about 3e-6), chosen by its shape
  /// alone.
  case automatic = "auto"
}

/// A projector or a predictor: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorSpecification: JSONRecord, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias.
  package var lastBias: Bool
  /// Whether the other Linears have a bias.
  package var hiddenBias: Bool
  /// A BatchNorm1d without weight and bias after the last Linear.
  package var lastBatchNorm: Bool

  /// The default values are those of the `seed` recipe.
  package init(
    widths: [Int] = [1024, 1024, 1024, 1024], lastBias: Bool = true, hiddenBias: Bool = true,
    lastBatchNorm: Bool = false
  ) {
    self.widths = widths
    self.lastBias = lastBias
    self.hiddenBias = hiddenBias
    self.lastBatchNorm = lastBatchNorm
  }

  package static let fields = Fields<Self> {
    Field(
      "widths", \.widths, .integers(1...16_384, count: 1...8),
      "Outputs of each Linear; BatchNorm and ReLU stand between them."
    ).check("must end with 2 or more, as one dimension has no covariance") { $0.widths.last != 1 }
    Field("last_bias", \.lastBias, .boolean, "Whether the last Linear has a bias.")
    Field("hidden_bias", \.hiddenBias, .boolean, "Whether the other Linears have a bias.")
    Field(
      "last_batch_norm", \.lastBatchNorm, .boolean,
      "Whether a BatchNorm without weight and bias follows the last Linear.")
  }
}
