import KernelsABI
import Parallel

/// A neighbour: the pixel of the source map that grid pixel (0, 0) sees through it.
struct Tap {
  /// Rows down.
  var rowOffset: Int
  /// Columns to the right.
  var columnOffset: Int
}

/// The product of a direct convolution or linear layer in one direction.
protocol DirectProduct: Sendable {
  /// Floats that all threads share.
  func sharedFloats(images: Int) -> Int
  /// Floats that each thread needs.
  var memberFloats: Int { get }
  /// Groups of lines in each of `views` parts of `images` images, as a `ResultEpilogue` needs them.
  func groups(images: Int, views: Int) -> Int
  /// Runs over `images` images.
  ///
  /// `scratch` has the floats that all threads share, then `memberFloats` floats and `EpilogueSums.count`
  /// more for each thread.
  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, epilogue: ResultEpilogue, into target: Out,
    scratch: Out)
}

/// A matrix product whose rows are images of one pixel: a linear layer, forward and input gradient.
///
/// The blocks of the source, which lie a row apart, are collected side by side once, for some rows at a time;
/// then every task multiplies those rows by a panel of packed weights, a part of the inner dimension after
/// the other, so that lines and panel stay in the first-level cache.
struct LineProduct: DirectProduct {
  /// Rows of a task: a multiple of the tiles' rows.
  private static let blockRows = 96
  /// Lines from one collected block to the next; odd, so that they spread over the sets of the caches.
  private static let lineStride = 97
  /// Rows that are collected block after block, so that each is read from its beginning to its end.
  private static let gatheredRows = 16
  /// Most blocks of the inner dimension that are multiplied at once.
  private static let segmentBlocks = 2

  /// Blocks of the inner dimension.
  let innerBlocks: Int
  /// Blocks of columns.
  let targetBlocks: Int
  /// Floats of a packed panel of two column blocks.
  let panelStride: Int

  /// Blocks of rows. Each view has its own: for each view but one there may be one more than the rows fill.
  private func rowBlocks(_ images: Int, views: Int) -> Int {
    views * ((images / views + LineProduct.blockRows - 1) / LineProduct.blockRows)
  }

  /// Floats of the collected lines of a block of rows.
  private var collectedFloats: Int { innerBlocks * LineProduct.lineStride * 16 }

  func sharedFloats(images: Int) -> Int {
    (rowBlocks(images, views: 1) + Normalization.viewsMax - 1) * collectedFloats
  }

  var memberFloats: Int { 2 * LineProduct.blockRows * 16 }

  func groups(images: Int, views: Int) -> Int { rowBlocks(images, views: views) / views }

  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, epilogue: ResultEpilogue, into target: Out,
    scratch: Out
  ) {
    let views = epilogue.views
    let blocks = groups(images: images, views: views)
    let share = images / views
    let pairs = (targetBlocks + 1) / 2
    /// The rows of block `index` of all views.
    func rows(_ index: Int) -> Range<Int> {
      let first = index % blocks * LineProduct.blockRows
      let start = index / blocks * share
      return start + first..<start + min(first + LineProduct.blockRows, share)
    }
    let parts = LineProduct.blockRows / LineProduct.gatheredRows
    compute.team.run(tasks: views * blocks * parts) { task in
      let rows = rows(task / parts)
      let first = task % parts * LineProduct.gatheredRows
      let target = scratch + task / parts * collectedFloats + first * 16
      for block in 0..<innerBlocks {
        compute.kernels.gatherLines(
          onePixel(innerBlocks * 16), rows.lowerBound + first,
          max(0, min(LineProduct.gatheredRows, rows.count - first)), source + block * 16,
          target + block * LineProduct.lineStride * 16)
      }
    }
    let free = scratch + sharedFloats(images: images)
    compute.team.run(tasks: views * blocks * pairs) { task, member in
      let index = task / pairs
      multiply(
        compute.kernels, rows: rows(index), pair: task % pairs, scratch + index * collectedFloats, panels,
        epilogue, view: index / blocks, group: index % blocks, target,
        free + member * (memberFloats + EpilogueSums.count))
    }
  }

  private func multiply(
    _ kernels: KernelTable, rows: Range<Int>, pair: Int, _ collected: In, _ panels: In,
    _ epilogue: ResultEpilogue, view: Int, group: Int, _ target: Out, _ scratch: Out
  ) {
    let columnBlocks = min(2, targetBlocks - 2 * pair)
    let resultStride = LineProduct.blockRows * 16
    for first in stride(from: 0, to: innerBlocks, by: LineProduct.segmentBlocks) {
      kernels.multiplyPixels(
        rows.count, min(LineProduct.segmentBlocks, innerBlocks - first),
        collected + first * LineProduct.lineStride * 16, LineProduct.lineStride,
        panels + pair * panelStride + first * 256 * columnBlocks, columnBlocks, scratch,
        scratch + resultStride, first > 0)
    }
    let sums = scratch + memberFloats
    for part in 0..<columnBlocks {
      let column = 2 * pair + part
      kernels.scatterLines(
        onePixel(targetBlocks * 16), rows.lowerBound, rows.count, scratch + part * resultStride,
        epilogue.epilogue(view: view, block: column, sums: sums, target: target), target + column * 16)
      epilogue.keep(sums, view: view, group: group, block: column, isFirst: true)
    }
    epilogue.settle()
  }

  /// Images of one pixel.
  private func onePixel(_ imageStride: Int) -> PixelGrid {
    PixelGrid(rows: 1, columns: 1, mapRows: 1, mapColumns: 1, imageStride: imageStride)
  }
}
