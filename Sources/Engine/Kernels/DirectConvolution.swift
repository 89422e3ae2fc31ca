import KernelsABI
import Tensors

/// The plan of a direct convolution in one direction: packed weights and a product over pixels.
struct DirectProducts {
  let panels: WeightPanels
  let product: any DirectProduct

  /// `output = weight ∗ input` on blocked maps.
  static func forward(_ s: ConvolutionShape) -> DirectProducts {
    let taps = s.kernel * s.kernel
    let panels = WeightPanels(
      innerCount: s.inputChannels, innerStride: taps, outerCount: s.outputChannels,
      outerStride: s.inputChannels * taps, tapOrder: Array(0..<taps))
    if let product = panels.pixelProduct(s) { return DirectProducts(panels: panels, product: product) }
    let all = (0..<taps).map { Tap(rowOffset: $0 / s.kernel, columnOffset: $0 % s.kernel) }
    let product = WindowProduct(
      grid: s.inputGrid, phases: [WindowProduct.Phase(target: s.outputGrid, taps: all)],
      sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks, panelStride: panels.panelStride)
    return DirectProducts(panels: panels, product: product)
  }

  /// The gradient of the input: each phase of input pixels modulo the stride sees its own taps of the output
  /// gradient, so no product is wasted on zeros.
  static func backwardInput(_ s: ConvolutionShape) -> DirectProducts {
    var panels = WeightPanels(
      innerCount: s.outputChannels, innerStride: s.inputChannels * s.kernel * s.kernel,
      outerCount: s.inputChannels, outerStride: s.kernel * s.kernel, tapOrder: [])
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
    if let product = panels.pixelProduct(s) { return DirectProducts(panels: panels, product: product) }
    let grid = PixelGrid(
      rows: (s.height + s.stride - 1) / s.stride, columns: (s.width + s.stride - 1) / s.stride,
      mapRows: s.outputHeight, mapColumns: s.outputWidth, imageStride: s.outputImageStride)
    let product = WindowProduct(
      grid: grid, phases: phases, sourceBlocks: panels.innerBlocks, targetBlocks: panels.outerBlocks,
      panelStride: panels.panelStride)
    return DirectProducts(panels: panels, product: product)
  }

  /// Floats of scratch for at most `images` images and `threads` threads.
  func scratchFloats(images: Int, threads: Int) -> Int {
    panels.floats + product.sharedFloats(images: images)
      + threads * (product.memberFloats + EpilogueSums.count)
  }

  /// Packs the weight and runs the product.
  func run(
    _ compute: Compute, images: Int, from source: In, weight: In, epilogue: ResultEpilogue, into target: Out
  ) {
    let packed = compute.scratch(scratchFloats(images: images, threads: compute.team.threads))
    panels.pack(compute, weight: weight, into: packed)
    product.run(
      compute, images: images, from: source, panels: packed, epilogue: epilogue, into: target,
      scratch: packed + panels.floats)
  }
}

extension WeightPanels {
  /// The product of these weights with every pixel on its own, if that is what the convolution is.
  fileprivate func pixelProduct(_ s: ConvolutionShape) -> (any DirectProduct)? {
    if s.isLinear {
      return LineProduct(innerBlocks: innerBlocks, targetBlocks: outerBlocks, panelStride: panelStride)
    }
    guard s.isPointwise, s.height * s.width >= PointwiseProduct.pixelsMin else { return nil }
    return PointwiseProduct(
      images: s.images, pixels: s.height * s.width, sourceBlocks: innerBlocks, targetBlocks: outerBlocks,
      panelStride: panelStride)
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
