import KernelsABI
import Parallel

/// A matrix product whose rows are images of one pixel: a linear layer, forward or input gradient.
///
/// The blocks of the source, which lie a row apart, are collected side by side once, for some rows at a time.
/// A task owns some rows and columns of the result. It packs its part of the weight, some of the inner
/// dimension at a time, into scratch that stays in the second-level cache, and multiplies all its rows by it:
/// the packed weight never goes to memory, and what is read next is fetched meanwhile.
struct LineProduct {
  /// Rows whose sums are taken together: a multiple of the tiles' rows.
  private static let blockRows = 96
  /// Rows that are multiplied at once: their results stay in the first-level cache; a multiple of the tiles'.
  private static let rowsAtOnce = 48
  /// Lines from one collected block to the next; odd, so that they spread over the sets of the caches.
  private static let lineStride = 97
  /// Rows that a task collects, block after block: each is read from its beginning to its end.
  private static let gatheredRows = 16
  /// Most blocks of the inner dimension that are multiplied at once; their sum begins at zero.
  private static let segmentBlocks = 2
  /// Blocks of the inner dimension that are packed at once, whole segments.
  private static let chunkBlocks = 16
  /// Blocks of columns that are multiplied at once.
  private static let stripBlocks = 4
  /// Most strips of columns of a task.
  private static let stripsMax = 2
  /// The last strips, one of so many, are tasks of their own: threads that are not equally fast end together.
  private static let lastStrips = 4
  /// Most blocks of rows of a task.
  private static let rowBlocksMax = 6
  /// Tasks wanted of each span of rows.
  private static let tasksWanted = 16

  /// The weight, whose inner channels are summed over and whose outer channels are columns.
  let weight: WeightPanels

  private var innerBlocks: Int { weight.innerBlocks }
  private var strips: ColumnStrips {
    ColumnStrips(blocks: weight.outerBlocks, widest: LineProduct.stripBlocks)
  }
  /// Strips of columns of a task.
  private var stripsOfTask: Int {
    max(1, min(LineProduct.stripsMax, strips.count / LineProduct.tasksWanted))
  }
  /// Floats of the collected lines of a block of rows.
  private var collectedFloats: Int { innerBlocks * LineProduct.lineStride * 16 }
  /// Floats of a packed part of a strip.
  private static let packedFloats = chunkBlocks * 16 * 16 * stripBlocks
  /// Floats of the results of a block of rows and a block of columns.
  private static let resultFloats = blockRows * 16
  /// Floats of the results of a block of rows.
  private var rowBlockFloats: Int { stripsOfTask * LineProduct.stripBlocks * LineProduct.resultFloats }
  /// Floats of a thread: packed weight, results and sums.
  private var memberFloats: Int {
    stripsOfTask * LineProduct.packedFloats + LineProduct.rowBlocksMax * rowBlockFloats + EpilogueSums.count
  }

  /// Blocks of rows of `images` images in `views` parts. Each view has its own.
  private struct RowBlocks {
    var images: Int
    var views: Int
    /// Blocks of a view.
    var group: Int { (images / views + LineProduct.blockRows - 1) / LineProduct.blockRows }
    var count: Int { views * group }

    /// The rows of block `index` of all views.
    func rows(_ index: Int) -> Range<Int> {
      let first = index % group * LineProduct.blockRows
      let start = index / group * (images / views)
      return start + first..<start + min(first + LineProduct.blockRows, images / views)
    }
  }

  /// What a task owns.
  private struct Part {
    var rowBlocks: Range<Int>
    var strips: Range<Int>
    /// Its blocks of columns.
    var columns: Range<Int>
  }

  /// Groups of lines in each of `views` parts of `images` images, as a `ResultEpilogue` needs them.
  func groups(images: Int, views: Int) -> Int { RowBlocks(images: images, views: views).group }

  /// Floats of scratch for at most `images` images: for each view but one there may be one block of rows
  /// more than the rows fill.
  func scratchFloats(images: Int, threads: Int) -> Int {
    (RowBlocks(images: images, views: 1).count + Normalization.viewsMax - 1) * collectedFloats
      + threads * memberFloats
  }

  /// Multiplies `images` rows of `source` by the weight.
  func run(
    _ compute: Compute, images: Int, from source: In, weight: In, epilogue: ResultEpilogue, into target: Out
  ) {
    let blocks = RowBlocks(images: images, views: epilogue.views)
    let collected = compute.scratch(blocks.count * collectedFloats + compute.team.threads * memberFloats)
    collect(compute, blocks, source, collected)
    let free = collected + blocks.count * collectedFloats
    let spans = (blocks.count + LineProduct.rowBlocksMax - 1) / LineProduct.rowBlocksMax
    let (strips, length) = (strips, stripsOfTask)
    let long = (strips.count - strips.count / LineProduct.lastStrips) / length
    compute.team.run(tasks: spans * (strips.count - long * (length - 1))) { task, member in
      let (span, index) = (task % spans, task / spans)
      let first = min(index, long) * length + max(0, index - long)
      let owned = first..<first + (index < long ? length : 1)
      let part = Part(
        rowBlocks: span * blocks.count / spans..<(span + 1) * blocks.count / spans, strips: owned,
        columns: strips.blocks(owned.lowerBound).lowerBound..<strips.blocks(owned.upperBound - 1).upperBound)
      let scratch = free + member * memberFloats
      multiply(compute.kernels, part, blocks, collected, weight, epilogue.isStreamed ? nil : target, scratch)
      store(compute.kernels, part, blocks, epilogue, target, scratch)
    }
  }

  private func collect(_ compute: Compute, _ blocks: RowBlocks, _ source: In, _ collected: Out) {
    let length = LineProduct.gatheredRows
    let parts = LineProduct.blockRows / length
    compute.team.run(tasks: blocks.count * parts) { task in
      let rows = blocks.rows(task / parts)
      let first = task % parts * length
      compute.kernels.packRows(
        source + (rows.lowerBound + first) * innerBlocks * 16, max(0, min(length, rows.count - first)),
        innerBlocks * 16, innerBlocks * 16, 1, LineProduct.lineStride,
        collected + task / parts * collectedFloats + first * 16)
    }
  }

  /// The products of a part, a chunk of the inner dimension after the other. `target`, unless it is written
  /// past the caches, is fetched with the last.
  private func multiply(
    _ kernels: KernelTable, _ part: Part, _ blocks: RowBlocks, _ collected: In, _ source: In, _ target: In?,
    _ scratch: Out
  ) {
    let results = scratch + stripsOfTask * LineProduct.packedFloats
    for first in stride(from: 0, to: innerBlocks, by: LineProduct.chunkBlocks) {
      let chunk = first..<min(first + LineProduct.chunkBlocks, innerBlocks)
      for strip in part.strips {
        let packed = scratch + (strip - part.strips.lowerBound) * LineProduct.packedFloats
        pack(kernels, columns: strips.blocks(strip), chunk, source, packed)
      }
      var fetch = self.fetch(after: chunk, part, blocks, source, target)
      for index in part.rowBlocks {
        for strip in part.strips {
          let columns = strips.blocks(strip)
          multiply(
            kernels, rows: blocks.rows(index).count, chunk, collected + index * collectedFloats,
            scratch + (strip - part.strips.lowerBound) * LineProduct.packedFloats, columns.count,
            results + (index - part.rowBlocks.lowerBound) * rowBlockFloats
              + (columns.lowerBound - part.columns.lowerBound) * LineProduct.resultFloats, &fetch)
        }
      }
    }
  }

  /// The products of a block of rows and a strip, some rows after the others, a segment after the other.
  private func multiply(
    _ kernels: KernelTable, rows: Int, _ chunk: Range<Int>, _ collected: In, _ packed: In,
    _ columnBlocks: Int, _ result: Out, _ fetch: inout Fetch
  ) {
    for row in stride(from: 0, to: rows, by: LineProduct.rowsAtOnce) {
      let target = result + row * 16
      for first in stride(from: chunk.lowerBound, to: chunk.upperBound, by: LineProduct.segmentBlocks) {
        kernels.multiplyPixels(
          min(LineProduct.rowsAtOnce, rows - row), min(LineProduct.segmentBlocks, chunk.upperBound - first),
          collected + (first * LineProduct.lineStride + row) * 16, LineProduct.lineStride,
          packed + (first - chunk.lowerBound) * 256 * columnBlocks, columnBlocks, target,
          target + LineProduct.resultFloats, first > 0)
        fetch.next(kernels)
      }
    }
  }

  private func pack(
    _ kernels: KernelTable, columns: Range<Int>, _ chunk: Range<Int>, _ source: In, _ packed: Out
  ) {
    let width = columns.count * 16
    for block in chunk {
      kernels.packWeights(
        source + block * 16 * weight.innerStride + columns.lowerBound * 16 * weight.outerStride,
        min(16, weight.innerCount - block * 16), weight.innerStride,
        min(width, weight.outerCount - columns.lowerBound * 16), weight.outerStride, width,
        packed + (block - chunk.lowerBound) * 16 * width)
    }
  }

  /// What is read after `chunk`: the next part of the weight, or the part of the target that is written.
  private func fetch(
    after chunk: Range<Int>, _ part: Part, _ blocks: RowBlocks, _ source: In, _ target: In?
  ) -> Fetch {
    let segments = (chunk.count + LineProduct.segmentBlocks - 1) / LineProduct.segmentBlocks
    let steps = part.rowBlocks.count * (LineProduct.blockRows / LineProduct.rowsAtOnce) * part.strips.count
    let column = part.columns.lowerBound * 16
    let inner = min(LineProduct.chunkBlocks * 16, weight.innerCount - chunk.upperBound * 16)
    if inner > 0 {
      let outer = min(part.columns.count * 16, weight.outerCount - column)
      let isAlongInner = weight.innerStride <= weight.outerStride
      return Fetch(
        start: source + chunk.upperBound * 16 * weight.innerStride + column * weight.outerStride,
        rows: isAlongInner ? outer : inner, columns: isAlongInner ? inner : outer,
        rowStride: max(weight.innerStride, weight.outerStride), steps: steps * segments)
    }
    let first = blocks.rows(part.rowBlocks.lowerBound).lowerBound
    let stride = weight.outerBlocks * 16
    return Fetch(
      start: (target ?? source) + (target == nil ? 0 : first * stride + column),
      rows: target == nil ? 0 : blocks.rows(part.rowBlocks.upperBound - 1).upperBound - first,
      columns: part.columns.count * 16, rowStride: stride, steps: steps * segments)
  }

  private func store(
    _ kernels: KernelTable, _ part: Part, _ blocks: RowBlocks, _ epilogue: ResultEpilogue, _ target: Out,
    _ scratch: Out
  ) {
    let results = scratch + stripsOfTask * LineProduct.packedFloats
    let sums = results + LineProduct.rowBlocksMax * rowBlockFloats
    // The rows as pixels of one map, a row of the target apart.
    let grid = PixelGrid(
      rows: 1, columns: blocks.images, mapRows: 1, mapColumns: blocks.images * weight.outerBlocks,
      imageStride: blocks.images * weight.outerBlocks * 16, step: weight.outerBlocks)
    for index in part.rowBlocks {
      let rows = blocks.rows(index)
      let (view, group) = (index / blocks.group, index % blocks.group)
      for column in part.columns {
        kernels.scatterLines(
          grid, rows.lowerBound, rows.count,
          results + (index - part.rowBlocks.lowerBound) * rowBlockFloats
            + (column - part.columns.lowerBound) * LineProduct.resultFloats,
          epilogue.epilogue(view: view, block: column, sums: sums, target: target), target + column * 16)
        epilogue.keep(sums, view: view, group: group, block: column, isFirst: true)
      }
    }
    epilogue.settle()
  }
}
