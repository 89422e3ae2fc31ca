import KernelsABI
import Parallel
import Tensors

/// The weight gradient of a direct convolution: for each tap, channels of the input times channels of the
/// output gradient, summed over pixels.
///
/// A task owns some blocks of input channels, some of output channels and a fixed part of the images, with
/// their own accumulators. It copies their maps with the border of zeros and multiplies the windows where
/// they lie, some rows of all its blocks before the next rows, so that these stay in the caches. How many
/// parts there are follows from the problem, and parts are summed in order: the bits do not depend on the
/// threads.
struct DirectWeightGradient {
  /// Tasks wanted: enough for many threads, few enough to keep the accumulators small.
  static let tasksWanted = 64

  /// Most blocks of input channels of a task that has to copy their maps.
  private static let copiedBlocks = 4
  /// Most blocks of input and output channels of a task that reads maps where they lie: their accumulators
  /// are a quarter of a usual second-level cache.
  private static let blocksMax = (input: 16, output: 32)
  /// Fewest blocks on either side: so often is a map of the other read at once.
  private static let blocksMin = 4
  /// Fewer tasks than this are multiplied by halving what each of them owns.
  private static let tasksMin = 16
  /// Pixels of a map, about, that are multiplied by all blocks of a task at once. Where the windows are the
  /// map's pixels it is those of one sum, and the next ones are fetched meanwhile.
  private static let pixelsAtOnce = 256

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
  /// Whether the windows are the map's pixels, side by side.
  private var isPointwise: Bool { taps == 1 && shape.stride == 1 && shape.padding == 0 }
  /// Floats of a thread: copied maps, and a block of weights.
  private var memberFloats: Int { min(inputBlocks, DirectWeightGradient.copiedBlocks) * copyFloats + 256 }

  private func parts(images: Int) -> Int {
    max(1, min(images, (DirectWeightGradient.tasksWanted + inputBlocks - 1) / inputBlocks))
  }

  /// Blocks of input and of output channels that a task owns: about as many of each, so that maps are read
  /// as seldom as possible.
  private func ownedBlocks(parts: Int) -> (input: Int, output: Int) {
    guard taps == 1, copyFloats == 0 else { return (DirectWeightGradient.copiedBlocks, outputBlocks) }
    let (most, least) = (DirectWeightGradient.blocksMax, DirectWeightGradient.blocksMin)
    var (input, output) = (min(inputBlocks, most.input), min(outputBlocks, most.output))
    func tasks() -> Int {
      parts * ((inputBlocks + input - 1) / input) * ((outputBlocks + output - 1) / output)
    }
    while tasks() < DirectWeightGradient.tasksMin, max(input, output) > least {
      if input >= output { input = max(least, input / 2) } else { output = max(least, output / 2) }
    }
    return (input, output)
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
    let owned = ownedBlocks(parts: parts)
    let owners = (inputBlocks + owned.input - 1) / owned.input
    let strips = (outputBlocks + owned.output - 1) / owned.output
    compute.team.run(tasks: parts * owners * strips) { task, member in
      let part = task / strips / owners
      let (firstInput, firstOutput) = (task / strips % owners * owned.input, task % strips * owned.output)
      for image in part * images / parts..<(part + 1) * images / parts {
        accumulate(
          compute.kernels, image: image, inputs: firstInput..<min(firstInput + owned.input, inputBlocks),
          outputs: firstOutput..<min(firstOutput + owned.output, outputBlocks), input, dOutput,
          accumulators + part * inputBlocks * ownerFloats, free + member * memberFloats,
          isFirst: image == part * images / parts, isLast: image + 1 == (part + 1) * images / parts)
      }
    }
    compute.team.run(tasks: inputBlocks * outputBlocks) { task, member in
      reduce(
        compute.kernels, parts: parts, block: task / outputBlocks, column: task % outputBlocks, accumulators,
        free + member * memberFloats, dWeight)
    }
  }

  private func accumulate(
    _ kernels: KernelTable, image: Int, inputs: Range<Int>, outputs: Range<Int>, _ input: In, _ dOutput: In,
    _ accumulators: Out, _ scratch: Out, isFirst: Bool, isLast: Bool
  ) {
    let s = shape
    var map = input + image * s.inputImageStride + inputs.lowerBound * s.height * s.width * 16
    var (mapStride, rowStride) = (s.height * s.width * 16, s.width * 16)
    if s.padding > 0 {
      for index in 0..<inputs.count {
        kernels.copyWindow(
          s.inputGrid, -s.padding, -s.padding, seenRows, seenColumns, map + index * mapStride,
          scratch + index * copyFloats)
      }
      map = In(scratch)
      (mapStride, rowStride) = (copyFloats, seenColumns * 16)
    }
    let sumRows = GridSum.rows(columns: s.outputWidth)
    let pixels = isPointwise ? GridSum.pixels : DirectWeightGradient.pixelsAtOnce
    let rowsAtOnce = sumRows * max(1, pixels / (sumRows * s.outputWidth))
    let strips = ColumnStrips(blocks: outputs.count)
    for row in stride(from: 0, to: s.outputHeight, by: rowsAtOnce) {
      let rows = row..<min(row + rowsAtOnce, s.outputHeight)
      let isEnd = rows.upperBound == s.outputHeight
      var fetch =
        isPointwise && !(isEnd && isLast)
        ? fetch(
          image: isEnd ? image + 1 : image, row: isEnd ? 0 : rows.upperBound, rowsAtOnce, inputs, outputs,
          input, dOutput, steps: strips.count * inputs.count) : nil
      for strip in 0..<strips.count {
        let columns = strips.blocks(strip)
        for block in inputs {
          fetch?.input.next(kernels)
          fetch?.output.next(kernels)
          accumulate(
            kernels, rows, map + (block - inputs.lowerBound) * mapStride, rowStride,
            dOutput + image * s.outputImageStride, outputs.lowerBound + columns.lowerBound, columns.count,
            accumulators + block * ownerFloats, isFirst: isFirst && row == 0)
        }
      }
    }
  }

  /// Some rows, from `row` on, of all maps of a task.
  private func fetch(
    image: Int, row: Int, _ rowsAtOnce: Int, _ inputs: Range<Int>, _ outputs: Range<Int>, _ input: In,
    _ dOutput: In, steps: Int
  ) -> (input: Fetch, output: Fetch) {
    let s = shape
    let columns = min(rowsAtOnce, s.outputHeight - row) * s.outputWidth * 16
    let mapStride = s.outputHeight * s.outputWidth * 16
    func fetch(_ maps: In, _ blocks: Range<Int>) -> Fetch {
      Fetch(
        start: maps + blocks.lowerBound * mapStride + row * s.outputWidth * 16, rows: blocks.count,
        columns: columns, rowStride: mapStride, steps: steps)
    }
    return (
      fetch(input + image * s.inputImageStride, inputs), fetch(dOutput + image * s.outputImageStride, outputs)
    )
  }

  /// Adds the products of some rows of a map, seen through each tap, and some blocks of the output gradient.
  private func accumulate(
    _ kernels: KernelTable, _ rows: Range<Int>, _ map: In, _ rowStride: Int, _ dOutput: In, _ column: Int,
    _ columnBlocks: Int, _ accumulators: Out, isFirst: Bool
  ) {
    let s = shape
    let gradientStride = s.outputHeight * s.outputWidth * 16
    let b = dOutput + column * gradientStride + rows.lowerBound * s.outputWidth * 16
    for tap in 0..<taps {
      let top = rows.lowerBound * s.stride + tap / s.kernel
      let target = accumulators + (tap * outputBlocks + column) * 256
      kernels.multiplyGrid(
        rows.count, s.outputWidth, map + top * rowStride + tap % s.kernel * 16, s.stride * rowStride,
        s.stride,
        b, b + gradientStride, columnBlocks, target, target + 256, !isFirst)
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
