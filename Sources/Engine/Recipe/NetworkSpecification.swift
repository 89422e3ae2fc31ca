import JSONText

/// The network that is trained and kept.
package struct EncoderSpecification: JSONRecord, Equatable {
  /// torchvision's name of the network.
  package enum Architecture: String, Sendable, CaseIterable { case resnet18, resnet34 }
  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision); a multiple of 16.
  package var width: Int
  /// Zero padding of the 3×3 stride-1 stem convolution, 0…2.
  package var stemPadding: Int
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the representation; `nil`: the pooled features are.
  package var fc: Int?

  /// The default values are those of the `seed` recipe.
  package init(
    architecture: Architecture = .resnet18, width: Int = 64, stemPadding: Int = 0, stemBias: Bool = true,
    fc: Int? = 512
  ) {
    self.architecture = architecture
    self.width = width
    self.stemPadding = stemPadding
    self.stemBias = stemBias
    self.fc = fc
  }

  package static let fields = Fields<Self> {
    Field("arch", \.architecture, .choice, "The architecture, by its name in torchvision.")
    Field(
      "width", \.width, .integer(16...512, multipleOf: 16),
      "Channels of the first stage; torchvision has 64.")
    Field(
      "stem_padding", \.stemPadding, .integer(0...2),
      "Zero padding in pixels of the first convolution, which is 3×3 with stride 1.")
    Field("stem_bias", \.stemBias, .boolean, "Whether the first convolution has a bias.")
    Field(
      "fc", \.fc, .integerOrNull(1...16_384),
      "Outputs of a last Linear, which are then the representation; null: the pooled features are.")
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

/// The expander after the representation: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorSpecification: JSONRecord, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias.
  package var lastBias: Bool

  /// The default values are those of the `seed` recipe.
  package init(widths: [Int] = [1024, 1024, 1024, 1024], lastBias: Bool = true) {
    self.widths = widths
    self.lastBias = lastBias
  }

  package static let fields = Fields<Self> {
    Field(
      "widths", \.widths, .integers(1...16_384, count: 1...8),
      "Outputs of each Linear; BatchNorm and ReLU stand between them."
    ).check("must end with 2 or more, as one dimension has no covariance") { $0.widths.last != 1 }
    Field("last_bias", \.lastBias, .boolean, "Whether the last Linear has a bias.")
  }
}
