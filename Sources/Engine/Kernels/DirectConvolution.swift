import KernelsABI
import Tensors

/// The plans of a direct convolution in one direction: packed weights and products over pixels.
struct DirectProducts {
  let panels: WeightPanels
  let products: [LineProduct]

  /// `output = weight ∗ input` on blocked maps.
  static func forward(_ s: ConvolutionShape) -> DirectProducts {
    let taps = s.kernel * s.kernel
    let panels = WeightPanels(
      innerCount: s.inputChannels, innerStride: taps, outerCount: s.outputChannels,
      outerStride: s.inputChannels * taps, tapOrder: Array(0..<taps))
    let product = LineProduct(
      source: .lines, sourceGrid: s.inputGrid, targetGrid: s.outputGrid,
      taps: (0..<taps).map { LineProduct.Tap(rowOffset: $0 / s.kernel, columnOffset: $0 % s.kernel) },
      sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks, firstPanelBlock: 0,
      panelStride: panels.panelStride)
    return DirectProducts(panels: panels, products: [product])
  }

  /// The same on planar images: every patch becomes one line of features.
  static func stem(_ s: ConvolutionShape) -> DirectProducts {
    let features = s.inputChannels * s.kernel * s.kernel
    let panels = WeightPanels(
      innerCount: features, innerStride: 1, outerCount: s.outputChannels, outerStride: features, tapOrder: [0]
    )
    precondition(
      panels.innerBlocks <= LineProduct.segmentBlocksMax, "a stem's patches have at most 640 features")
    var grid = s.inputGrid
    grid.imageStride = s.inputChannels * s.height * s.width
    let product = LineProduct(
      source: .patches(channels: s.inputChannels, kernel: s.kernel), sourceGrid: grid,
      targetGrid: s.outputGrid,
      taps: [LineProduct.Tap(rowOffset: 0, columnOffset: 0)], sourceBlocks: panels.innerBlocks,
      targetBlocks: panels.outerBlocks, firstPanelBlock: 0, panelStride: panels.panelStride)
    return DirectProducts(panels: panels, products: [product])
  }

  /// The gradient of the input: each phase of input pixels modulo the stride sees its own taps of the output
  /// gradient, so no product is wasted on zeros.
  static func backwardInput(_ s: ConvolutionShape) -> DirectProducts {
    var panels = WeightPanels(
      innerCount: s.outputChannels, innerStride: s.inputChannels * s.kernel * s.kernel,
      outerCount: s.inputChannels, outerStride: s.kernel * s.kernel, tapOrder: [])
    var products: [LineProduct] = []
    for phase in 0..<s.stride * s.stride {
      let row = phase / s.stride
      let column = phase % s.stride
      guard row < s.height, column < s.width else { continue }
      let first = panels.tapOrder.count
      var taps: [LineProduct.Tap] = []
      for r in 0..<s.kernel where (row + s.padding - r) % s.stride == 0 {
        for c in 0..<s.kernel where (column + s.padding - c) % s.stride == 0 {
          panels.tapOrder.append(r * s.kernel + c)
          taps.append(
            LineProduct.Tap(
              rowOffset: (row + s.padding - r) / s.stride, columnOffset: (column + s.padding - c) / s.stride))
        }
      }
      let rows = (s.height - row + s.stride - 1) / s.stride
      let columns = (s.width - column + s.stride - 1) / s.stride
      products.append(
        LineProduct(
          source: .lines,
          sourceGrid: PixelGrid(
            rows: rows, columns: columns, mapRows: s.outputHeight, mapColumns: s.outputWidth,
            imageStride: s.outputImageStride),
          targetGrid: PixelGrid(
            rows: rows, columns: columns, mapRows: s.height, mapColumns: s.width,
            imageStride: s.inputImageStride,
            step: s.stride, rowOffset: row, columnOffset: column),
          taps: taps, sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks,
          firstPanelBlock: first * panels.innerBlocks, panelStride: 0))
    }
    for index in products.indices { products[index].panelStride = panels.panelStride }
    return DirectProducts(panels: panels, products: products)
  }

  private var biasFloats: Int { panels.outerBlocks * 16 }
  private var memberFloats: Int { products.map(\.memberFloats).max() ?? 0 }

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int { panels.floats + biasFloats + threads * memberFloats }

  /// Packs the weight and runs all products.
  func run(_ compute: Compute, images: Int, from source: In, weight: In, bias: In?, into target: Out) {
    let packed = compute.scratch(scratchFloats(threads: compute.team.threads))
    let paddedBias = packed + panels.floats
    let scratch = paddedBias + biasFloats
    panels.pack(compute, weight: weight, into: packed)
    if let bias {
      for channel in 0..<biasFloats { paddedBias[channel] = channel < panels.outerCount ? bias[channel] : 0 }
    }
    for product in products {
      product.run(
        compute, images: images, from: source, panels: packed, bias: bias == nil ? nil : In(paddedBias),
        into: target,
        scratch: scratch, scratchStride: memberFloats)
    }
  }
}

extension ConvolutionShape {
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
