import KernelsABI
import Parallel

/// The weight gradient of a linear layer: inputs times output gradients, summed over rows.
///
/// The blocks of both, which lie a row apart, are collected side by side once; then a task owns some blocks
/// of inputs and takes the rows in order, so the bits do not depend on the threads.
struct LinearWeightGradient {
  /// Blocks of inputs of a task: so often is a collected block of output gradients read at once.
  private static let blocksOfTask = 4

  let shape: ConvolutionShape

  private var inputBlocks: Int { (shape.inputChannels + 15) / 16 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  /// Floats of a collected block; an odd number of lines, to spread over the sets of the caches.
  private var lineFloats: Int { (shape.images | 1) * 16 }
  /// Floats of a thread: two accumulators, and a block of weights.
  private static let memberFloats = 3 * 256

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int {
    (inputBlocks + outputBlocks) * lineFloats + threads * LinearWeightGradient.memberFloats
  }

  /// Writes the gradient in PyTorch's layout.
  func run(_ compute: Compute, images: Int, input: In, dOutput: In, into dWeight: Out) {
    let lines = compute.scratch(scratchFloats(threads: compute.team.threads))
    let free = lines + (inputBlocks + outputBlocks) * lineFloats
    let (inputBlocks, lineFloats) = (inputBlocks, lineFloats)
    compute.team.run(tasks: inputBlocks + outputBlocks) { block in
      let isInput = block < inputBlocks
      let source = isInput ? input + block * 16 : dOutput + (block - inputBlocks) * 16
      let stride = isInput ? shape.inputImageStride : shape.outputImageStride
      compute.kernels.gatherLines(
        PixelGrid(rows: 1, columns: 1, mapRows: 1, mapColumns: 1, imageStride: stride), 0, images, source,
        lines + block * lineFloats)
    }
    let length = LinearWeightGradient.blocksOfTask
    compute.team.run(tasks: (inputBlocks + length - 1) / length) { task, member in
      let blocks = task * length..<min((task + 1) * length, inputBlocks)
      multiply(
        compute.kernels, images: images, blocks, lines, free + member * LinearWeightGradient.memberFloats,
        dWeight)
    }
  }

  private func multiply(
    _ kernels: KernelTable, images: Int, _ blocks: Range<Int>, _ lines: In, _ scratch: Out, _ dWeight: Out
  ) {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    for column in stride(from: 0, to: outputBlocks, by: 2) {
      let b = lines + (inputBlocks + column) * lineFloats
      let columns = min(2, outputBlocks - column)
      for block in blocks {
        kernels.multiplyChannels(
          images, lines + block * lineFloats, b, b + lineFloats, columns, scratch, scratch + 256, false)
        for part in 0..<columns {
          let first = (column + part) * 16
          kernels.reduceWeights(
            scratch + part * 256, 1, 0, min(16, inputs - block * 16), 1, min(16, outputs - first), inputs,
            scratch + 512, dWeight + first * inputs + block * 16)
        }
      }
    }
  }
}
