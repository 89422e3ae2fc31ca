import Recipe

extension EncoderSpecification.Architecture {
  /// Blocks of each of the four stages.
  package var blocks: [Int] {
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

extension EncoderSpecification {
  /// Channels of the images.
  package var inputChannels: Int { 3 }
  /// Channels of the last stage, which are pooled.
  package var pooledCount: Int { (width << 3) * architecture.block.expansion }
  /// Numbers that describe an image.
  package var featureCount: Int { fc ?? pooledCount }
}

/// What of a network describes an image.
package enum EncoderLayer: Sendable, Equatable {
  /// The pooled maps of the last stage.
  case pooled
  /// The input of the projector: the output of the final Linear, or the pooled maps if there is none.
  case output
  /// The output of the projector, in eval mode.
  case embedding
}
