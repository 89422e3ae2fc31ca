import Recipe

/// How a convolution is computed. The choice changes the last bits of results, so a run keeps what it began
/// with.
package enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// A product over all taps; any kernel, stride and padding.
  case direct
  /// Winograd's F(2×2, 3×3).
  case winograd2
  /// Winograd's F(4×4, 3×3).
  case winograd4
  /// Winograd's F(6×6, 3×3), for at most `channelsOfLargestTilesMax` channels.
  case winograd6
  /// Winograd's F(4×4, 2×2) on the four phases of a map with stride 2.
  case winograd4stride2

  /// Most channels of a layer with the largest tiles: with more, the largest of many errors reaches 1e-5 of
  /// the largest result, and the factors leave the caches.
  package static let channelsOfLargestTilesMax = 128

  /// Output rows and columns of a tile; `nil` for the direct algorithm.
  var outputs: Int? {
    switch self {
    case .direct: nil
    case .winograd2: 2
    case .winograd4, .winograd4stride2: 4
    case .winograd6: 6
    }
  }

  /// Whether this algorithm can compute a convolution of `shape`.
  package func isApplicable(to shape: ConvolutionShape) -> Bool {
    let hasTiles = shape.kernel == 3 && shape.stride == 1 && shape.padding <= 2
    return switch self {
    case .direct: true
    case .winograd2, .winograd4: hasTiles
    case .winograd6:
      hasTiles
        && max(shape.inputChannels, shape.outputChannels) <= ConvolutionAlgorithm.channelsOfLargestTilesMax
    case .winograd4stride2: shape.kernel == 3 && shape.stride == 2 && shape.padding == 1
    }
  }

  /// Multiply-adds for each pair of channels and image, for a map of `height` × `width` outputs.
  fileprivate func products(height: Int, width: Int) -> Int {
    guard let outputs else { return 9 * height * width }
    let tiles = ((height + outputs - 1) / outputs) * ((width + outputs - 1) / outputs)
    return tiles * (self == .winograd4stride2 ? 4 * 5 * 5 : (outputs + 2) * (outputs + 2))
  }
}

/// The algorithms of a convolution's three directions.
package struct ConvolutionAlgorithms: Sendable, Equatable {
  /// Of the forward pass.
  package var forward: ConvolutionAlgorithm
  /// Of the input gradient.
  package var backwardInput: ConvolutionAlgorithm
  /// Of the weight gradient.
  package var backwardWeight: ConvolutionAlgorithm

  /// Names one for each direction.
  package init(
    forward: ConvolutionAlgorithm, backwardInput: ConvolutionAlgorithm, backwardWeight: ConvolutionAlgorithm
  ) {
    self.forward = forward
    self.backwardInput = backwardInput
    self.backwardWeight = backwardWeight
  }

  /// The same in every direction.
  package init(all algorithm: ConvolutionAlgorithm) {
    self.init(forward: algorithm, backwardInput: algorithm, backwardWeight: algorithm)
  }

  /// Direct in every direction.
  package static let direct = ConvolutionAlgorithms(all: .direct)

  /// Fewest input channels for which the forward pass and the weight gradient take the phases of stride 2:
  /// with fewer, their transforms take longer than the products that they save.
  private static let channelsOfPhasesMin = 64

  /// The algorithms with the fewest products for `shape`, small tiles first where they are equal.
  ///
  /// A forward pass whose gradients follow does without the largest tiles and without phases: the larger its
  /// rounding, the more values near zero fall on the other side of a ReLU. The choice follows from the shape
  /// of the maps alone, so equal specifications get equal algorithms on every machine.
  package static func automatic(for shape: ConvolutionShape, isTraining: Bool) -> ConvolutionAlgorithms {
    func best(
      _ height: Int, _ width: Int, without left: [ConvolutionAlgorithm] = []
    ) -> ConvolutionAlgorithm {
      ConvolutionAlgorithm.allCases.filter { $0.isApplicable(to: shape) && !left.contains($0) }.min {
        $0.products(height: height, width: width) < $1.products(height: height, width: width)
      } ?? .direct
    }
    // A gradient's tiles lie on the input, with stride 2 a phase of it is as large as the output.
    let gradient = shape.stride == 1 ? (shape.height, shape.width) : (shape.outputHeight, shape.outputWidth)
    let phases: [ConvolutionAlgorithm] =
      shape.inputChannels < channelsOfPhasesMin ? [.winograd4stride2] : []
    return ConvolutionAlgorithms(
      forward: best(
        shape.outputHeight, shape.outputWidth,
        without: isTraining ? [.winograd4stride2, .winograd6] : phases),
      backwardInput: best(gradient.0, gradient.1),
      backwardWeight: best(shape.outputHeight, shape.outputWidth, without: phases))
  }
}

extension ConvolutionChoice {
  /// The algorithms for a convolution of `shape`, with its gradients or for inference only.
  package func algorithms(for shape: ConvolutionShape, isTraining: Bool) -> ConvolutionAlgorithms {
    self == .direct ? .direct : .automatic(for: shape, isTraining: isTraining)
  }
}
