import KernelsABI
import Parallel

/// A matrix product whose rows are the pixels of maps: a 1×1 convolution of stride 1, forward and input
/// gradient.
///
/// Blocked maps are the packed rows of the product as they lie in memory, so nothing is copied. A task takes
/// the pixels of some images by turns and multiplies them by a panel of packed weights, a part of the inner
/// dimension after the other, so that the part of the panel stays in the first-level cache.
/// Reference: `ReferenceConvolution` in ConvolutionEdgeTests.
struct PointwiseProduct: DirectProduct {
  /// Fewest pixels of a map that are worth a product of their own: a multiple of the tiles' rows, or many of
  /// them. Smaller maps are joined by `WindowProduct`.
  static let pixelsMin = 48
  /// Pixels that are multiplied before they are written to their places; a multiple of the tiles' rows.
  private static let chunkPixels = 96
  /// Most blocks of the inner dimension that are multiplied at once.
  private static let segmentBlocks = 8
  /// Fewer tasks than this are multiplied by splitting the columns.
  private static let tasksWanted = 48

  /// Pixels of a map.
  let pixels: Int
  /// Blocks of the inner dimension.
  let sourceBlocks: Int
  /// The blocks of columns of each panel.
  let strips: ColumnStrips
  /// Floats from one panel of packed weights to the next.
  let panelStride: Int
  /// Images of a task: more than one only where sums of each image would not have room.
  let imagesOfTask: Int

  /// The product over at most `images` images.
  init(images: Int, pixels: Int, sourceBlocks: Int, strips: ColumnStrips, panelStride: Int) {
    self.pixels = pixels
    self.sourceBlocks = sourceBlocks
    self.strips = strips
    self.panelStride = panelStride
    imagesOfTask = max(1, (2 * images * strips.blocks + Partials.entriesMax - 1) / Partials.entriesMax)
  }

  var memberFloats: Int { strips.widest * PointwiseProduct.chunkPixels * 16 }

  func groups(images: Int, views: Int) -> Int { (images / views + imagesOfTask - 1) / imagesOfTask }

  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, epilogue: ResultEpilogue, into target: Out,
    scratch: Out
  ) {
    let views = epilogue.views
    let groups = groups(images: images, views: views)
    let tasks = max(1, views * groups)
    let parts = min(strips.count, (PointwiseProduct.tasksWanted + tasks - 1) / tasks)
    compute.team.run(tasks: views * groups * parts) { task, member in
      let (index, part) = (task / parts, task % parts)
      let start = index % groups * imagesOfTask
      let first = index / groups * (images / views) + start
      let piece = Piece(
        images: first..<first + min(imagesOfTask, images / views - start),
        strips: part * strips.count / parts..<(part + 1) * strips.count / parts, view: index / groups,
        group: index % groups)
      multiply(
        compute.kernels, piece, source, panels, epilogue, target,
        scratch + member * (memberFloats + EpilogueSums.count))
    }
  }

  /// What a task works on.
  private struct Piece {
    var images: Range<Int>
    var strips: Range<Int>
    var view: Int
    var group: Int
  }

  private func multiply(
    _ kernels: KernelTable, _ piece: Piece, _ source: In, _ panels: In, _ epilogue: ResultEpilogue,
    _ target: Out, _ results: Out
  ) {
    let resultStride = PointwiseProduct.chunkPixels * 16
    let sums = results + memberFloats
    let grid = PixelGrid(
      rows: 1, columns: pixels, mapRows: 1, mapColumns: pixels, imageStride: strips.blocks * pixels * 16)
    for image in piece.images {
      for start in stride(from: 0, to: pixels, by: PointwiseProduct.chunkPixels) {
        let count = min(PointwiseProduct.chunkPixels, pixels - start)
        let rows = source + (image * sourceBlocks * pixels + start) * 16
        let isFirst = image == piece.images.lowerBound && start == 0
        for strip in piece.strips {
          let columns = strips.blocks(strip)
          for first in stride(from: 0, to: sourceBlocks, by: PointwiseProduct.segmentBlocks) {
            kernels.multiplyPixels(
              count, min(PointwiseProduct.segmentBlocks, sourceBlocks - first), rows + first * pixels * 16,
              pixels, panels + strip * panelStride + first * 256 * columns.count, columns.count, results,
              results + resultStride, first > 0)
          }
          for column in columns {
            kernels.scatterLines(
              grid, image * pixels + start, count, results + (column - columns.lowerBound) * resultStride,
              epilogue.epilogue(view: piece.view, block: column, sums: sums, target: target),
              target + column * epilogue.mapStride)
            epilogue.keep(sums, view: piece.view, group: piece.group, block: column, isFirst: isFirst)
          }
        }
      }
    }
    epilogue.settle()
  }
}
