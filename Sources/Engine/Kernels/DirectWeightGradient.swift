import KernelsABI
import Parallel
import Tensors

/// The weight gradient of a direct convolution: for each tap, channels of the input times channels of the
/// output gradient, summed over pixels.
///
/// A task owns some blocks of input channels and a fixed part of the images, with their own accumulators. It
/// copies their maps with the border of zeros and multiplies the windows where they lie, all of them by two
/// blocks of the output gradient, which stay in the cache meanwhile, before it goes on to the next two. The
/// number of parts follows from the problem, and parts are summed in order: the bits do not depend on the
/// threads.
struct DirectWeightGradient {
  /// Tasks wanted: enough for many threads, few enough to keep the accumulators small.
  static let tasksWanted = 64

  /// Blocks of input channels of a task: so often is a map of the output gradient read at once.
  private static let blocksOfTask = 4

  let shape: ConvolutionShape

  private var taps: Int { shape.kernel * shape.kernel }
  private var inputBlocks: Int { (shape.inputChannels + 15) / 16 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  /// Floats of the accumulators of one input block in one part.
  private var ownerFloats: Int { taps * outputBlocks * 256 }
  /// Rows and columns that the windows see.
  private var seenRows: Int { (shape.outputHeight - 1) * shape.stride + shape.kernel }
  private var seenColumns: Int { (shape.outputWidth - 1) * shape.stride + shape.kernel }
  /// Floats of a copied map.
  private var copyFloats: Int { shape.padding > 0 ? seenRows * seenColumns * 16 : 0 }
  /// Floats of a thread: copied maps, and a block of weights.
  private var memberFloats: Int { min(inputBlocks, DirectWeightGradient.blocksOfTask) * copyFloats + 256 }

  private func parts(images: Int) -> Int {
    max(1, min(images, (DirectWeightGradient.tasksWanted + inputBlocks - 1) / inputBlocks))
  }

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int {
    parts(images: shape.images) * inputBlocks * ownerFloats + threads * memberFloats
  }

  /// Writes the gradient in PyTorch's layout.
  func run(_ compute: Compute, images: Int, input: In, dOutput: In, into dWeight: Out) {
    let accumulators = compute.scratch(scratchFloats(threads: compute.team.threads))
    let parts = parts(images: images)
    let inputBlocks = inputBlocks
    let free = accumulators + parts * inputBlocks * ownerFloats
    let length = DirectWeightGradient.blocksOfTask
    let owners = (inputBlocks + length - 1) / length
    compute.team.run(tasks: parts * owners) { task, member in
      let part = task / owners
      let first = task % owners * length
      for image in part * images / parts..<(part + 1) * images / parts {
        accumulate(
          compute.kernels, image: image, blocks: first..<min(first + length, inputBlocks), input, dOutput,
          accumulators + part * inputBlocks * ownerFloats, free + member * memberFloats,
          isFirst: image == part * images / parts)
      }
    }
    compute.team.run(tasks: inputBlocks * outputBlocks) { task, member in
      reduce(
        compute.kernels, parts: parts, block: task / outputBlocks, column: task % outputBlocks, accumulators,
        free + member * memberFloats, dWeight)
    }
  }

  private func accumulate(
    _ kernels: KernelTable, image: Int, blocks: Range<Int>, _ input: In, _ dOutput: In, _ accumulators: Out,
    _ scratch: Out, isFirst: Bool
  ) {
    let s = shape
    var map = input + image * s.inputImageStride + blocks.lowerBound * s.height * s.width * 16
    var (mapStride, rowStride) = (s.height * s.width * 16, s.width * 16)
    if s.padding > 0 {
      for index in 0..<blocks.count {
        kernels.copyWindow(
          s.inputGrid, -s.padding, -s.padding, seenRows, seenColumns, map + index * mapStride,
          scratch + index * copyFloats)
      }
      map = In(scratch)
      (mapStride, rowStride) = (copyFloats, seenColumns * 16)
    }
    let gradientStride = s.outputHeight * s.outputWidth * 16
    for column in stride(from: 0, to: outputBlocks, by: 2) {
      let b = dOutput + image * s.outputImageStride + column * gradientStride
      for block in blocks {
        let a = map + (block - blocks.lowerBound) * mapStride
        for tap in 0..<taps {
          let target = accumulators + block * ownerFloats + (tap * outputBlocks + column) * 256
          kernels.multiplyGrid(
            s.outputHeight, s.outputWidth, a + tap / s.kernel * rowStride + tap % s.kernel * 16,
            s.stride * rowStride, s.stride, b, b + gradientStride, min(2, outputBlocks - column), target,
            target + 256, !isFirst)
        }
      }
    }
  }

  private func reduce(
    _ kernels: KernelTable, parts: Int, block: Int, column: Int, _ accumulators: In, _ scratch: Out,
    _ dWeight: Out
  ) {
    let s = shape
    for tap in 0..<taps {
      let offset = block * ownerFloats + (tap * outputBlocks + column) * 256
      kernels.reduceWeights(
        accumulators + offset, parts, inputBlocks * ownerFloats, min(16, s.inputChannels - block * 16), taps,
        min(16, s.outputChannels - column * 16), s.inputChannels * taps, scratch,
        dWeight + column * 16 * s.inputChannels * taps + block * 16 * taps + tap)
    }
  }
}
