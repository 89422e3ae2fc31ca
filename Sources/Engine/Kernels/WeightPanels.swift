import KernelsABI
import Parallel

/// The layout of packed weights: panels of two blocks of outer channels, `[taps · inner blocks · 16][32]`
/// each, the last one `[…][16]` if the number of blocks is odd.
struct WeightPanels {
  /// Blocks or pairs that a task packs one after the other.
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

  var innerBlocks: Int { (innerCount + 15) / 16 }
  var outerBlocks: Int { (outerCount + 15) / 16 }
  /// Floats of a panel.
  var panelStride: Int { tapOrder.count * innerBlocks * 16 * 32 }
  /// Floats of all panels.
  var floats: Int { (outerBlocks + 1) / 2 * panelStride }

  /// Packs `weight`, whose element of a tap is `innerStride`, `outerStride` and 1 (tap) floats apart.
  ///
  /// A task takes a run of weights that lie near each other: inner blocks of one pair of outer blocks, or
  /// pairs of one inner block.
  func pack(_ compute: Compute, weight: In, into panels: Out) {
    let length = WeightPanels.blocksOfTask
    let inner = innerBlocks
    let pairs = (outerBlocks + 1) / 2
    if innerStride <= outerStride {
      let parts = (inner + length - 1) / length
      compute.team.run(tasks: pairs * parts) { task in
        let first = task % parts * length
        for block in first..<min(first + length, inner) {
          pack(compute.kernels, pair: task / parts, block: block, weight, panels)
        }
      }
    } else {
      let parts = (pairs + length - 1) / length
      compute.team.run(tasks: inner * parts) { task in
        let first = task % parts * length
        for pair in first..<min(first + length, pairs) {
          pack(compute.kernels, pair: pair, block: task / parts, weight, panels)
        }
      }
    }
  }

  private func pack(_ kernels: KernelTable, pair: Int, block: Int, _ weight: In, _ panels: Out) {
    let width = min(32, outerBlocks * 16 - pair * 32)
    let from = weight + block * 16 * innerStride + pair * 32 * outerStride
    for (position, tap) in tapOrder.enumerated() {
      kernels.packWeights(
        from + tap, min(16, innerCount - block * 16), innerStride, min(width, outerCount - pair * 32),
        outerStride, width, panels + pair * panelStride + (position * innerBlocks + block) * 16 * width)
    }
  }
}
