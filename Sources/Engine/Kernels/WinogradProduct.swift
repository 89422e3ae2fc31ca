import KernelsABI
import Parallel

/// A Winograd convolution in one direction, forward or input gradient: transforms of tiles, one product for
/// each position of a tile, transforms back.
///
/// Factors of the weight are `[positions][pairs][inner channels][32]`, as panels of `multiplyPixels`; tiles
/// and products are `[positions][blocks][tiles][16]`. A thread that takes tiles all the way puts the products
/// of each position in the place of the tiles of the position before, which are used up by then: that halves
/// what has to stay in its cache.
struct WinogradProduct {
  /// Bytes of tiles and products that should stay in a thread's second-level cache.
  private static let cacheBytes = 384 << 10
  /// Factors above this size are read once for all tiles, by all threads together.
  private static let sharedFactorBytes = 16 << 20
  /// With fewer tasks that go all the way, all threads work together: many would have nothing to do.
  private static let tasksMin = 32
  /// Fewest tiles of a task whose factors stay in a thread's cache, and of one whose factors do not: they are
  /// read again for each task.
  private static let chunkTilesMin = 32
  private static let chunkTilesMinOfFarFactors = 48
  /// Most tiles that all threads transform together.
  private static let sharedTiles = 512
  /// Tiles of a transform's task where the factors are that large.
  private static let chunkTilesOfLargeFactors = 32
  /// Most blocks of inner channels in one sum; and in one of the largest tiles.
  private static let blocksOfSumMax = 4
  private static let blocksOfLargestTilesSum = 1
  /// Pairs of column blocks of a product's task when all threads work together.
  private static let pairsOfTask = 4

  /// The grids of input tiles on the source: one, or one for each phase that is summed over.
  private let sourceGrids: [TileGrid]
  /// The grids of output tiles on the target: one, or one for each phase of the result.
  private let targetGrids: [TileGrid]
  /// Channels that are summed over.
  private let innerCount: Int
  private let innerStride: Int
  /// Channels of the result.
  private let outerCount: Int
  private let outerStride: Int
  /// The input gradient takes taps in reverse.
  private let isGradient: Bool

  /// The forward pass of `s`, or with `isGradient` its input gradient, in tiles of `outputs` × `outputs`.
  init(_ s: ConvolutionShape, outputs: Int, isGradient: Bool) {
    self.isGradient = isGradient
    innerCount = isGradient ? s.outputChannels : s.inputChannels
    outerCount = isGradient ? s.inputChannels : s.outputChannels
    innerStride = isGradient ? s.inputChannels * 9 : 9
    outerStride = isGradient ? 9 : s.inputChannels * 9
    if s.stride == 2 {
      let phases = (0..<StridePhases.count).map {
        StridePhases.inputGrid(s, phase: $0, isTarget: isGradient)
      }
      sourceGrids = isGradient ? [StridePhases.outputGrid(s)] : phases
      targetGrids = isGradient ? phases : [StridePhases.outputGrid(s)]
      return
    }
    let height = isGradient ? s.height : s.outputHeight
    let width = isGradient ? s.width : s.outputWidth
    func grid(_ rows: Int, _ columns: Int, _ imageStride: Int, _ offset: Int) -> TileGrid {
      TileGrid(
        tileRows: (height + outputs - 1) / outputs, tileColumns: (width + outputs - 1) / outputs,
        outputs: outputs, mapRows: rows, mapColumns: columns, imageStride: imageStride, rowOffset: offset,
        columnOffset: offset)
    }
    let input = (s.height, s.width, s.inputImageStride)
    let output = (s.outputHeight, s.outputWidth, s.outputImageStride)
    let (from, to) = isGradient ? (output, input) : (input, output)
    sourceGrids = [grid(from.0, from.1, from.2, isGradient ? s.padding - 2 : -s.padding)]
    targetGrids = [grid(to.0, to.1, to.2, 0)]
  }

  private var outputs: Int { sourceGrids[0].outputs }
  /// Blocks of inner channels that are summed in registers: few, so that their panel stays in the first-level
  /// cache and rounding errors stay small. The largest tiles, which lose the most, take the shortest sums.
  private var blocksOfSum: Int {
    outputs == 6 ? WinogradProduct.blocksOfLargestTilesSum : WinogradProduct.blocksOfSumMax
  }
  private var taps: Int { sourceGrids[0].taps }
  private var positions: Int { (outputs + taps - 1) * (outputs + taps - 1) }
  /// Blocks of channels of one phase.
  private var innerBlocksOfPhase: Int { (innerCount + 15) / 16 }
  private var outerBlocksOfPhase: Int { (outerCount + 15) / 16 }
  private var innerBlocks: Int { sourceGrids.count * innerBlocksOfPhase }
  private var outerBlocks: Int { targetGrids.count * outerBlocksOfPhase }
  private var pairs: Int { (outerBlocks + 1) / 2 }
  private var panelStride: Int { innerBlocks * 16 * 32 }
  /// Floats between two positions of the factors; not a multiple of a page.
  private var factorStride: Int { pairs * panelStride + 16 }
  private var factorFloats: Int { positions * factorStride }

  private func tiles(images: Int) -> Int { images * sourceGrids[0].tileRows * sourceGrids[0].tileColumns }

  private var hasLargeFactors: Bool { factorFloats * 4 > WinogradProduct.sharedFactorBytes }

  /// Whether threads share the work on the tiles of at most `images` images, step by step.
  private func isShared(images: Int) -> Bool {
    hasLargeFactors || tiles(images: images) < WinogradProduct.tasksMin * chunkTiles
  }

  /// Tiles that one task transforms, and whose sums are taken together: their transforms and products stay in
  /// a thread's cache.
  private var chunkTiles: Int {
    if hasLargeFactors { return WinogradProduct.chunkTilesOfLargeFactors }
    let tileBytes = positions * max(innerBlocks, outerBlocks) * 64
    let areFar = factorFloats * 4 > WinogradProduct.cacheBytes
    let least = areFar ? WinogradProduct.chunkTilesMinOfFarFactors : WinogradProduct.chunkTilesMin
    return max(least, min(240, WinogradProduct.cacheBytes / tileBytes / 8 * 8))
  }

  /// Tiles that are transformed before their products are taken.
  private func blockTiles(images: Int) -> Int {
    guard isShared(images: images) else { return chunkTiles }
    return min(tiles(images: images), WinogradProduct.sharedTiles / chunkTiles * chunkTiles)
  }

  /// Floats between two positions of transformed tiles or products: an odd number of lines, so that they
  /// spread over the sets of the caches.
  private func positionStride(_ blocks: Int, tiles: Int) -> Int { (blocks * tiles | 1) * 16 }

  /// Where tiles and products lie.
  private func layout(images: Int) -> WinogradLayout {
    let tiles = blockTiles(images: images)
    if isShared(images: images) {
      let tileStride = positionStride(innerBlocks, tiles: tiles)
      let productStride = positionStride(outerBlocks, tiles: tiles)
      return WinogradLayout(
        tilesMax: tiles, tileOffset: 0, tileStride: tileStride, productOffset: positions * tileStride,
        productStride: productStride, floats: positions * (tileStride + productStride))
    }
    let stride = positionStride(max(innerBlocks, outerBlocks), tiles: tiles)
    return WinogradLayout(
      tilesMax: tiles, tileOffset: stride, tileStride: stride, productOffset: 0, productStride: stride,
      floats: (positions + 1) * stride)
  }

  /// Floats of scratch for at most `images` images and `threads` threads.
  func scratchFloats(_ compute: Compute, images: Int) -> Int {
    let threads = compute.team.threads
    let blocks = isShared(images: images) ? 1 : threads
    return factorFloats + threads * WinogradJob.memberFloats(compute.kernels)
      + blocks * layout(images: images).floats
  }

  /// Groups of lines in each of `views` parts of `images` images, as a `ResultEpilogue` needs them.
  func groups(images: Int, views: Int) -> Int {
    (tiles(images: images / views) + chunkTiles - 1) / chunkTiles * targetGrids.count
  }

  /// Transforms the weight and runs the convolution on `views` parts of the images, one after the other.
  ///
  /// `constants`, `[views][inner blocks][NormConstants.count]`: the source is normalised and rectified on the
  /// way.
  func run(
    _ compute: Compute, images: Int, imagesMax: Int, views: Int, from source: In, constants: In?, weight: In,
    epilogue: ResultEpilogue, into target: Out
  ) {
    let factors = compute.scratch(scratchFloats(compute, images: imagesMax))
    let job = WinogradJob(
      kernels: compute.kernels, source: source, constants: constants, factors: factors, epilogue: epilogue,
      target: target, scratch: factors + factorFloats, threads: compute.team.threads,
      layout: layout(images: imagesMax))
    transformWeights(compute, weight, factors, job)
    if isShared(images: imagesMax) {
      for view in 0..<views { runTogether(compute, job, tiles: tiles(images: images / views), view: view) }
    } else {
      runApart(compute, job, tiles: tiles(images: images / views), views: views)
    }
  }

  /// Every task takes a block of tiles all the way.
  private func runApart(_ compute: Compute, _ job: WinogradJob, tiles: Int, views: Int) {
    let block = job.layout.tilesMax
    let groups = (tiles + block - 1) / block
    compute.team.run(tasks: views * groups) { task, member in
      let view = task / groups
      let group = task % groups
      let first = view * tiles + group * block
      let count = min(block, tiles - group * block)
      let memory = job.blocks + member * job.layout.floats
      let (transformed, products) = (memory + job.layout.tileOffset, memory + job.layout.productOffset)
      for channels in 0..<innerBlocks {
        transform(job, first..<first + count, channels, transformed, line: 0, view: view, member)
      }
      for position in 0..<positions {
        multiply(job, position, 0..<pairs, tiles: count, transformed, products)
      }
      for channels in 0..<outerBlocks {
        finish(job, first..<first + count, channels, products, line: 0, view: view, group: group, member)
      }
      job.epilogue.settle()
    }
  }

  /// All threads transform many tiles, then share the products by position, so that factors are read once.
  private func runTogether(_ compute: Compute, _ job: WinogradJob, tiles: Int, view: Int) {
    let length = chunkTiles
    let (transformed, products) = (job.blocks + job.layout.tileOffset, job.blocks + job.layout.productOffset)
    let parts = (pairs + WinogradProduct.pairsOfTask - 1) / WinogradProduct.pairsOfTask
    for start in stride(from: 0, to: tiles, by: job.layout.tilesMax) {
      let first = view * tiles + start
      let count = min(job.layout.tilesMax, tiles - start)
      let chunks = (count + length - 1) / length
      compute.team.run(tasks: chunks * innerBlocks) { task, member in
        let line = task / innerBlocks * length
        transform(
          job, first + line..<first + min(line + length, count), task % innerBlocks, transformed, line: line,
          view: view, member)
      }
      compute.team.run(tasks: positions * parts) { task in
        let part = task % parts
        multiply(
          job, task / parts, part * pairs / parts..<(part + 1) * pairs / parts, tiles: count, transformed,
          products)
      }
      compute.team.run(tasks: chunks * outerBlocks) { task, member in
        let line = task / outerBlocks * length
        finish(
          job, first + line..<first + min(line + length, count), task % outerBlocks, products, line: line,
          view: view, group: (start + line) / length, member)
        job.epilogue.settle()
      }
    }
  }

  private func transformWeights(_ compute: Compute, _ weight: In, _ factors: Out, _ job: WinogradJob) {
    compute.team.run(tasks: innerBlocks * outerBlocks) { task, member in
      let (inner, outer) = (task / outerBlocks, task % outerBlocks)
      let width = min(32, outerBlocks * 16 - outer / 2 * 32)
      let innerFirst = inner % innerBlocksOfPhase * 16
      let outerFirst = outer % outerBlocksOfPhase * 16
      let block = WeightBlock(
        innerCount: min(16, innerCount - innerFirst), innerStride: innerStride,
        outerCount: min(16, outerCount - outerFirst), outerStride: outerStride)
      let from = weight + innerFirst * innerStride + outerFirst * outerStride
      let to = factors + outer / 2 * panelStride + inner * 16 * width + outer % 2 * 16
      if taps == 2 {
        let phase = inner / innerBlocksOfPhase + outer / outerBlocksOfPhase
        job.kernels.phaseWeights(
          from, block, StridePhases.taps(phase, isGradient: isGradient), width, factorStride,
          job.memberScratch(member), to)
      } else {
        job.kernels.winogradWeights(
          outputs, from, block, isGradient, width, factorStride, job.memberScratch(member), to)
      }
    }
  }

  private func transform(
    _ job: WinogradJob, _ range: Range<Int>, _ channels: Int, _ transformed: Out, line: Int, view: Int,
    _ member: Int
  ) {
    let grid = sourceGrids[channels / innerBlocksOfPhase]
    let block = channels % innerBlocksOfPhase
    job.kernels.winogradInput(
      grid, range.lowerBound, range.count, job.source + block * grid.mapRows * grid.mapColumns * 16,
      job.constants.map { $0 + (view * innerBlocksOfPhase + block) * NormConstants.count },
      job.layout.tileStride, job.memberScratch(member),
      transformed + (channels * job.layout.tilesMax + line) * 16)
  }

  private func multiply(
    _ job: WinogradJob, _ position: Int, _ pairs: Range<Int>, tiles: Int, _ transformed: In, _ products: Out
  ) {
    let tilesMax = job.layout.tilesMax
    let from = transformed + position * job.layout.tileStride
    let to = products + position * job.layout.productStride
    for pair in pairs {
      let columns = min(2, outerBlocks - 2 * pair)
      let factors = job.factors + position * factorStride + pair * panelStride
      let result = to + 2 * pair * tilesMax * 16
      for block in stride(from: 0, to: innerBlocks, by: blocksOfSum) {
        job.kernels.multiplyPixels(
          tiles, min(blocksOfSum, innerBlocks - block), from + block * tilesMax * 16, tilesMax,
          factors + block * 256 * columns, columns, result, result + tilesMax * 16, block > 0)
      }
    }
  }

  private func finish(
    _ job: WinogradJob, _ range: Range<Int>, _ channels: Int, _ products: In, line: Int, view: Int,
    group: Int, _ member: Int
  ) {
    let sums = job.memberSums(member)
    let phase = channels / outerBlocksOfPhase
    let block = channels % outerBlocksOfPhase
    job.kernels.winogradOutput(
      targetGrids[phase], range.lowerBound, range.count,
      products + (channels * job.layout.tilesMax + line) * 16, job.layout.productStride,
      job.epilogue.epilogue(view: view, block: block, sums: sums, target: job.target),
      job.memberScratch(member), job.target + block * job.epilogue.mapStride)
    job.epilogue.keep(
      sums, view: view, group: group * targetGrids.count + phase, block: block, isFirst: true)
  }
}

/// Where transformed tiles and products of some tiles lie, in floats.
struct WinogradLayout {
  /// Most tiles: lines from one channel block to the next.
  let tilesMax: Int
  /// Where the tiles of the first position are.
  let tileOffset: Int
  /// From one position of the tiles to the next.
  let tileStride: Int
  /// Where the products of the first position are.
  let productOffset: Int
  /// From one position of the products to the next.
  let productStride: Int
  /// All of it.
  let floats: Int
}

/// What the parts of one run share.
struct WinogradJob {
  let kernels: KernelTable
  let source: In
  let constants: In?
  let factors: In
  let epilogue: ResultEpilogue
  let target: Out
  let scratch: Out
  let threads: Int
  let layout: WinogradLayout

  /// Floats of a thread's scratch: the kernels', and sums.
  static func memberFloats(_ kernels: KernelTable) -> Int {
    kernels.winogradScratchFloats() + EpilogueSums.count
  }

  /// The kernels' scratch of a thread.
  func memberScratch(_ member: Int) -> Out { scratch + member * WinogradJob.memberFloats(kernels) }
  /// A thread's sums.
  func memberSums(_ member: Int) -> Out { memberScratch(member) + kernels.winogradScratchFloats() }
  /// Where transformed tiles and products begin.
  var blocks: Out { memberScratch(threads) }
}
