import KernelsABI
import Parallel
import Tensors

/// The weight gradient of a direct convolution: for each tap, channels of the input times channels of the
/// output gradient, summed over pixels.
///
/// A task owns one block of input channels and one fixed part of the pixels, with its own accumulators. The
/// number of parts follows from the problem, and parts are summed in order: the bits do not depend on the
/// threads.
struct DirectWeightGradient {
  /// Pixels that are collected at once.
  static let chunkPixels = 128
  /// Tasks wanted: enough for many threads, few enough to keep the accumulators small.
  static let tasksWanted = 64

  let shape: ConvolutionShape
  /// Whether the input is planar; then the features of a patch take the place of channels, and there is one
  /// tap.
  let isStem: Bool

  private var taps: Int { isStem ? 1 : shape.kernel * shape.kernel }
  private var features: Int {
    isStem ? shape.inputChannels * shape.kernel * shape.kernel : shape.inputChannels
  }
  private var inputBlocks: Int { (features + 15) / 16 }
  /// Blocks of input channels that a task owns: a patch is laid out whole.
  private var ownedBlocks: Int { isStem ? inputBlocks : 1 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  private var owners: Int { inputBlocks / ownedBlocks }
  /// Floats of the accumulators of one owner in one part.
  private var ownerFloats: Int { ownedBlocks * taps * outputBlocks * 256 }
  /// Floats of a block of collected lines: one more than there are pixels, which patches may spill into.
  private var lineFloats: Int { (DirectWeightGradient.chunkPixels + 1) * 16 }
  /// Floats of a thread: lines of the input and of all output channels.
  private var memberFloats: Int { (ownedBlocks + outputBlocks) * lineFloats }

  private func chunks(images: Int) -> Int {
    let pixels = images * shape.outputHeight * shape.outputWidth
    return (pixels + DirectWeightGradient.chunkPixels - 1) / DirectWeightGradient.chunkPixels
  }

  private func parts(images: Int) -> Int {
    max(1, min(chunks(images: images), (DirectWeightGradient.tasksWanted + owners - 1) / owners))
  }

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int {
    parts(images: shape.images) * owners * ownerFloats + threads * memberFloats
  }

  /// Writes the gradient in PyTorch's layout.
  func run(_ compute: Compute, images: Int, input: In, dOutput: In, into dWeight: Out) {
    let accumulators = compute.scratch(scratchFloats(threads: compute.team.threads))
    let parts = parts(images: images)
    let owners = owners
    let lines = accumulators + parts * owners * ownerFloats
    let chunks = chunks(images: images)
    compute.team.run(tasks: parts * owners) { task, member in
      let part = task / owners
      accumulate(
        compute.kernels, images: images, owner: task % owners,
        chunks: part * chunks / parts..<(part + 1) * chunks / parts, input, dOutput,
        accumulators + task * ownerFloats, lines + member * memberFloats)
    }
    compute.team.run(tasks: inputBlocks * outputBlocks) { task in
      reduce(
        compute.kernels, parts: parts, block: task / outputBlocks, column: task % outputBlocks, accumulators,
        dWeight)
    }
  }

  private func accumulate(
    _ kernels: KernelTable, images: Int, owner: Int, chunks: Range<Int>, _ input: In, _ dOutput: In,
    _ accumulators: Out, _ lines: Out
  ) {
    let pixels = images * shape.outputHeight * shape.outputWidth
    let gradientLines = lines + ownedBlocks * lineFloats
    let mapStride = shape.outputHeight * shape.outputWidth * 16
    for chunk in chunks {
      let first = chunk * DirectWeightGradient.chunkPixels
      let count = min(DirectWeightGradient.chunkPixels, pixels - first)
      for column in 0..<outputBlocks {
        kernels.gatherLines(
          shape.outputGrid, first, count, dOutput + column * mapStride, gradientLines + column * lineFloats)
      }
      for tap in 0..<taps {
        collect(kernels, first, count, owner: owner, tap: tap, input, lines)
        for block in 0..<ownedBlocks {
          let target = accumulators + (block * taps + tap) * outputBlocks * 256
          for column in stride(from: 0, to: outputBlocks, by: 2) {
            let b = gradientLines + column * lineFloats
            let c = target + column * 256
            kernels.multiplyChannels(
              count, lines + block * lineFloats, b, b + lineFloats, min(2, outputBlocks - column), c, c + 256,
              chunk > chunks.lowerBound)
          }
        }
      }
    }
  }

  private func collect(
    _ kernels: KernelTable, _ first: Int, _ count: Int, owner: Int, tap: Int, _ input: In, _ lines: Out
  ) {
    var grid = shape.inputGrid
    if isStem {
      grid.imageStride = shape.inputChannels * shape.height * shape.width
      kernels.gatherPatches(
        grid, first, count, shape.inputChannels, shape.kernel, lineFloats / 16, input, lines)
      return
    }
    grid.rowOffset += tap / shape.kernel
    grid.columnOffset += tap % shape.kernel
    kernels.gatherLines(grid, first, count, input + owner * shape.height * shape.width * 16, lines)
  }

  private func reduce(
    _ kernels: KernelTable, parts: Int, block: Int, column: Int, _ accumulators: In, _ dWeight: Out
  ) {
    for tap in 0..<taps {
      let offset = (block * taps + tap) * outputBlocks + column
      kernels.reduceWeights(
        accumulators + offset * 256, parts, owners * ownerFloats, min(16, features - block * 16), taps,
        min(16, shape.outputChannels - column * 16), features * taps,
        dWeight + column * 16 * features * taps + block * 16 * taps + tap)
    }
  }
}
