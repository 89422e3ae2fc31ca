import KernelsABI
import Parallel

/// The layout of packed weights: panels of two blocks of outer channels, `[taps · inner blocks · 16][32]`
/// each, the last one `[…][16]` if the number of blocks is odd.
struct WeightPanels {
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
  func pack(_ compute: Compute, weight: In, into panels: Out) {
    let inner = innerBlocks
    compute.team.run(tasks: (outerBlocks + 1) / 2 * inner) { task in
      let pair = task / inner
      let block = task % inner
      let width = min(32, outerBlocks * 16 - pair * 32)
      let from = weight + block * 16 * innerStride + pair * 32 * outerStride
      for (position, tap) in tapOrder.enumerated() {
        compute.kernels.packWeights(
          from + tap, min(16, innerCount - block * 16), innerStride, min(width, outerCount - pair * 32),
          outerStride,
          width, panels + pair * panelStride + (position * inner + block) * 16 * width)
      }
    }
  }
}
