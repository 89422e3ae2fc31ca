import Kernels
import NeuralNet

/// The least arithmetic that the multiplications of a training step need, and so the least time that they can
/// take at a given rate.
///
/// Per layer and direction it is the cheapest of the known algorithms for the layer's map, without their
/// transforms:
///
/// - 3×3 with stride 1: direct (9 products per output), or Winograd's F(m×m, 3×3) with (m + 2)² products per
///   tile of m × m outputs, m = 2, 4, 6, on ⌈H/m⌉·⌈W/m⌉ tiles (Lavin, Gray, "Fast Algorithms for
///   Convolutional Neural Networks", CVPR 2016, section 4).
/// - 3×3 with stride 2: direct, or by its four phases, which are convolutions of 2×2, 2×1, 1×2 and 1×1 taps
///   on quarters of the input: (m + 1)² + 2 m (m + 1) + m² products per tile.
/// - All others (1×1, 7×7, Linear, and the layer that reads the images): direct.
///
/// A layer has three directions (forward, dX, dW) of the same cost; the one that reads the images has no dX,
/// and layers of a moving average have forward passes only. The products of losses are not counted. For the
/// `seed` recipe at batch 256 that gives 461 GFLOP for the convolutions and 12 for the Linears.
///
///     let floor = ArithmeticFloor(layers: model.layers)
///     floor.seconds(atGigaflops: model.compute.peakGigaflops())
package struct ArithmeticFloor: Sendable, Equatable {
  /// Billions of operations of the convolutions.
  package let convolutionGigaflop: Double
  /// Billions of operations of the Linears.
  package let linearGigaflop: Double

  /// Of a step of these layers, with as many images as they were planned for.
  package init(layers: [PlannedLayer]) {
    func gigaflop(_ layers: [PlannedLayer]) -> Double {
      layers.reduce(0) { $0 + Double(ArithmeticFloor.flop(of: $1)) / 1e9 }
    }
    convolutionGigaflop = gigaflop(layers.filter { !$0.shape.isPixelwise })
    linearGigaflop = gigaflop(layers.filter(\.shape.isPixelwise))
  }

  /// Billions of operations, two for each multiplication (with its addition).
  package var gigaflop: Double { convolutionGigaflop + linearGigaflop }

  /// Seconds that they take at a rate in GFLOP/s.
  package func seconds(atGigaflops rate: Double) -> Double { gigaflop / rate }

  /// Operations of all directions of a layer.
  static func flop(of layer: PlannedLayer) -> Int {
    let isFirst = layer.algorithms == nil
    let directions = layer.hasGradients ? (isFirst ? 2 : 3) : 1
    let products = isFirst ? layer.shape.multiplyAddsPerImage : fewestProducts(layer.shape)
    return 2 * products * layer.shape.images * directions
  }

  /// Multiplications of one image in one direction.
  static func fewestProducts(_ shape: ConvolutionShape) -> Int {
    let direct = shape.multiplyAddsPerImage
    guard shape.kernel == 3, shape.stride <= 2 else { return direct }
    let channelPairs = shape.inputChannels * shape.outputChannels
    return [2, 4, 6].map { m in
      let tiles = ((shape.outputHeight + m - 1) / m) * ((shape.outputWidth + m - 1) / m)
      let products =
        shape.stride == 1 ? (m + 2) * (m + 2) : (m + 1) * (m + 1) + 2 * m * (m + 1) + m * m
      return channelPairs * tiles * products
    }.reduce(direct, min)
  }
}

extension ConvolutionShape {
  /// Whether it is a Linear: maps of one pixel.
  fileprivate var isPixelwise: Bool { kernel == 1 && height == 1 && width == 1 }
}
