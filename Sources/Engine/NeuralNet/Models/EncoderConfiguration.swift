/// The encoder: torchvision's BasicBlock ResNet with a stem for small images and no max-pool.
package struct EncoderConfiguration: Sendable, Equatable {
  /// How many blocks each of the four stages has.
  package enum Architecture: Sendable, Equatable {
    case resnet18, resnet34

    /// Blocks a stage.
    var blocks: [Int] {
      switch self {
      case .resnet18: [2, 2, 2, 2]
      case .resnet34: [3, 4, 6, 3]
      }
    }
  }

  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision); doubled by each further stage.
  package var width: Int
  /// Channels of the images.
  package var inputChannels: Int
  /// Zero padding of the 3×3 stride-1 stem convolution.
  package var stemPadding: Int
  /// Whether the stem convolution has a bias.
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the features; `nil`: the pooled maps are.
  package var fc: Int?

  /// The default values are the seed recipe's.
  package init(
    architecture: Architecture = .resnet18, width: Int = 64, inputChannels: Int = 3, stemPadding: Int = 0,
    stemBias: Bool = true, fc: Int? = 512
  ) {
    self.architecture = architecture
    self.width = width
    self.inputChannels = inputChannels
    self.stemPadding = stemPadding
    self.stemBias = stemBias
    self.fc = fc
  }

  /// Channels of the last stage, which are pooled.
  package var pooledCount: Int { width << 3 }
  /// Numbers that describe an image.
  package var featureCount: Int { fc ?? pooledCount }
  /// Numbers that a layer gives for an image.
  package func featureCount(of layer: EncoderLayer) -> Int { layer == .pooled ? pooledCount : featureCount }
}

/// What of an encoder describes an image.
package enum EncoderLayer: Sendable, Equatable {
  /// The pooled maps of the last stage.
  case pooled
  /// What the projector sees: the final Linear's output, or the pooled maps where there is no such Linear.
  case output
}

/// A projector or a predictor: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorConfiguration: Sendable, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias.
  package var lastBias: Bool
  /// Whether the other Linears have a bias.
  package var hiddenBias: Bool
  /// A BatchNorm1d without affine after the last Linear.
  package var lastBatchNorm: Bool

  /// The default values are the seed recipe's.
  package init(
    widths: [Int] = [1024, 1024, 1024, 1024], lastBias: Bool = true, hiddenBias: Bool = true,
    lastBatchNorm: Bool = false
  ) {
    self.widths = widths
    self.lastBias = lastBias
    self.hiddenBias = hiddenBias
    self.lastBatchNorm = lastBatchNorm
  }
}
