import Recipe

/// The sizes of a dataset, from which follows the memory that it takes.
package struct DatasetExtent: Sendable, Hashable {
  /// Number of images in each split.
  package let counts: [DatasetSelection.Split: Int]
  package let classCount: Int
  /// Height and width of a stored image in pixels, padding included.
  package let side: Int
  /// Planes of a stored image: 1 or 3.
  package let planes: Int
  /// Whether a split that is large stays in its file.
  package let isPacked: Bool

  package init(
    counts: [DatasetSelection.Split: Int], classCount: Int, side: Int, planes: Int, isPacked: Bool = false
  ) {
    self.counts = counts
    self.classCount = classCount
    self.side = side
    self.planes = planes
    self.isPacked = isPacked
  }
}
