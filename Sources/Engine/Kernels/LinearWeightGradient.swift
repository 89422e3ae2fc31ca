import KernelsABI
import Parallel

/// The weight gradient of a linear layer: output gradients times inputs, summed over rows.
///
/// The blocks of both, which lie a row apart, are collected side by side once; then a task owns some blocks
/// of output gradients, which are rows of the weight, and takes the rows of the batch in order, so the bits
/// do not depend on the threads. It multiplies them by some blocks of inputs at once, as many rows as one sum
/// has at a time: these lines stay in the first-level cache for all its blocks.
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
  /// Floats of the accumulators of a block of output gradients.
  private static let ownerFloats = 4 * 256
  /// Floats of a thread.
  private static let memberFloats = blocksOfTask * ownerFloats

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
      collect(compute.kernels, rows, input, blocks: inputBlocks, into: lines)
      collect(
        compute.kernels, rows, dOutput, blocks: outputBlocks, into: lines + inputBlocks * lineFloats)
    }
    let owned = LinearWeightGradient.blocksOfTask
    compute.team.run(tasks: (outputBlocks + owned - 1) / owned) { task, member in
      let blocks = task * owned..<min((task + 1) * owned, outputBlocks)
      multiply(
        compute.kernels, images: images, blocks, lines, free + member * LinearWeightGradient.memberFloats,
        dWeight)
    }
  }

  private func collect(_ kernels: KernelTable, _ rows: Range<Int>, _ source: In, blocks: Int, into lines: Out)
  {
    kernels.packRows(
      source + rows.lowerBound * blocks * 16, rows.count, blocks * 16, blocks * 16, 1, lineFloats / 16,
      lines + rows.lowerBound * 16)
  }

  private func multiply(
    _ kernels: KernelTable, images: Int, _ blocks: Range<Int>, _ lines: In, _ scratch: Out, _ dWeight: Out
  ) {
    let strips = ColumnStrips(blocks: inputBlocks)
    for strip in 0..<strips.count {
      let columns = strips.blocks(strip)
      let b = lines + columns.lowerBound * lineFloats
      var fetch = fetch(blocks, columns, images: images, dWeight)
      for first in stride(from: 0, to: images, by: GridSum.pixels) {
        for block in blocks {
          fetch.next(kernels)
          let target = scratch + (block - blocks.lowerBound) * LinearWeightGradient.ownerFloats
          kernels.multiplyChannels(
            min(GridSum.pixels, images - first), lines + (inputBlocks + block) * lineFloats + first * 16,
            b + first * 16, b + lineFloats + first * 16, columns.count, target, target + 256, first > 0)
          if first + GridSum.pixels >= images { store(kernels, block, columns, target, dWeight) }
        }
      }
    }
  }

  /// The part of the gradient that blocks of rows and columns make, to be written after the last sum.
  private func fetch(_ blocks: Range<Int>, _ columns: Range<Int>, images: Int, _ dWeight: Out) -> Fetch {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    let sums = (images + GridSum.pixels - 1) / GridSum.pixels
    return Fetch(
      start: dWeight + blocks.lowerBound * 16 * inputs + columns.lowerBound * 16,
      rows: min(blocks.count * 16, outputs - blocks.lowerBound * 16),
      columns: min(columns.count * 16, inputs - columns.lowerBound * 16), rowStride: inputs,
      steps: max(1, sums - 1) * blocks.count)
  }

  private func store(
    _ kernels: KernelTable, _ block: Int, _ columns: Range<Int>, _ sums: In, _ dWeight: Out
  ) {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    for column in columns {
      kernels.storeRows(
        sums + (column - columns.lowerBound) * 256, min(16, outputs - block * 16),
        min(16, inputs - column * 16), 1, 0, inputs, dWeight + block * 16 * inputs + column * 16)
    }
  }
}
