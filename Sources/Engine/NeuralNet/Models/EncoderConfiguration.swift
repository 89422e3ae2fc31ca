/// The encoder: one of torchvision's ResNets, with a stem for small or for large images.
package struct EncoderConfiguration: Sendable, Equatable {
  /// torchvision's networks.
  package enum Architecture: Sendable, Equatable, CaseIterable {
    case resnet18, resnet34, resnet50

    /// Blocks of each of the four stages.
    var blocks: [Int] {
      switch self {
      case .resnet18: [2, 2, 2, 2]
      case .resnet34, .resnet50: [3, 4, 6, 3]
      }
    }

    /// What the blocks are made of.
    var block: BlockKind {
      switch self {
      case .resnet18, .resnet34: .basic
      case .resnet50: .bottleneck
      }
    }
  }

  /// What comes before the first block.
  package enum Stem: Sendable, Equatable, CaseIterable {
    /// A 3×3 convolution of stride 1 with settable padding and bias, no pooling.
    case cifar
    /// torchvision's: a 7×7 convolution of stride 2 and padding 3 without bias, then 3×3 max-pooling of
    /// stride 2 and padding 1.
    case imagenet
  }

  package var architecture: Architecture
  /// Channels of the first stage (64 in torchvision) before a block's expansion; doubled by each further
  /// stage.
  package var width: Int
  /// Channels of the images.
  package var inputChannels: Int
  /// What comes before the first block.
  package var stem: Stem
  /// Zero padding of the `cifar` stem's convolution.
  package var stemPadding: Int
  /// Whether the `cifar` stem's convolution has a bias.
  package var stemBias: Bool
  /// Outputs of the final Linear, which are then the features; `nil`: the pooled maps are.
  package var fc: Int?
  /// Whether the last normalisation of each block starts with weight 0, so that the block starts as its
  /// shortcut.
  package var zeroInitResidual: Bool

  /// The default values are the seed recipe's.
  package init(
    architecture: Architecture = .resnet18, width: Int = 64, inputChannels: Int = 3, stem: Stem = .cifar,
    stemPadding: Int = 0, stemBias: Bool = true, fc: Int? = 512, zeroInitResidual: Bool = false
  ) {
    self.architecture = architecture
    self.width = width
    self.inputChannels = inputChannels
    self.stem = stem
    self.stemPadding = stemPadding
    self.stemBias = stemBias
    self.fc = fc
    self.zeroInitResidual = zeroInitResidual
  }

  /// Channels of the last stage, which are pooled.
  package var pooledCount: Int { (width << 3) * architecture.block.expansion }
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

/// The expander behind the features: Linear, then (BatchNorm1d, ReLU, Linear) repeated.
package struct ProjectorConfiguration: Sendable, Equatable {
  /// Outputs of each Linear, at least one.
  package var widths: [Int]
  /// Whether the last Linear has a bias; the others have.
  package var lastBias: Bool

  /// The default values are the seed recipe's.
  package init(widths: [Int] = [1024, 1024, 1024, 1024], lastBias: Bool = true) {
    self.widths = widths
    self.lastBias = lastBias
  }
}
