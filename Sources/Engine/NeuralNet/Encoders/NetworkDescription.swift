import Kernels
import Recipe
import Tensors

/// What residual blocks are made of.
package enum BlockKind: Sendable, Equatable {
  /// Two 3×3 convolutions (torchvision's `BasicBlock`).
  case basic
  /// 1×1, 3×3 and 1×1 convolutions, the last with four times the channels (torchvision's `Bottleneck`).
  case bottleneck

  /// A block's output channels over the channels of its 3×3 convolutions.
  package var expansion: Int { self == .basic ? 1 : 4 }
}

/// What an encoder computes, from its images to its features: a stem, residual blocks, pooling over all
/// pixels and a Linear.
///
/// Everything about the network follows from it: the names and shapes of its parameters, the sizes of its
/// maps and the memory that they need. `nodes` is the same network as a graph.
///
///     let network = try NetworkDescription(EncoderSpecification(architecture: .resnet50), imageSide: 32)
///     network.blocks.count  // 16
package struct NetworkDescription: Sendable, Equatable {
  /// A convolution and the batch normalisation that follows.
  package struct Unit: Sendable, Equatable {
    /// What the names of the convolution's parameters begin with, such as `encoder.layer1.0.conv1`.
    package let convolution: String
    /// What the names of the normalisation's parameters begin with, such as `encoder.layer1.0.bn1`.
    package let norm: String
    /// The convolution's sizes, for one image.
    package let shape: ConvolutionShape
    /// Whether the convolution has a bias.
    package let hasBias: Bool
    /// What the normalisation's weights start with.
    package let normWeight: Float

    init(
      _ convolution: String, norm: String, _ shape: ConvolutionShape, hasBias: Bool = false,
      normWeight: Float = 1
    ) {
      self.convolution = convolution
      self.norm = norm
      self.shape = shape
      self.hasBias = hasBias
      self.normWeight = normWeight
    }

    /// Channels of the output.
    package var channels: Int { shape.outputChannels }
    /// Side of the output.
    package var side: Int { shape.outputHeight }
    /// Floats of the output for `images` images.
    func outputCount(images: Int) -> Int {
      Activation.count(images: images, channels: channels, height: side, width: side)
    }
    /// Floats of the input for `images` images.
    func inputCount(images: Int) -> Int {
      Activation.count(
        images: images, channels: shape.inputChannels, height: shape.height, width: shape.width)
    }
  }

  /// A residual block: `relu(units(x) + shortcut(x))`, with a ReLU after each unit but the last.
  package struct Block: Sendable, Equatable {
    /// What the names of its parameters begin with, such as `encoder.layer1.0`.
    package let name: String
    /// The convolutions between input and addition, at least two.
    package let units: [Unit]
    /// The 1×1 convolution that fits the input to the output; `nil`: the input is added unchanged.
    package let shortcut: Unit?

    /// The unit whose result is added to the shortcut's.
    var last: Unit { units[units.count - 1] }
  }

  /// The final Linear.
  package struct Linear: Sendable, Equatable {
    /// What the names of its parameters begin with: `encoder.fc`.
    package let name: String
    /// Numbers that it takes.
    package let inputs: Int
    /// Numbers that it gives.
    package let outputs: Int
  }

  /// Channels of the images.
  package let inputChannels: Int
  /// Side of the images in pixels.
  package let imageSide: Int
  /// The first convolution.
  package let stem: Unit
  /// How the stem's maps are pooled, if they are.
  package let stemPool: PoolWindow?
  /// The residual blocks of all stages.
  package let blocks: [Block]
  /// Channels that are pooled over all pixels.
  package let pooledCount: Int
  /// The Linear after the pooling, if there is one.
  package let fc: Linear?

  /// The network of a configuration for images of `imageSide` × `imageSide` pixels.
  ///
  /// Throws if a map would have less than a pixel.
  package init(
    _ configuration: EncoderSpecification, imageSide: Int, prefix: String = "encoder."
  ) throws(NetworkDescriptionError) {
    let sideMin = NetworkDescription.imageSideMin(configuration)
    guard imageSide >= sideMin else { throw .imageTooSmall(side: imageSide, sideMin: sideMin) }
    inputChannels = configuration.inputChannels
    self.imageSide = imageSide
    let isLarge = configuration.stem == .imagenet
    stem = Unit(
      "\(prefix)conv1", norm: "\(prefix)bn1",
      ConvolutionShape(
        images: 1, inputChannels: configuration.inputChannels, height: imageSide, width: imageSide,
        outputChannels: configuration.width, kernel: isLarge ? 7 : 3, stride: isLarge ? 2 : 1,
        padding: isLarge ? 3 : configuration.stemPadding),
      hasBias: isLarge ? false : configuration.stemBias)
    stemPool = isLarge ? PoolWindow(kernel: 3, stride: 2, padding: 1) : nil
    blocks = NetworkDescription.blocks(
      configuration, prefix: prefix, side: stemPool?.outputs(of: stem.side) ?? stem.side)
    pooledCount = configuration.pooledCount
    fc = configuration.fc.map {
      Linear(name: "\(prefix)fc", inputs: configuration.pooledCount, outputs: $0)
    }
  }

  /// Side of the smallest images that an encoder can take: the stem's convolution must fit; strides leave at
  /// least a pixel of every map.
  package static func imageSideMin(_ configuration: EncoderSpecification) -> Int {
    configuration.stem == .imagenet ? 1 : max(1, 3 - 2 * configuration.stemPadding)
  }

  /// Side of the maps that the first block reads.
  var stemSide: Int { stemPool?.outputs(of: stem.side) ?? stem.side }

  private static func blocks(
    _ configuration: EncoderSpecification, prefix: String, side: Int
  ) -> [Block] {
    var blocks: [Block] = []
    for (stage, count) in configuration.architecture.blocks.enumerated() {
      for position in 0..<count {
        blocks.append(
          Block(
            configuration.architecture.block, name: "\(prefix)layer\(stage + 1).\(position)",
            inputChannels: blocks.last?.last.channels ?? configuration.width,
            side: blocks.last?.last.side ?? side, channels: configuration.width << stage,
            stride: stage > 0 && position == 0 ? 2 : 1,
            lastNormWeight: configuration.zeroInitResidual ? 0 : 1))
      }
    }
    return blocks
  }
}

extension NetworkDescription.Block {
  /// A block of torchvision's: the stride is that of the first 3×3 convolution, and of the shortcut.
  init(
    _ kind: BlockKind, name: String, inputChannels: Int, side: Int, channels: Int, stride: Int,
    lastNormWeight: Float
  ) {
    let outputs = channels * kind.expansion
    let sizes: [(kernel: Int, stride: Int, channels: Int)] =
      switch kind {
      case .basic: [(3, stride, channels), (3, 1, channels)]
      case .bottleneck: [(1, 1, channels), (3, stride, channels), (1, 1, outputs)]
      }
    func shape(_ inputs: Int, _ side: Int, _ outputs: Int, kernel: Int, stride: Int) -> ConvolutionShape {
      ConvolutionShape(
        images: 1, inputChannels: inputs, height: side, width: side, outputChannels: outputs, kernel: kernel,
        stride: stride, padding: kernel / 2)
    }
    var units: [NetworkDescription.Unit] = []
    for (index, size) in sizes.enumerated() {
      units.append(
        NetworkDescription.Unit(
          "\(name).conv\(index + 1)", norm: "\(name).bn\(index + 1)",
          shape(
            units.last?.channels ?? inputChannels, units.last?.side ?? side, size.channels,
            kernel: size.kernel, stride: size.stride),
          normWeight: index == sizes.count - 1 ? lastNormWeight : 1))
    }
    self.name = name
    self.units = units
    let isFitted = stride != 1 || inputChannels != outputs
    shortcut =
      isFitted
      ? NetworkDescription.Unit(
        "\(name).downsample.0", norm: "\(name).downsample.1",
        shape(inputChannels, side, outputs, kernel: 1, stride: stride)) : nil
  }
}

/// A network that cannot be built.
package enum NetworkDescriptionError: Error, Equatable, CustomStringConvertible {
  /// A map would have less than a pixel.
  case imageTooSmall(side: Int, sideMin: Int)

  package var description: String {
    switch self {
    case .imageTooSmall(let side, let sideMin):
      "the images of this encoder must have a side of at least \(sideMin) pixels, got \(side)"
    }
  }
}
