/// Up to 16 × 16 channels of a weight in PyTorch's layout: tap t of (inner i, outer j) is `i · innerStride +
/// j · outerStride + t` floats from the start.
package struct WeightBlock {
  /// Inner channels, at most 16.
  package var innerCount: Int
  /// Floats from one inner channel to the next.
  package var innerStride: Int
  /// Outer channels, at most 16.
  package var outerCount: Int
  /// Floats from one outer channel to the next.
  package var outerStride: Int

  /// See the properties.
  package init(innerCount: Int, innerStride: Int, outerCount: Int, outerStride: Int) {
    self.innerCount = innerCount
    self.innerStride = innerStride
    self.outerCount = outerCount
    self.outerStride = outerStride
  }
}
