/// How a convolution is computed. The choice changes the last bits of results, so a run keeps what it began
/// with.
package enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// A product over all taps; any kernel, stride and padding.
  case direct
  /// Winograd's F(2×2, 3×3).
  case winograd2
  /// Winograd's F(4×4, 3×3).
  case winograd4
  /// Winograd's F(6×6, 3×3).
  case winograd6
  /// Winograd's F(4×4, 2×2) on the four phases of a map with stride 2.
  case winograd4stride2

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
    switch self {
    case .direct: true
    case .winograd2, .winograd4, .winograd6: shape.kernel == 3 && shape.stride == 1 && shape.padding <= 2
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

  /// Most channels for which `automatic` takes the largest tiles: with more, their error passes 1e-5.
  package static let channelsOfLargestTilesMax = 128

  /// The algorithms with the fewest products for `shape`, small tiles first where they are equal.
  ///
  /// The rounding of maps grows from layer to layer, so the forward pass takes neither the largest tiles nor
  /// the phases of stride 2; gradients of maps do without the largest tiles, those of weights, whose rounding
  /// stays where it is, take all. The choice follows from the shape of the maps alone, so equal
  /// specifications get equal algorithms on every machine.
  package static func automatic(for shape: ConvolutionShape) -> ConvolutionAlgorithms {
    func best(_ height: Int, _ width: Int, of candidates: [ConvolutionAlgorithm]) -> ConvolutionAlgorithm {
      candidates.filter { $0.isApplicable(to: shape) }.min {
        $0.products(height: height, width: width) < $1.products(height: height, width: width)
      } ?? .direct
    }
    let ofMaps: [ConvolutionAlgorithm] = [.direct, .winograd2, .winograd4]
    let ofGradients = ofMaps + [.winograd4stride2]
    let isDeep = max(shape.inputChannels, shape.outputChannels) > channelsOfLargestTilesMax
    // A gradient's tiles lie on the input, with stride 2 a phase of it is as large as the output.
    let gradient = shape.stride == 1 ? (shape.height, shape.width) : (shape.outputHeight, shape.outputWidth)
    return ConvolutionAlgorithms(
      forward: best(shape.outputHeight, shape.outputWidth, of: ofMaps),
      backwardInput: best(gradient.0, gradient.1, of: ofGradients),
      backwardWeight: best(
        shape.outputHeight, shape.outputWidth, of: isDeep ? ofGradients : ofGradients + [.winograd6]))
  }
}

/// How the convolutions of a network are computed: the `convolution` of a specification.
package enum ConvolutionChoice: String, Sendable, CaseIterable {
  /// Directly, with the smallest rounding errors.
  case direct
  /// Each by the algorithm with the fewest products.
  case automatic = "auto"

  /// The algorithms for a convolution of `shape`.
  package func algorithms(for shape: ConvolutionShape) -> ConvolutionAlgorithms {
    self == .direct ? .direct : .automatic(for: shape)
  }
}
