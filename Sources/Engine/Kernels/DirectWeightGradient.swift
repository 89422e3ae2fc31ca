import KernelsABI
import Parallel
import Tensors

/// The weight gradient of a direct convolution: for each tap, channels of the input times channels of the
/// output gradient, summed over pixels.
///
/// A task owns one block of input channels and a fixed part of the images, with its own accumulators. It
/// copies a map with its border of zeros and multiplies the windows where they lie. The number of parts
/// follows from the problem, and parts are summed in order: the bits do not depend on the threads.
struct DirectWeightGradient {
  /// Tasks wanted: enough for many threads, few enough to keep the accumulators small.
  static let tasksWanted = 64

  let shape: ConvolutionShape

  private var taps: Int { shape.kernel * shape.kernel }
  private var inputBlocks: Int { (shape.inputChannels + 15) / 16 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  /// Floats of the accumulators of one input block in one part.
  private var ownerFloats: Int { taps * outputBlocks * 256 }
  /// Rows and columns that the windows see.
  private var seenRows: Int { (shape.outputHeight - 1) * shape.stride + shape.kernel }
  private var seenColumns: Int { (shape.outputWidth - 1) * shape.stride + shape.kernel }
  /// Floats of a thread: a copied map, and a block of weights.
  private var memberFloats: Int { seenRows * seenColumns * 16 + 256 }

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
    compute.team.run(tasks: parts * inputBlocks) { task, member in
      let part = task / inputBlocks
      for image in part * images / parts..<(part + 1) * images / parts {
        accumulate(
          compute.kernels, image: image, block: task % inputBlocks, input, dOutput,
          accumulators + task * ownerFloats, free + member * memberFloats,
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
    _ kernels: KernelTable, image: Int, block: Int, _ input: In, _ dOutput: In, _ accumulators: Out,
    _ scratch: Out, isFirst: Bool
  ) {
    let s = shape
    var map = input + image * s.inputImageStride + block * s.height * s.width * 16
    var rowStride = s.width * 16
    if s.padding > 0 {
      kernels.copyWindow(s.inputGrid, -s.padding, -s.padding, seenRows, seenColumns, map, scratch)
      map = In(scratch)
      rowStride = seenColumns * 16
    }
    let gradients = dOutput + image * s.outputImageStride
    let mapStride = s.outputHeight * s.outputWidth * 16
    for column in stride(from: 0, to: outputBlocks, by: 2) {
      let b = gradients + column * mapStride
      for tap in 0..<taps {
        let target = accumulators + (tap * outputBlocks + column) * 256
        kernels.multiplyGrid(
          s.outputHeight, s.outputWidth, map + tap / s.kernel * rowStride + tap % s.kernel * 16,
          s.stride * rowStride, s.stride, b, b + mapStride, min(2, outputBlocks - column), target,
          target + 256, !isFirst)
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
