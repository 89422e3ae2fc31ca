import KernelsABI
import Parallel

/// The weight gradient of a linear layer: output gradients times inputs, summed over rows.
///
/// The blocks of both, which lie a row apart, are collected side by side once; then a task owns some blocks
/// of output gradients, which are rows of the weight, and takes the rows of the batch in order, so the bits
/// do not depend on the threads.
struct LinearWeightGradient {
  /// Blocks of output gradients of a task: so often is a collected block of inputs read at once.
  private static let blocksOfTask = 4
  /// Rows that are collected block after block, so that each is read from its beginning to its end.
  private static let rowsOfTask = 16

  let shape: ConvolutionShape

  private var inputBlocks: Int { (shape.inputChannels + 15) / 16 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  /// Floats of a collected block; an odd number of lines, to spread over the sets of the caches.
  private var lineFloats: Int { (shape.images | 1) * 16 }
  /// Floats of a thread: two accumulators.
  private static let memberFloats = 2 * 256

  /// Floats of scratch for `threads` threads.
  func scratchFloats(threads: Int) -> Int {
    (inputBlocks + outputBlocks) * lineFloats + threads * LinearWeightGradient.memberFloats
  }

  /// Writes the gradient in PyTorch's layout.
  func run(_ compute: Compute, images: Int, input: In, dOutput: In, into dWeight: Out) {
    let lines = compute.scratch(scratchFloats(threads: compute.team.threads))
    let free = lines + (inputBlocks + outputBlocks) * lineFloats
    let (inputBlocks, lineFloats) = (inputBlocks, lineFloats)
    let length = LinearWeightGradient.rowsOfTask
    compute.team.run(tasks: (images + length - 1) / length) { task in
      let rows = task * length..<min((task + 1) * length, images)
      for block in 0..<inputBlocks + outputBlocks {
        let isInput = block < inputBlocks
        let source = isInput ? input + block * 16 : dOutput + (block - inputBlocks) * 16
        let stride = isInput ? shape.inputImageStride : shape.outputImageStride
        compute.kernels.gatherLines(
          PixelGrid(rows: 1, columns: 1, mapRows: 1, mapColumns: 1, imageStride: stride), rows.lowerBound,
          rows.count, source, lines + block * lineFloats + rows.lowerBound * 16)
      }
    }
    let owned = LinearWeightGradient.blocksOfTask
    compute.team.run(tasks: (outputBlocks + owned - 1) / owned) { task, member in
      let blocks = task * owned..<min((task + 1) * owned, outputBlocks)
      multiply(
        compute.kernels, images: images, blocks, lines, free + member * LinearWeightGradient.memberFloats,
        dWeight)
    }
  }

  private func multiply(
    _ kernels: KernelTable, images: Int, _ blocks: Range<Int>, _ lines: In, _ scratch: Out, _ dWeight: Out
  ) {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    for column in stride(from: 0, to: inputBlocks, by: 2) {
      let b = lines + column * lineFloats
      let columns = min(2, inputBlocks - column)
      for block in blocks {
        kernels.multiplyChannels(
          images, lines + (inputBlocks + block) * lineFloats, b, b + lineFloats, columns, scratch,
          scratch + 256, false)
        for part in 0..<columns {
          let first = (column + part) * 16
          kernels.storeRows(
            scratch + part * 256, min(16, outputs - block * 16), min(16, inputs - first), 1, 0, inputs,
            dWeight + block * 16 * inputs + first)
        }
      }
    }
  }
}
