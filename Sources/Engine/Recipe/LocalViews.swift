import JSONText

/// Small crops of each image in addition to its views, which are then called the global ones: each is pulled
/// to the mean of the global views.
///
/// Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments" (NeurIPS
/// 2020), section 3.2, the multi-crop strategy.
package struct LocalViews: JSONRecord, Equatable {
  /// Local views of each image.
  package var count: Int
  /// Side of a local view in pixels.
  package var size: Int
  /// Area of the crop as a share of the image, within (0, 1].
  package var cropScale: ClosedRange<Double>

  /// Four crops of 16 × 16 pixels.
  package init(count: Int = 4, size: Int = 16, cropScale: ClosedRange<Double> = 0.05...0.4) {
    self.count = count
    self.size = size
    self.cropScale = cropScale
  }

  /// Sides that a specification can name, in pixels: every network has a pixel left of the smallest.
  package static let sizeRange = 8...256

  package static let fields = Fields<Self> {
    Field("count", \.count, .integer(1...8), "Local views of each image.")
    Field("size", \.size, .integer(sizeRange), "Side in pixels of the local views.")
    Field(
      "crop_scale", \.cropScale, .interval(.positive(1)),
      "Area of the crop as a share of the image; crop_ratio and all else is as augmentation says.")
  }
}
