import KernelsABI
import Parallel
import TensorElements
import Tensors

/// The first convolution of a network: its input are planar images `[N][C][H][W]`, and it needs no input
/// gradient.
///
/// A task copies an image with its border of zeros and takes the patches where they lie.
package struct StemConvolution {
  /// Pixels that are multiplied before they are written to their places.
  private static let chunkPixels = 96
  /// Most parts of the images that a weight gradient is summed up in.
  private static let partsMax = 64

  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  private let compute: Compute
  private let panels: WeightPanels
  /// Floats from a patch to each of its features.
  private let offsets: [Int]

  /// Plans the operations for at most `shape.images` images.
  package init(_ shape: ConvolutionShape, compute: Compute) {
    self.shape = shape
    self.compute = compute
    let features = shape.inputChannels * shape.kernel * shape.kernel
    panels = WeightPanels(
      innerCount: features, innerStride: 1, outerCount: shape.outputChannels, outerStride: features,
      tapOrder: [0])
    let (rows, columns) = (shape.height + 2 * shape.padding, shape.width + 2 * shape.padding)
    let taps = shape.kernel * shape.kernel
    offsets = (0..<features).map { feature in
      let (plane, tap) = (feature / taps, feature % taps)
      return (plane * rows + tap / shape.kernel) * columns + tap % shape.kernel
    }
    compute.require(panels.floats + compute.team.threads * memberFloats)
    compute.require(StemConvolution.partsMax * partFloats + compute.team.threads * memberFloats)
  }

  /// `output = weight ∗ images + bias`; as many images as `output` has are read from the start of `images`.
  ///
  /// With `moments`, which normalises the output next, its statistics are taken in the same pass.
  ///
  /// `images` are planar, `[N][C][H][W]`; `weight` is `[K, C, R, R]`; overwrites `output`, `[N, K, H′, W′]`.
  ///
  /// Reference: `a stem agrees with a double precision reference`, `so it is at the stem`
  package func forward(
    images: Floats, weight: Floats, bias: Floats?, output: Activation, moments: Normalization? = nil
  ) {
    precondition(bias.map { $0.count == shape.outputChannels } ?? true, "one bias an output channel")
    let groups = output.images / (moments?.views ?? 1)
    let isFused = compute.hasRoom(for: moments, groups: groups)
    let epilogue = ResultEpilogue(
      bias: bias, moments: isFused ? moments : nil, groups: groups, output: output, compute: compute)
    forward(images, weight, epilogue, output)
    compute.finish(moments, of: output, isFused: isFused, groups: groups)
  }

  /// The convolution with a normalisation by given statistics behind it.
  ///
  /// Shapes as above.
  ///
  /// Reference: `a frozen normalisation that is fused gives what a pass of its own gives`
  package func forward(
    images: Floats, weight: Floats, bias: Floats?, output: Activation, frozen: FrozenNormalization
  ) {
    forward(
      images, weight, ResultEpilogue(frozen, bias: bias, output: output, compute: compute), output)
  }

  /// The gradients with respect to weight and bias.
  ///
  /// Overwrites `dWeight`, `[K, C, R, R]`, and `dBias`, K elements; sums go over a fixed partition.
  /// With `prologue`, `dOutput` is overwritten: it is computed from the prologue's gradient first.
  ///
  /// Reference: `a stem agrees with a double precision reference`, `so it is at the stem`
  package func backwardWeight(
    images: Floats, dOutput: Activation, prologue: BackwardPrologue? = nil, dWeight: Floats, dBias: Floats?
  ) {
    check(images, dWeight, dOutput)
    measured("dW", images: dOutput.images) {
      let parts = min(dOutput.images, StemConvolution.partsMax)
      let accumulators = compute.scratch(
        StemConvolution.partsMax * partFloats + compute.team.threads * memberFloats)
      let free = accumulators + StemConvolution.partsMax * partFloats
      compute.team.run(tasks: parts) { part, member in
        let sums = accumulators + part * partFloats
        for index in 0..<partFloats { sums[index] = 0 }
        for image in part * dOutput.images / parts..<(part + 1) * dOutput.images / parts {
          if let prologue { pass(prologue, image: image, into: dOutput) }
          accumulate(images, image: image, dOutput, sums, free + member * memberFloats)
        }
      }
      compute.team.run(tasks: panels.outerBlocks) { block, member in
        reduce(parts: parts, block: block, accumulators, free + member * memberFloats, dWeight)
      }
    }
    if let dBias { compute.channelSums(of: dOutput, into: dBias) }
  }

  private func pass(_ prologue: BackwardPrologue, image: Int, into dOutput: Activation) {
    let runs = Runs(count: 1, lines: dOutput.pixels, stride: 0)
    for block in 0..<dOutput.blocks {
      prologue.pass(
        runs, at: image * dOutput.imageStride + block * dOutput.pixels * 16, view: prologue.view(of: image),
        block: block, into: dOutput.storage.pointer, compute.kernels)
    }
  }

  private var features: Int { panels.innerCount }
  private var paddedRows: Int { shape.height + 2 * shape.padding }
  private var paddedColumns: Int { shape.width + 2 * shape.padding }
  private var copyFloats: Int {
    let floats = shape.padding > 0 ? shape.inputChannels * paddedRows * paddedColumns : 0
    return (floats + 15) / 16 * 16
  }
  /// Output rows that are multiplied together.
  private var chunkRows: Int { max(1, StemConvolution.chunkPixels / shape.outputWidth) }
  private var resultStride: Int { chunkRows * shape.outputWidth * 16 }
  /// Floats of a thread: a copied image, results, and sums or a block of weights.
  private var memberFloats: Int {
    copyFloats + panels.outerBlocks * resultStride + max(EpilogueSums.count, 256)
  }
  /// Floats of the weight gradient's sums over a part of the images.
  private var partFloats: Int { panels.outerBlocks * panels.innerBlocks * 256 }

  private func forward(_ images: Floats, _ weight: Floats, _ epilogue: ResultEpilogue, _ output: Activation) {
    check(images, weight, output)
    measured("forward", images: output.images) {
      let packed = compute.scratch(panels.floats + compute.team.threads * memberFloats)
      panels.pack(compute, weight: weight.pointer, into: packed)
      let share = output.images / epilogue.views
      compute.team.run(tasks: output.images) { image, member in
        convolve(
          images, image: image, packed, epilogue, view: image / share, group: image % share,
          output.storage.pointer, packed + panels.floats + member * memberFloats)
      }
    }
  }

  private func convolve(
    _ images: Floats, image: Int, _ packed: In, _ epilogue: ResultEpilogue, view: Int, group: Int,
    _ target: Out, _ scratch: Out
  ) {
    let s = shape
    let planes = padded(images, image: image, scratch)
    let results = scratch + copyFloats
    let sums = results + panels.outerBlocks * resultStride
    let pixels = s.outputHeight * s.outputWidth
    for first in stride(from: 0, to: s.outputHeight, by: chunkRows) {
      let rows = min(chunkRows, s.outputHeight - first)
      for pair in 0..<(panels.outerBlocks + 1) / 2 {
        for row in 0..<rows {
          let result = results + 2 * pair * resultStride + row * s.outputWidth * 16
          offsets.withUnsafeBufferPointer { offsets in
            guard let start = offsets.baseAddress else { return }
            compute.kernels.multiplyPatches(
              start, offsets.count, s.stride, s.outputWidth,
              planes + (first + row) * s.stride * paddedColumns, packed + pair * panels.panelStride,
              min(2, panels.outerBlocks - 2 * pair), result, result + resultStride)
          }
        }
      }
      for block in 0..<panels.outerBlocks {
        compute.kernels.scatterLines(
          s.outputGrid, image * pixels + first * s.outputWidth, rows * s.outputWidth,
          results + block * resultStride,
          epilogue.epilogue(view: view, block: block, sums: sums, target: target),
          target + block * epilogue.mapStride)
        epilogue.keep(sums, view: view, group: group, block: block, isFirst: first == 0)
      }
    }
  }

  private func accumulate(
    _ images: Floats, image: Int, _ dOutput: Activation, _ sums: Out, _ scratch: Out
  ) {
    let s = shape
    let planes = padded(images, image: image, scratch)
    for block in 0..<panels.outerBlocks {
      compute.kernels.accumulatePatches(
        s.inputChannels, s.kernel, paddedRows * paddedColumns, paddedColumns, s.stride, s.outputHeight,
        s.outputWidth, planes,
        In(dOutput.storage.pointer) + image * dOutput.imageStride + block * dOutput.pixels * 16,
        sums + block * panels.innerBlocks * 256)
    }
  }

  private func reduce(parts: Int, block: Int, _ accumulators: In, _ scratch: Out, _ dWeight: Floats) {
    for inner in 0..<panels.innerBlocks {
      compute.kernels.reduceWeights(
        accumulators + (block * panels.innerBlocks + inner) * 256, parts, partFloats,
        min(16, features - inner * 16), 1, min(16, shape.outputChannels - block * 16), features, scratch,
        dWeight.pointer + block * 16 * features + inner * 16)
    }
  }

  /// The planes of an image with their border of zeros.
  private func padded(_ images: Floats, image: Int, _ scratch: Out) -> In {
    let source = In(images.pointer) + image * shape.inputChannels * shape.height * shape.width
    guard shape.padding > 0 else { return source }
    compute.kernels.padPlanes(
      shape.inputChannels, shape.height, shape.width, shape.padding, source, scratch)
    return In(scratch)
  }

  private func measured(_ direction: String, images: Int, _ body: () -> Void) {
    compute.measured(
      "stem \(shape.name) \(direction), direct", flops: 2 * shape.multiplyAddsPerImage * images, body)
  }

  private func check(_ images: Floats, _ weight: Floats, _ output: Activation) {
    precondition(
      output.channels == shape.outputChannels && output.height == shape.outputHeight
        && output.width == shape.outputWidth && output.images <= shape.images,
      "the output does not fit the planned convolution")
    precondition(
      images.count >= output.images * shape.inputChannels * shape.height * shape.width,
      "there are not enough images")
    precondition(weight.count == shape.weightCount, "the weight does not fit the planned convolution")
  }
}
