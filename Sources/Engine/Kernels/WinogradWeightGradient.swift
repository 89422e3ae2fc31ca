import KernelsABI
import Parallel

/// The weight gradient by Winograd's algorithm: `dW = Gᵀ [Σ (A dY Aᵀ) ⊙ (Bᵀ X B)] G`.
///
/// Tiles of input and output gradient are transformed by all threads, some hundred at a time; then each
/// position of a tile is a product over those tiles, added to its accumulators. Every accumulator belongs to
/// one task and takes the tiles in order, so the bits do not depend on the threads.
struct WinogradWeightGradient {
  /// Bytes of transformed tiles that should stay in a shared cache.
  private static let cacheBytes = 8 << 20
  /// Tiles of a transform's task.
  private static let chunkTiles = 32

  let shape: ConvolutionShape
  let outputs: Int

  private var positions: Int { (outputs + 2) * (outputs + 2) }
  private var inputBlocks: Int { (shape.inputChannels + 15) / 16 }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  private var accumulatorStride: Int { inputBlocks * outputBlocks * 256 + 16 }
  private var accumulatorFloats: Int { positions * accumulatorStride }
  /// Tiles that are transformed before their products are taken.
  private var blockTiles: Int {
    let wanted = WinogradWeightGradient.cacheBytes / (positions * (inputBlocks + outputBlocks) * 64)
    return min(512, max(128, wanted / 32 * 32))
  }
  private var inputStride: Int { (inputBlocks * blockTiles | 1) * 16 }
  private var gradientStride: Int { (outputBlocks * blockTiles | 1) * 16 }

  /// Floats of scratch.
  func scratchFloats(_ compute: Compute) -> Int {
    accumulatorFloats + positions * (inputStride + gradientStride)
      + compute.team.threads * compute.kernels.winogradScratchFloats()
  }

  /// Writes the gradient in PyTorch's layout.
  func run(_ compute: Compute, images: Int, input: In, dOutput: In, into dWeight: Out) {
    let kernels = compute.kernels
    let accumulators = compute.scratch(scratchFloats(compute))
    let inputs = accumulators + accumulatorFloats
    let gradients = inputs + positions * inputStride
    let scratch = gradients + positions * gradientStride
    let inputGrid = grid(shape.height, shape.width, shape.inputImageStride, -shape.padding)
    let outputGrid = grid(shape.outputHeight, shape.outputWidth, shape.outputImageStride, 0)
    let tiles = images * inputGrid.tileRows * inputGrid.tileColumns
    let blocks = inputBlocks + outputBlocks
    for first in stride(from: 0, to: tiles, by: blockTiles) {
      let count = min(blockTiles, tiles - first)
      let chunks = (count + WinogradWeightGradient.chunkTiles - 1) / WinogradWeightGradient.chunkTiles
      compute.team.run(tasks: chunks * blocks) { task, member in
        let start = task / blocks * WinogradWeightGradient.chunkTiles
        let length = min(WinogradWeightGradient.chunkTiles, count - start)
        let block = task % blocks
        let free = scratch + member * kernels.winogradScratchFloats()
        if block < inputBlocks {
          kernels.winogradInput(
            inputGrid, first + start, length, input + block * shape.height * shape.width * 16, inputStride,
            free,
            inputs + (block * blockTiles + start) * 16)
        } else {
          let column = block - inputBlocks
          kernels.winogradGradient(
            outputGrid, first + start, length, dOutput + column * shape.outputHeight * shape.outputWidth * 16,
            gradientStride, free, gradients + (column * blockTiles + start) * 16)
        }
      }
      compute.team.run(tasks: positions * inputBlocks) { task in
        accumulate(
          kernels, position: task / inputBlocks, block: task % inputBlocks, tiles: count, inputs, gradients,
          accumulators, isFirst: first == 0)
      }
    }
    finish(compute, accumulators, scratch, dWeight)
  }

  private func grid(_ rows: Int, _ columns: Int, _ imageStride: Int, _ offset: Int) -> TileGrid {
    TileGrid(
      tileRows: (shape.outputHeight + outputs - 1) / outputs,
      tileColumns: (shape.outputWidth + outputs - 1) / outputs, outputs: outputs, mapRows: rows,
      mapColumns: columns, imageStride: imageStride, offset: offset)
  }

  private func accumulate(
    _ kernels: KernelTable, position: Int, block: Int, tiles: Int, _ inputs: In, _ gradients: In,
    _ accumulators: Out, isFirst: Bool
  ) {
    let a = inputs + position * inputStride + block * blockTiles * 16
    let target = accumulators + position * accumulatorStride + block * outputBlocks * 256
    for column in stride(from: 0, to: outputBlocks, by: 2) {
      let b = gradients + position * gradientStride + column * blockTiles * 16
      let c = target + column * 256
      kernels.multiplyChannels(
        tiles, a, b, b + blockTiles * 16, min(2, outputBlocks - column), c, c + 256, !isFirst)
    }
  }

  private func finish(_ compute: Compute, _ accumulators: In, _ scratch: Out, _ dWeight: Out) {
    let kernels = compute.kernels
    let outerStride = shape.inputChannels * 9
    compute.team.run(tasks: inputBlocks * outputBlocks) { task, member in
      let inner = task / outputBlocks
      let outer = task % outputBlocks
      let block = WeightBlock(
        innerCount: min(16, shape.inputChannels - inner * 16), innerStride: 9,
        outerCount: min(16, shape.outputChannels - outer * 16), outerStride: outerStride)
      kernels.winogradWeightGradients(
        outputs, accumulators + task * 256, block, accumulatorStride,
        scratch + member * kernels.winogradScratchFloats(),
        dWeight + inner * 16 * 9 + outer * 16 * outerStride)
    }
  }
}
