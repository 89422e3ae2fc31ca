import KernelsABI
import Parallel

/// The layout of packed weights: panels of two or four blocks of outer channels, `[taps · inner blocks ·
/// 16][16 · blocks]` each, the last ones narrower.
struct WeightPanels {
  /// Blocks or panels that a task packs one after the other.
  private static let blocksOfTask = 16

  /// Channels that are summed over.
  var innerCount: Int
  /// Floats of the weight from one inner channel to the next.
  var innerStride: Int
  /// Channels that become columns.
  var outerCount: Int
  /// Floats of the weight from one outer channel to the next.
  var outerStride: Int
  /// For each position in the panel, which tap lies there.
  var tapOrder: [Int]
  /// Blocks of outer channels of a panel, 2 or 4.
  var blocksOfPanel = 2

  var innerBlocks: Int { (innerCount + 15) / 16 }
  var outerBlocks: Int { (outerCount + 15) / 16 }
  /// The outer blocks of each panel.
  var strips: ColumnStrips { ColumnStrips(blocks: outerBlocks, widest: blocksOfPanel) }
  /// Floats from one panel to the next.
  var panelStride: Int { tapOrder.count * innerBlocks * 256 * blocksOfPanel }
  /// Floats of all panels.
  var floats: Int { strips.count * panelStride }

  /// Packs `weight`, whose element of a tap is `innerStride`, `outerStride` and 1 (tap) floats apart.
  ///
  /// A task takes a run of weights that lie near each other: inner blocks of one panel, or panels of one
  /// inner block.
  func pack(_ compute: Compute, weight: In, into panels: Out) {
    let length = WeightPanels.blocksOfTask
    let inner = innerBlocks
    let count = strips.count
    if innerStride <= outerStride {
      let parts = (inner + length - 1) / length
      compute.team.run(tasks: count * parts) { task in
        let first = task % parts * length
        for block in first..<min(first + length, inner) {
          pack(compute.kernels, panel: task / parts, block: block, weight, panels)
        }
      }
    } else {
      let parts = (count + length - 1) / length
      compute.team.run(tasks: inner * parts) { task in
        let first = task % parts * length
        for panel in first..<min(first + length, count) {
          pack(compute.kernels, panel: panel, block: task / parts, weight, panels)
        }
      }
    }
  }

  private func pack(_ kernels: KernelTable, panel: Int, block: Int, _ weight: In, _ panels: Out) {
    let columns = strips.blocks(panel)
    let width = columns.count * 16
    let from = weight + block * 16 * innerStride + columns.lowerBound * 16 * outerStride
    for (position, tap) in tapOrder.enumerated() {
      kernels.packWeights(
        from + tap, min(16, innerCount - block * 16), innerStride,
        min(width, outerCount - columns.lowerBound * 16), outerStride, width,
        panels + panel * panelStride + (position * innerBlocks + block) * 16 * width)
    }
  }
}
