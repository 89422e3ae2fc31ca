import KernelsABI
import Tensors

/// A neighbour: the pixel of the source map that grid pixel (0, 0) sees through it.
struct Tap {
  /// Rows down.
  var rowOffset: Int
  /// Columns to the right.
  var columnOffset: Int
}

/// The product of a direct convolution in one direction.
protocol DirectProduct: Sendable {
  /// Floats that each thread needs.
  var memberFloats: Int { get }
  /// Groups of lines in each of `views` parts of `images` images, as a `ResultEpilogue` needs them.
  func groups(images: Int, views: Int) -> Int
  /// Runs over `images` images.
  ///
  /// `scratch` has `memberFloats` floats and `EpilogueSums.count` more for each thread.
  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, epilogue: ResultEpilogue, into target: Out,
    scratch: Out)
}

/// The plan of a direct convolution in one direction: packed weights and a product over pixels.
struct DirectProducts {
  let panels: WeightPanels
  let product: any DirectProduct

  /// `output = weight ∗ input` on blocked maps.
  static func forward(_ s: ConvolutionShape, _ set: InstructionSet) -> DirectProducts {
    let panels = WeightPanels.forward(s)
    if let products = panels.pixelProducts(s, set) { return products }
    let all = panels.tapOrder.map { Tap(rowOffset: $0 / s.kernel, columnOffset: $0 % s.kernel) }
    let product = WindowProduct(
      grid: s.inputGrid, phases: [WindowProduct.Phase(target: s.outputGrid, taps: all)],
      sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks, panelStride: panels.panelStride)
    return DirectProducts(panels: panels, product: product)
  }

  /// The gradient of the input: each phase of input pixels modulo the stride sees its own taps of the output
  /// gradient, so no product is wasted on zeros.
  static func backwardInput(_ s: ConvolutionShape, _ set: InstructionSet) -> DirectProducts {
    var panels = WeightPanels.backwardInput(s)
    var phases: [WindowProduct.Phase] = []
    for phase in 0..<s.stride * s.stride {
      let row = phase / s.stride
      let column = phase % s.stride
      guard row < s.height, column < s.width else { continue }
      var taps: [Tap] = []
      for r in 0..<s.kernel where (row + s.padding - r) % s.stride == 0 {
        for c in 0..<s.kernel where (column + s.padding - c) % s.stride == 0 {
          panels.tapOrder.append(r * s.kernel + c)
          taps.append(
            Tap(
              rowOffset: (row + s.padding - r) / s.stride, columnOffset: (column + s.padding - c) / s.stride))
        }
      }
      let target = PixelGrid(
        rows: (s.height - row + s.stride - 1) / s.stride,
        columns: (s.width - column + s.stride - 1) / s.stride, mapRows: s.height, mapColumns: s.width,
        imageStride: s.inputImageStride, step: s.stride, rowOffset: row, columnOffset: column)
      phases.append(WindowProduct.Phase(target: target, taps: taps))
    }
    if let products = panels.pixelProducts(s, set) { return products }
    let grid = PixelGrid(
      rows: (s.height + s.stride - 1) / s.stride, columns: (s.width + s.stride - 1) / s.stride,
      mapRows: s.outputHeight, mapColumns: s.outputWidth, imageStride: s.outputImageStride)
    let product = WindowProduct(
      grid: grid, phases: phases, sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks,
      panelStride: panels.panelStride)
    return DirectProducts(panels: panels, product: product)
  }

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int {
    panels.floats + threads * (product.memberFloats + EpilogueSums.count)
  }

  /// Packs the weight and runs the product.
  func run(
    _ compute: Compute, images: Int, from source: In, weight: In, epilogue: ResultEpilogue, into target: Out
  ) {
    let packed = compute.scratch(scratchFloats(threads: compute.team.threads))
    panels.pack(compute, weight: weight, into: packed)
    product.run(
      compute, images: images, from: source, panels: packed, epilogue: epilogue, into: target,
      scratch: packed + panels.floats)
  }
}

extension WeightPanels {
  /// The weight of a forward pass: input channels are summed over, taps in their order.
  static func forward(_ s: ConvolutionShape) -> WeightPanels {
    let taps = s.kernel * s.kernel
    return WeightPanels(
      innerCount: s.inputChannels, innerStride: taps, outerCount: s.outputChannels,
      outerStride: s.inputChannels * taps, tapOrder: Array(0..<taps))
  }

  /// The weight of an input gradient: output channels are summed over. No taps yet: their order is the
  /// phases'.
  static func backwardInput(_ s: ConvolutionShape) -> WeightPanels {
    let taps = s.kernel * s.kernel
    return WeightPanels(
      innerCount: s.outputChannels, innerStride: s.inputChannels * taps, outerCount: s.inputChannels,
      outerStride: taps, tapOrder: [])
  }

  /// The product of these weights with every pixel on its own, if that is what the convolution is.
  fileprivate func pixelProducts(_ s: ConvolutionShape, _ set: InstructionSet) -> DirectProducts? {
    guard s.isPointwise, s.height * s.width >= PointwiseProduct.pixelsMin else { return nil }
    var panels = self
    panels.blocksOfPanel = set.columnBlocks
    let product = PointwiseProduct(
      images: s.images, pixels: s.height * s.width, sourceBlocks: innerBlocks, strips: panels.strips,
      panelStride: panels.panelStride)
    return DirectProducts(panels: panels, product: product)
  }
}

extension ConvolutionShape {
  /// Whether images have one pixel, and so has the kernel.
  var isLinear: Bool { height == 1 && width == 1 && kernel == 1 && padding == 0 }
  /// Whether each output is made of the pixel at its place alone.
  var isPointwise: Bool { kernel == 1 && stride == 1 && padding == 0 }
  /// Floats of a blocked input image.
  var inputImageStride: Int { (inputChannels + 15) / 16 * height * width * 16 }
  /// Floats of a blocked output image.
  var outputImageStride: Int { (outputChannels + 15) / 16 * outputHeight * outputWidth * 16 }

  /// Output pixels over the blocked input, at the first tap.
  var inputGrid: PixelGrid {
    PixelGrid(
      rows: outputHeight, columns: outputWidth, mapRows: height, mapColumns: width,
      imageStride: inputImageStride,
      step: stride, rowOffset: -padding, columnOffset: -padding)
  }

  /// Output pixels over the output.
  var outputGrid: PixelGrid {
    PixelGrid(
      rows: outputHeight, columns: outputWidth, mapRows: outputHeight, mapColumns: outputWidth,
      imageStride: outputImageStride)
  }
}
