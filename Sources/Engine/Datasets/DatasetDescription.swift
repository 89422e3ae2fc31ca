import Recipe
import Text

/// What a client may want to know of a dataset before using it.
package struct DatasetDescription: Sendable, Equatable {
  package let name: String
  package let classes: [String]
  /// Number of images in each split.
  package let counts: [DatasetSelection.Split: Int]
  /// A view's channels, height and width.
  package let shape: [Int]
  /// Planes of a stored image: 1 or 3.
  package let planes: Int
  /// Of the training split, as used by the normalisation; `nil`: not asked for.
  package let statistics: ChannelStatistics?
  /// Of each split, all its images; empty: neither generated nor asked for.
  package let digests: [DatasetSelection.Split: SplitDigest]
  /// Of each labelled split, the images of each class; empty: not asked for.
  package let classCounts: [DatasetSelection.Split: [Int]]

  /// What a job depends on; `nil`: its images were not looked at.
  package let fingerprint: DatasetFingerprint?
  /// Whether it is a packed dataset.
  package let isPacked: Bool

  init(
    name: String, classes: [String], counts: [DatasetSelection.Split: Int], shape: [Int], planes: Int,
    statistics: ChannelStatistics?, digests: [DatasetSelection.Split: SplitDigest],
    classCounts: [DatasetSelection.Split: [Int]] = [:]
  ) {
    self.name = name
    self.classes = classes
    self.counts = counts
    self.shape = shape
    self.planes = planes
    self.statistics = statistics
    self.digests = digests
    self.classCounts = classCounts
    isPacked = false
    fingerprint =
      digests.isEmpty
      ? nil
      : DatasetFingerprint(
        classes: classes.count, classNames: ByteString(digest(ofClasses: classes)), shape: shape,
        planes: planes, mean: statistics?.mean ?? [], std: statistics?.std ?? [],
        splits: digests.reduce(into: [:]) { splits, part in
          splits[part.key] = DatasetFingerprint.Split(
            images: counts[part.key] ?? 0, pixels: ByteString(part.value.pixels),
            labels: ByteString(part.value.labels))
        })
  }

  /// A packed dataset, whose description has everything.
  init(name: String, _ dataset: PackedDataset, withContents: Bool) {
    self.name = name
    classes = dataset.classes ?? []
    counts = dataset.counts
    shape = [3, dataset.side, dataset.side]
    planes = dataset.planes
    statistics = withContents ? dataset.statistics : nil
    digests = withContents ? dataset.splits.mapValues(\.digest) : [:]
    classCounts = withContents ? dataset.splits.compactMapValues(\.classCounts) : [:]
    fingerprint = withContents ? dataset.fingerprint : nil
    isPacked = true
  }

  /// The sizes alone.
  package var extent: DatasetExtent {
    DatasetExtent(
      counts: counts, classCount: classes.count, side: shape[1], planes: planes, isPacked: isPacked)
  }
}
