import KernelsABI
import Parallel

/// The weight gradient by Winograd's algorithm: `dW = Gᵀ [Σ (A dY Aᵀ) ⊙ (Bᵀ X B)] G`.
///
/// With few channels a task takes a fixed part of the tiles all the way, in its own caches and accumulators.
/// With many, whose accumulators are large, all threads transform some hundred tiles, then each position of a
/// tile is a product over those tiles. Every accumulator belongs to one task and takes its tiles in order, so
/// the bits do not depend on the threads.
struct WinogradWeightGradient {
  /// Bytes of tiles that all threads transform together and that should stay in a shared cache.
  private static let sharedCacheBytes = 8 << 20
  /// Bytes of tiles that a thread transforms alone and that should stay in its second-level cache.
  private static let ownCacheBytes = 224 << 10
  /// Bytes of accumulators up to which each part of the tiles has its own.
  private static let ownAccumulatorBytesMax = 200 << 10
  /// Most parts with accumulators of their own.
  private static let partsMax = 64
  /// Tiles of a transform's task when all threads work together.
  private static let chunkTiles = 32

  let shape: ConvolutionShape
  let outputs: Int

  /// Phases of the input: one, or four with stride 2.
  private var phases: Int { shape.stride == 2 ? StridePhases.count : 1 }
  private var tileSize: Int { outputs + (shape.stride == 2 ? 1 : 2) }
  private var positions: Int { tileSize * tileSize }
  /// Blocks of input channels of one phase.
  private var blocksOfPhase: Int { (shape.inputChannels + 15) / 16 }
  private var inputBlocks: Int { phases * blocksOfPhase }
  private var outputBlocks: Int { (shape.outputChannels + 15) / 16 }
  private var accumulatorStride: Int { inputBlocks * outputBlocks * 256 + 16 }
  private var accumulatorFloats: Int { positions * accumulatorStride }
  /// Whether each part of the tiles has accumulators of its own.
  private var isApart: Bool { accumulatorFloats * 4 <= WinogradWeightGradient.ownAccumulatorBytesMax }
  /// Tiles that are transformed before their products are taken.
  private var blockTiles: Int {
    let tileBytes = positions * (inputBlocks + outputBlocks) * 64
    if isApart { return max(16, WinogradWeightGradient.ownCacheBytes / tileBytes / 8 * 8) }
    return min(512, max(128, WinogradWeightGradient.sharedCacheBytes / tileBytes / 32 * 32))
  }
  private var inputStride: Int { (inputBlocks * blockTiles | 1) * 16 }
  private var gradientStride: Int { (outputBlocks * blockTiles | 1) * 16 }
  private var tileFloats: Int { positions * (inputStride + gradientStride) }

  private func tiles(images: Int) -> Int {
    images * ((shape.outputHeight + outputs - 1) / outputs) * ((shape.outputWidth + outputs - 1) / outputs)
  }

  /// Parts of a view's tiles with accumulators of their own.
  private func parts(images: Int, views: Int) -> Int {
    guard isApart else { return 1 }
    let blocks = (tiles(images: images / views) + blockTiles - 1) / blockTiles
    return max(1, min(blocks, WinogradWeightGradient.partsMax / views))
  }

  /// Floats of scratch.
  func scratchFloats(_ compute: Compute) -> Int {
    let threads = compute.team.threads
    return (isApart ? WinogradWeightGradient.partsMax : 1) * accumulatorFloats
      + (isApart ? threads : 1) * tileFloats + threads * compute.kernels.winogradScratchFloats()
  }

  /// What the parts of one run share.
  private struct Job {
    let kernels: KernelTable
    let input: In
    /// `[blocks of a phase][NormConstants.count]` of the view, or nil.
    let constants: In?
    let dOutput: Out
    let prologue: BackwardPrologue?
  }

  /// Writes the gradient in PyTorch's layout.
  ///
  /// `constants`, `[views][input blocks][NormConstants.count]`: the input is normalised and rectified in
  /// the same pass, each of `views` parts of the images by its own constants; `prologue` computes `dOutput`
  /// there, too.
  func run(
    _ compute: Compute, images: Int, views: Int, input: In, constants: In?, dOutput: Out,
    prologue: BackwardPrologue?, into dWeight: Out
  ) {
    let accumulators = compute.scratch(scratchFloats(compute))
    let parts = parts(images: images, views: views)
    let tiles = tiles(images: images / views)
    let kernelScratch = accumulators + (isApart ? WinogradWeightGradient.partsMax : 1) * accumulatorFloats
    let transformed = kernelScratch + compute.team.threads * compute.kernels.winogradScratchFloats()
    func job(_ view: Int) -> Job {
      Job(
        kernels: compute.kernels, input: input,
        constants: constants.map { $0 + view * blocksOfPhase * NormConstants.count }, dOutput: dOutput,
        prologue: prologue)
    }
    if isApart {
      compute.team.run(tasks: views * parts) { task, member in
        let part = task % parts
        let first = task / parts * tiles
        runPart(
          job(task / parts), first + part * tiles / parts..<first + (part + 1) * tiles / parts,
          transformed + member * tileFloats, accumulators + task * accumulatorFloats,
          kernelScratch + member * compute.kernels.winogradScratchFloats())
      }
      sumParts(compute, views * parts, accumulators)
    } else {
      for view in 0..<views {
        runTogether(
          compute, job(view), view * tiles..<(view + 1) * tiles, transformed, accumulators, kernelScratch,
          isFirst: view == 0)
      }
    }
    finish(compute, accumulators, kernelScratch, dWeight)
  }

  /// A part of the tiles, in one thread.
  private func runPart(
    _ job: Job, _ range: Range<Int>, _ transformed: Out, _ accumulators: Out, _ scratch: Out
  ) {
    for first in stride(from: range.lowerBound, to: range.upperBound, by: blockTiles) {
      let count = min(blockTiles, range.upperBound - first)
      for block in 0..<inputBlocks + outputBlocks {
        transform(job, first: first, count: count, block: block, line: 0, transformed, scratch)
      }
      for position in 0..<positions {
        for block in 0..<inputBlocks {
          accumulate(
            job.kernels, position: position, block: block, tiles: count, transformed, accumulators,
            isFirst: first == range.lowerBound)
        }
      }
    }
  }

  /// Adds the accumulators of all parts to those of the first, in order.
  private func sumParts(_ compute: Compute, _ parts: Int, _ accumulators: Out) {
    let (stride, floats) = (accumulatorStride, accumulatorFloats)
    compute.team.run(tasks: positions) { position in
      for part in 1..<max(parts, 1) {
        compute.kernels.addFloats(
          accumulators + part * floats + position * stride, stride, accumulators + position * stride)
      }
    }
  }

  /// Tiles of a view, by all threads together.
  private func runTogether(
    _ compute: Compute, _ job: Job, _ range: Range<Int>, _ transformed: Out, _ accumulators: Out,
    _ scratch: Out, isFirst: Bool
  ) {
    let blocks = inputBlocks + outputBlocks
    let length = WinogradWeightGradient.chunkTiles
    for first in stride(from: range.lowerBound, to: range.upperBound, by: blockTiles) {
      let count = min(blockTiles, range.upperBound - first)
      compute.team.run(tasks: (count + length - 1) / length * blocks) { task, member in
        let line = task / blocks * length
        transform(
          job, first: first + line, count: min(length, count - line), block: task % blocks, line: line,
          transformed, scratch + member * compute.kernels.winogradScratchFloats())
      }
      compute.team.run(tasks: positions * inputBlocks) { task in
        accumulate(
          job.kernels, position: task / inputBlocks, block: task % inputBlocks, tiles: count, transformed,
          accumulators, isFirst: isFirst && first == range.lowerBound)
      }
    }
  }

  /// Transforms `count` tiles of one block of channels: of the input, or behind those of the output gradient.
  private func transform(
    _ job: Job, first: Int, count: Int, block: Int, line: Int, _ transformed: Out, _ scratch: Out
  ) {
    if block < inputBlocks {
      let channels = block % blocksOfPhase
      job.kernels.winogradInput(
        inputGrid(phase: block / blocksOfPhase), first, count,
        job.input + channels * shape.height * shape.width * 16,
        job.constants.map { $0 + channels * NormConstants.count }, inputStride, scratch,
        transformed + (block * blockTiles + line) * 16)
      return
    }
    let column = block - inputBlocks
    if let prologue = job.prologue { pass(prologue, job, first: first, count: count, block: column) }
    job.kernels.winogradGradient(
      outputGrid, first, count,
      job.dOutput + column * shape.outputHeight * shape.outputWidth * 16, gradientStride, scratch,
      transformed + positions * inputStride + (column * blockTiles + line) * 16)
  }

  /// Writes the output gradient of `count` tiles of one channel block by the prologue.
  ///
  /// Tiles of the output gradient do not overlap, and each is transformed once: no line is passed twice.
  private func pass(_ prologue: BackwardPrologue, _ job: Job, first: Int, count: Int, block: Int) {
    let grid = outputGrid
    var tile = first
    while tile < first + count {
      let (line, tileColumn) = tile.quotientAndRemainder(dividingBy: grid.tileColumns)
      let (image, tileRow) = line.quotientAndRemainder(dividingBy: grid.tileRows)
      // Whole rows of tiles as one run of lines, or else a part of one.
      let left = first + count - tile
      let wholeRows = tileColumn == 0 ? min(left / grid.tileColumns, grid.tileRows - tileRow) : 0
      let tiles = wholeRows > 0 ? wholeRows * grid.tileColumns : min(left, grid.tileColumns - tileColumn)
      let (row, column) = (tileRow * outputs, tileColumn * outputs)
      let rows = min(max(wholeRows, 1) * outputs, grid.mapRows - row)
      let columns = min(tiles * outputs, grid.mapColumns - column)
      let pixel = (block * grid.mapRows + row) * grid.mapColumns + column
      prologue.pass(
        wholeRows > 0
          ? Runs(count: 1, lines: rows * columns, stride: 0)
          : Runs(count: rows, lines: columns, stride: grid.mapColumns * 16),
        at: image * grid.imageStride + pixel * 16, view: prologue.view(of: image), block: block,
        into: job.dOutput, job.kernels)
      tile += tiles
    }
  }

  private func inputGrid(phase: Int) -> TileGrid {
    shape.stride == 2
      ? StridePhases.inputGrid(shape, phase: phase, isTarget: false)
      : grid(shape.height, shape.width, shape.inputImageStride, -shape.padding)
  }

  private var outputGrid: TileGrid {
    shape.stride == 2
      ? StridePhases.outputGrid(shape)
      : grid(shape.outputHeight, shape.outputWidth, shape.outputImageStride, 0)
  }

  private func grid(_ rows: Int, _ columns: Int, _ imageStride: Int, _ offset: Int) -> TileGrid {
    TileGrid(
      tileRows: (shape.outputHeight + outputs - 1) / outputs,
      tileColumns: (shape.outputWidth + outputs - 1) / outputs, outputs: outputs, mapRows: rows,
      mapColumns: columns, imageStride: imageStride, rowOffset: offset, columnOffset: offset)
  }

  private func accumulate(
    _ kernels: KernelTable, position: Int, block: Int, tiles: Int, _ transformed: In, _ accumulators: Out,
    isFirst: Bool
  ) {
    let a = transformed + position * inputStride + block * blockTiles * 16
    let gradients = transformed + positions * inputStride + position * gradientStride
    let target = accumulators + position * accumulatorStride + block * outputBlocks * 256
    for column in stride(from: 0, to: outputBlocks, by: 2) {
      let b = gradients + column * blockTiles * 16
      let c = target + column * 256
      kernels.multiplyChannels(
        tiles, a, b, b + blockTiles * 16, min(2, outputBlocks - column), c, c + 256, !isFirst)
    }
  }

  private func finish(_ compute: Compute, _ accumulators: In, _ scratch: Out, _ dWeight: Out) {
    let kernels = compute.kernels
    let outerStride = shape.inputChannels * 9
    compute.team.run(tasks: inputBlocks * outputBlocks) { task, member in
      let (inner, outer) = (task / outputBlocks, task % outputBlocks)
      let first = inner % blocksOfPhase * 16
      let block = WeightBlock(
        innerCount: min(16, shape.inputChannels - first), innerStride: 9,
        outerCount: min(16, shape.outputChannels - outer * 16), outerStride: outerStride)
      let free = scratch + member * kernels.winogradScratchFloats()
      let target = dWeight + first * 9 + outer * 16 * outerStride
      if shape.stride == 2 {
        kernels.phaseWeightGradients(
          accumulators + task * 256, block,
          StridePhases.taps(inner / blocksOfPhase, isGradient: false), accumulatorStride, free, target)
      } else {
        kernels.winogradWeightGradients(
          outputs, accumulators + task * 256, block, accumulatorStride, free, target)
      }
    }
  }
}
