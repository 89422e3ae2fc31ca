import KernelsABI
import Parallel

/// A matrix product whose rows are windows of maps: the loop of direct convolutions, forward and input
/// gradient.
///
/// A task takes some whole images, or a band of rows of one, copies what they see with its border of zeros
/// into its own cache if windows reach beyond the map, and multiplies the windows where they lie: for the
/// input gradient with a stride, those of each phase of input pixels in turn.
struct WindowProduct: DirectProduct {
  /// Pixels of the target that see the source through the same taps.
  struct Phase {
    /// The phase's pixels on the target.
    var target: PixelGrid
    /// What its grid pixel (0, 0) sees of the source.
    var taps: [Tap]
  }

  /// A phase as it is run.
  private struct Plan {
    var target: PixelGrid
    /// Position of the first inner block in a packed panel.
    var firstPanelBlock: Int
    /// Blocks of the inner dimension; none where no tap reaches the phase.
    var innerBlocks: Int
    /// Floats from a pixel to each inner block of its window; never empty.
    var offsets: [Int]
  }

  /// Pixels that are multiplied before they are written to their places.
  private static let chunkPixels = 96
  /// Most bytes of copied lines: some of a second-level cache.
  private static let copyBytesMax = 288 << 10
  /// Fewer tasks than this are multiplied by splitting the columns.
  private static let tasksWanted = 48

  /// The largest phase's grid over the source; the taps add their offsets.
  private let grid: PixelGrid
  private let plans: [Plan]
  private let sourceBlocks: Int
  private let targetBlocks: Int
  /// Floats of a packed panel of two column blocks.
  private let panelStride: Int
  /// Whether windows reach beyond the map.
  private let needsCopy: Bool
  /// The copied part: its first line beside grid pixel (0, 0), and its size.
  private let firstRow: Int
  private let firstColumn: Int
  private let copyRows: Int
  private let copyColumns: Int
  /// Grid rows of a task.
  private let bandRows: Int
  /// Images of a task; more than one only if a band is a whole image.
  private let imagesOfTask: Int

  /// The product over `phases`, whose taps follow each other in the panels. `grid` is the first phase's, the
  /// largest, over the source.
  init(grid: PixelGrid, phases: [Phase], sourceBlocks: Int, targetBlocks: Int, panelStride: Int) {
    self.grid = grid
    self.sourceBlocks = sourceBlocks
    self.targetBlocks = targetBlocks
    self.panelStride = panelStride
    let rows = phases.flatMap { $0.taps.map(\.rowOffset) }
    let columns = phases.flatMap { $0.taps.map(\.columnOffset) }
    let (top, left) = (rows.min() ?? 0, columns.min() ?? 0)
    let (tall, wide) = ((rows.max() ?? 0) - top, (columns.max() ?? 0) - left)
    firstRow = grid.rowOffset + top
    firstColumn = grid.columnOffset + left
    copyColumns = (grid.columns - 1) * grid.step + wide + 1
    let lastRow = firstRow + (grid.rows - 1) * grid.step + tall
    needsCopy =
      firstRow < 0 || firstColumn < 0 || lastRow >= grid.mapRows
      || firstColumn + copyColumns > grid.mapColumns
    let bytesOfRow = sourceBlocks * copyColumns * 64
    let rowsMax = (WindowProduct.copyBytesMax / bytesOfRow - tall - 1) / grid.step + 1
    bandRows = needsCopy ? max(1, min(grid.rows, rowsMax)) : grid.rows
    copyRows = (bandRows - 1) * grid.step + tall + 1
    let pixels = grid.rows * grid.columns
    let imagesMax = needsCopy ? WindowProduct.copyBytesMax / (copyRows * bytesOfRow) : .max
    let wanted = (WindowProduct.chunkPixels + pixels - 1) / pixels
    imagesOfTask = bandRows == grid.rows ? max(1, min(wanted, imagesMax)) : 1
    let (mapRows, mapColumns) = needsCopy ? (copyRows, copyColumns) : (grid.mapRows, grid.mapColumns)
    let (rowShift, columnShift) = needsCopy ? (top, left) : (0, 0)
    var taps = 0
    plans = phases.map { phase in
      let present = phase.taps.isEmpty ? [Tap(rowOffset: rowShift, columnOffset: columnShift)] : phase.taps
      let offsets = present.flatMap { tap in
        (0..<sourceBlocks).map { block in
          let row = block * mapRows + tap.rowOffset - rowShift
          return (row * mapColumns + tap.columnOffset - columnShift) * 16
        }
      }
      defer { taps += phase.taps.count }
      return Plan(
        target: phase.target, firstPanelBlock: taps * sourceBlocks,
        innerBlocks: phase.taps.count * sourceBlocks, offsets: offsets)
    }
  }

  private var bands: Int { (grid.rows + bandRows - 1) / bandRows }
  private var copyStride: Int { sourceBlocks * copyRows * copyColumns * 16 }
  private var copyFloats: Int { needsCopy ? imagesOfTask * copyStride : 0 }
  private var resultFloats: Int { targetBlocks * WindowProduct.chunkPixels * 16 }

  var memberFloats: Int { copyFloats + resultFloats }

  func groups(images: Int, views: Int) -> Int {
    (images / views + imagesOfTask - 1) / imagesOfTask * bands
  }

  func run(
    _ compute: Compute, images: Int, from source: In, panels: In, epilogue: ResultEpilogue, into target: Out,
    scratch: Out
  ) {
    let views = epilogue.views
    let groups = groups(images: images, views: views)
    let pairs = (targetBlocks + 1) / 2
    let tasks = max(1, views * groups)
    let parts = min(pairs, (WindowProduct.tasksWanted + tasks - 1) / tasks)
    compute.team.run(tasks: views * groups * parts) { task, member in
      let view = task / parts / groups
      let group = task / parts % groups
      let part = task % parts
      let start = group / bands * imagesOfTask
      let first = view * (images / views) + start
      let piece = Piece(
        images: first..<first + min(imagesOfTask, images / views - start), row: group % bands * bandRows,
        pairs: part * pairs / parts..<(part + 1) * pairs / parts, view: view, group: group)
      let free = scratch + member * (memberFloats + EpilogueSums.count)
      if needsCopy { copy(compute.kernels, piece, source, free) }
      for index in plans.indices {
        multiply(
          compute.kernels, piece, plans[index], isFirst: index == 0, needsCopy ? In(free) : source, panels,
          epilogue, target, free + copyFloats)
      }
      epilogue.settle()
    }
  }

  /// What a task works on.
  private struct Piece {
    var images: Range<Int>
    /// The first grid row.
    var row: Int
    var pairs: Range<Int>
    var view: Int
    var group: Int
  }

  private func multiply(
    _ kernels: KernelTable, _ piece: Piece, _ plan: Plan, isFirst: Bool, _ map: In, _ panels: In,
    _ epilogue: ResultEpilogue, _ target: Out, _ results: Out
  ) {
    let chunk = WindowProduct.chunkPixels
    let sums = results + resultFloats
    let rows = min(bandRows, plan.target.rows - piece.row)
    var windows = grid
    windows.rows = plan.target.rows
    windows.columns = plan.target.columns
    // The position of this piece's first pixel among all of the phase, and among those of `windows`.
    let firstPixel = (piece.images.lowerBound * plan.target.rows + piece.row) * plan.target.columns
    var firstWindow = firstPixel
    if needsCopy {
      windows = PixelGrid(
        rows: max(rows, 1), columns: plan.target.columns, mapRows: copyRows, mapColumns: copyColumns,
        imageStride: copyStride, step: grid.step)
      firstWindow = 0
    }
    let pixels = piece.images.count * max(rows, 0) * plan.target.columns
    for start in stride(from: 0, to: pixels, by: chunk) {
      let length = min(chunk, pixels - start)
      for pair in piece.pairs {
        let columnBlocks = min(2, targetBlocks - 2 * pair)
        let result = results + 2 * pair * chunk * 16
        let panel = panels + pair * panelStride + plan.firstPanelBlock * 256 * columnBlocks
        plan.offsets.withUnsafeBufferPointer { offsets in
          guard let offsets = offsets.baseAddress else { return }
          kernels.multiplyWindows(
            windows, firstWindow + start, length, offsets, plan.innerBlocks, map, panel, columnBlocks, result,
            result + chunk * 16)
        }
      }
      for column in 2 * piece.pairs.lowerBound..<min(2 * piece.pairs.upperBound, targetBlocks) {
        kernels.scatterLines(
          plan.target, firstPixel + start, length, results + column * chunk * 16,
          epilogue.epilogue(view: piece.view, block: column, sums: sums, target: target),
          target + column * epilogue.mapStride)
        epilogue.keep(
          sums, view: piece.view, group: piece.group, block: column, isFirst: isFirst && start == 0)
      }
    }
  }

  private func copy(_ kernels: KernelTable, _ piece: Piece, _ source: In, _ target: Out) {
    for image in piece.images {
      for block in 0..<sourceBlocks {
        kernels.copyWindow(
          grid, piece.row * grid.step + firstRow, firstColumn, copyRows, copyColumns,
          source + image * grid.imageStride + block * grid.mapRows * grid.mapColumns * 16,
          target + (image - piece.images.lowerBound) * copyStride + block * copyRows * copyColumns * 16)
      }
    }
  }
}
