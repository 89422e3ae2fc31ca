import KernelsABI
import Parallel

/// A matrix product whose rows are the pixels of a grid and whose inner dimension are the channel blocks of
/// some neighbours of each pixel: the loop of every direct convolution, forward and input gradient.
///
/// Blocks of 96 pixels, which may span images, are collected into packed lines, multiplied by packed weights
/// and written to their places. The inner dimension is cut so that lines and results stay in the second-level
/// cache.
struct LineProduct {
  /// A neighbour: the pixel of the source map that grid pixel (0, 0) sees through it.
  struct Tap {
    var rowOffset: Int
    var columnOffset: Int
  }

  /// What the lines are collected from.
  enum Source {
    /// Blocked maps, one line a tap and channel block.
    case lines
    /// Planar maps with so many channels; a patch of the kernel's size around one tap makes all features.
    case patches(channels: Int, kernel: Int)
  }

  /// Pixels of a block: twelve tiles of the AVX-512 kernel.
  static let blockPixels = 96
  /// Lines from one block of packed lines to the next; odd, so that they spread over the sets of the caches.
  static let lineStride = 97
  /// Most packed channel blocks at once: 40 · 96 · 64 bytes are a quarter of a 1 MiB cache.
  static let segmentBlocksMax = 40
  /// Fewer tasks than this are multiplied by splitting the columns.
  static let tasksWanted = 48

  var source: Source
  /// The grid with the source as its map; the taps add their offsets.
  var sourceGrid: PixelGrid
  /// The grid with the target as its map.
  var targetGrid: PixelGrid
  var taps: [Tap]
  /// Blocks of the inner dimension for one tap.
  var sourceBlocks: Int
  /// Blocks of columns.
  var targetBlocks: Int
  /// Position of this product's first inner block in a packed panel.
  var firstPanelBlock: Int
  /// Floats of a packed panel of two column blocks.
  var panelStride: Int

  private var innerBlocks: Int { taps.count * sourceBlocks }
  private var segments: Int {
    max(1, (innerBlocks + LineProduct.segmentBlocksMax - 1) / LineProduct.segmentBlocksMax)
  }
  private var segmentBlocks: Int { (innerBlocks + segments - 1) / segments }

  /// Floats that each thread needs for packed lines and results.
  var memberFloats: Int { (segmentBlocks + targetBlocks) * LineProduct.lineStride * 16 }

  /// Runs over `images` images. `bias` has 16 floats for each block of columns. `scratch` has `memberFloats`
  /// floats for each thread, `scratchStride` apart.
  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, bias: In?, into target: Out, scratch: Out,
    scratchStride: Int
  ) {
    let pixels = images * sourceGrid.rows * sourceGrid.columns
    let blocks = (pixels + LineProduct.blockPixels - 1) / LineProduct.blockPixels
    let pairs = (targetBlocks + 1) / 2
    let groups =
      blocks >= LineProduct.tasksWanted
      ? 1 : min(pairs, (LineProduct.tasksWanted + blocks - 1) / max(blocks, 1))
    compute.team.run(tasks: blocks * groups) { task, member in
      let first = task / groups * LineProduct.blockPixels
      let count = min(LineProduct.blockPixels, pixels - first)
      let group = task % groups
      block(
        compute.kernels, first: first, count: count,
        pairs: group * pairs / groups..<(group + 1) * pairs / groups,
        source, panels, bias, target, scratch + member * scratchStride)
    }
  }

  private func block(
    _ kernels: KernelTable, first: Int, count: Int, pairs: Range<Int>, _ source: In, _ panels: In,
    _ bias: In?,
    _ target: Out, _ scratch: Out
  ) {
    let runStride = LineProduct.lineStride * 16
    let results = scratch + segmentBlocks * runStride
    for segment in 0..<segments {
      let inner = segment * segmentBlocks..<min((segment + 1) * segmentBlocks, innerBlocks)
      collect(kernels, first: first, count: count, inner, source, scratch)
      for pair in pairs {
        let columnBlocks = min(2, targetBlocks - 2 * pair)
        let panel = panels + pair * panelStride + (firstPanelBlock + inner.lowerBound) * 256 * columnBlocks
        let result = results + 2 * pair * runStride
        kernels.multiplyPixels(
          count, inner.count, scratch, LineProduct.lineStride, panel, columnBlocks, result,
          result + runStride,
          segment > 0)
      }
    }
    let mapStride = targetGrid.mapRows * targetGrid.mapColumns * 16
    for column in 2 * pairs.lowerBound..<min(2 * pairs.upperBound, targetBlocks) {
      kernels.scatterLines(
        targetGrid, first, count, results + column * runStride, bias.map { $0 + column * 16 },
        target + column * mapStride)
    }
  }

  private func collect(
    _ kernels: KernelTable, first: Int, count: Int, _ inner: Range<Int>, _ source: In, _ scratch: Out
  ) {
    var grid = sourceGrid
    switch self.source {
    case .patches(let channels, let kernel):
      grid.rowOffset += taps[0].rowOffset
      grid.columnOffset += taps[0].columnOffset
      kernels.gatherPatches(grid, first, count, channels, kernel, LineProduct.lineStride, source, scratch)
    case .lines:
      let mapStride = grid.mapRows * grid.mapColumns * 16
      for k in inner {
        let tap = taps[k / sourceBlocks]
        grid.rowOffset = sourceGrid.rowOffset + tap.rowOffset
        grid.columnOffset = sourceGrid.columnOffset + tap.columnOffset
        let to = scratch + (k - inner.lowerBound) * LineProduct.lineStride * 16
        kernels.gatherLines(grid, first, count, source + k % sourceBlocks * mapStride, to)
      }
    }
  }
}
