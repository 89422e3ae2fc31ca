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
  /// Groups of lines in each of `views` parts of `images` images, as a `ResultEnding` needs them.
  func groups(images: Int, views: Int) -> Int
  /// Runs over `images` images.
  ///
  /// `scratch` has the floats that all threads share, then `memberFloats` floats and `EndingSums.count` more
  /// for each thread.
  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, ending: ResultEnding, into target: Out,
    scratch: Out)
}

/// A matrix product whose rows are images of one pixel: a linear layer, forward and input gradient.
///
/// The blocks of the source, which lie a row apart, are collected side by side once; then every task
/// multiplies a block of rows by a panel of packed weights.
struct LineProduct: DirectProduct {
  /// Rows of a task: a multiple of the tiles' rows.
  private static let blockRows = 96

  /// Blocks of the inner dimension.
  let innerBlocks: Int
  /// Blocks of columns.
  let targetBlocks: Int
  /// Floats of a packed panel of two column blocks.
  let panelStride: Int

  /// Lines of a collected block; odd, so that blocks spread over the sets of the caches.
  private func lines(_ images: Int) -> Int { images | 1 }

  func sharedFloats(images: Int) -> Int { innerBlocks * lines(images) * 16 }

  var memberFloats: Int { 2 * LineProduct.blockRows * 16 }

  func groups(images: Int, views: Int) -> Int {
    (images / views + LineProduct.blockRows - 1) / LineProduct.blockRows
  }

  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, ending: ResultEnding, into target: Out,
    scratch: Out
  ) {
    let lines = lines(images)
    compute.team.run(tasks: innerBlocks) { block in
      compute.kernels.gatherLines(
        onePixel(innerBlocks * 16), 0, images, source + block * 16, scratch + block * lines * 16)
    }
    let views = ending.views
    let blocks = groups(images: images, views: views)
    let pairs = (targetBlocks + 1) / 2
    let free = scratch + sharedFloats(images: images)
    compute.team.run(tasks: views * blocks * pairs) { task, member in
      let view = task / pairs / blocks
      let block = task / pairs % blocks
      let first = block * LineProduct.blockRows
      multiply(
        compute.kernels, rows: view * (images / views) + first,
        count: min(LineProduct.blockRows, images / views - first), pair: task % pairs, In(scratch), lines,
        panels, ending, view: view, group: block, target, free + member * (memberFloats + EndingSums.count))
    }
  }

  private func multiply(
    _ kernels: KernelTable, rows first: Int, count: Int, pair: Int, _ collected: In, _ lines: Int,
    _ panels: In, _ ending: ResultEnding, view: Int, group: Int, _ target: Out, _ scratch: Out
  ) {
    let columnBlocks = min(2, targetBlocks - 2 * pair)
    let resultStride = LineProduct.blockRows * 16
    kernels.multiplyPixels(
      count, innerBlocks, collected + first * 16, lines, panels + pair * panelStride, columnBlocks, scratch,
      scratch + resultStride, false)
    let sums = scratch + memberFloats
    for part in 0..<columnBlocks {
      let column = 2 * pair + part
      kernels.scatterLines(
        onePixel(targetBlocks * 16), first, count, scratch + part * resultStride,
        ending.ending(view: view, block: column, sums: sums, target: target), target + column * 16)
      ending.keep(sums, view: view, group: group, block: column, isFirst: true)
    }
  }

  /// Images of one pixel.
  private func onePixel(_ imageStride: Int) -> PixelGrid {
    PixelGrid(rows: 1, columns: 1, mapRows: 1, mapColumns: 1, imageStride: imageStride)
  }
}
