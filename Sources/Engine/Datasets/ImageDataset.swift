import Recipe

/// Square images of one size as 8-bit planes, with labels or without.
package struct ImageDataset: Sendable {

  /// The name it was opened by.
  package let name: String
  package let split: DatasetSelection.Split
  /// The classes' names; a label is an index into them. Empty without labels.
  package let classes: [String]
  /// Height and width in pixels, padding included.
  package let side: Int
  /// Planes of a stored image: 1 (grey, the same in all three channels of a view) or 3 (red, green, blue).
  package let planes: Int
  /// The pixels, image by image: `[planes][side][side]`.
  package let images: ImageStore
  /// One for each image; nil: the split has no labels.
  package let labels: [Int]?
  /// Mean and standard deviation of the training split, by which views are normalised.
  package let statistics: ChannelStatistics
  /// What the whole split is, of which `pixels` may be the first images.
  package let whole: WholeSplit

  /// A split with all its images.
  package struct WholeSplit: Sendable, Equatable {
    /// Number of images.
    package let count: Int
    package let digest: SplitDigest
  }

  /// Labelled images in memory.
  ///
  /// - Parameter whole: what the images are the first of; `nil`: they are all.
  init(
    name: String, split: DatasetSelection.Split, classes: [String], side: Int, planes: Int, pixels: [UInt8],
    labels: [Int],
    statistics: ChannelStatistics, whole: WholeSplit? = nil
  ) {
    self.init(
      name: name, split: split, classes: classes, side: side, planes: planes,
      images: ImageStore(pixels, imageBytes: planes * side * side), labels: labels, statistics: statistics,
      whole: whole
        ?? WholeSplit(
          count: labels.count, digest: SplitDigest(of: LabelledPixels(pixels: pixels, labels: labels))))
  }

  /// Images that are in memory and belong to no dataset: three planes, no labels.
  ///
  /// - Parameters:
  ///   - pixels: `[count][3][side][side]`.
  ///   - statistics: by which views are normalised.
  package init(pixels: [UInt8], side: Int, statistics: ChannelStatistics) {
    self.init(
      name: "images", split: .test, classes: [], side: side, planes: 3,
      images: ImageStore(pixels, imageBytes: 3 * side * side), labels: nil, statistics: statistics,
      whole: nil)
  }

  /// Images wherever they are.
  ///
  /// - Parameter whole: as the other one; `nil` for images of no dataset, or where there are none.
  init(
    name: String, split: DatasetSelection.Split, classes: [String], side: Int, planes: Int,
    images: ImageStore, labels: [Int]?, statistics: ChannelStatistics, whole: WholeSplit?
  ) {
    precondition(planes == 1 || planes == 3, "images have one plane or three")
    precondition(labels.map { $0.count == images.count } ?? true, "there is one label for each image")
    self.name = name
    self.split = split
    self.classes = classes
    self.side = side
    self.planes = planes
    self.images = images
    self.labels = labels
    self.statistics = statistics
    self.whole =
      whole
      ?? WholeSplit(count: 0, digest: SplitDigest(of: LabelledPixels(pixels: [], labels: [])))
  }

  /// Number of images.
  package var count: Int { images.count }

  /// All pixels in memory, `[count][planes][side][side]`: those of a mapped file are read for it.
  package var pixels: [UInt8] { images.bytes }

  /// The labels of all images, for what cannot do without.
  ///
  /// - Throws: `DatasetError.unlabelled`.
  package func requireLabels() throws(DatasetError) -> [Int] {
    guard let labels else { throw .unlabelled(name: name, split: split) }
    return labels
  }

  /// The same images with the first plane alone: grey ones.
  package var firstPlanes: ImageDataset {
    let area = side * side
    let pixels = self.pixels
    let first = (0..<count).flatMap { pixels[($0 * planes * area)..<(($0 * planes + 1) * area)] }
    return ImageDataset(
      name: name, split: split, classes: classes, side: side, planes: 1,
      images: ImageStore(first, imageBytes: area), labels: labels, statistics: statistics, whole: whole)
  }

  /// The first `limit` images, or all if there are fewer or `limit` is `nil`.
  package func prefix(_ limit: Int?) -> ImageDataset {
    guard let limit, limit < count else { return self }
    return ImageDataset(
      name: name, split: split, classes: classes, side: side, planes: planes, images: images.prefix(limit),
      labels: labels.map { Array($0[..<limit]) }, statistics: statistics, whole: whole)
  }
}

/// Mean and standard deviation of each of the three channels over all pixels of values in [0, 1].
package struct ChannelStatistics: Sendable, Equatable {
  /// Three numbers.
  package let mean: [Double]
  /// Three positive numbers (population form, divided by the number of pixels).
  package let std: [Double]

  package init(mean: [Double], std: [Double]) {
    precondition(mean.count == 3 && std.count == 3, "there are three channels")
    self.mean = mean
    self.std = std
  }
}

/// Sums up bytes of planes exactly, so that the result does not depend on the order.
struct StatisticsAccumulator {
  private var histograms: [[Int]]

  /// For images of `planes` planes: 1 or 3.
  init(planes: Int) {
    histograms = Array(repeating: Array(repeating: 0, count: 256), count: planes)
  }

  /// Adds whole images, `[n][planes][area]`.
  mutating func add(_ pixels: [UInt8], area: Int) {
    let planes = histograms.count
    precondition(pixels.count % (planes * area) == 0, "only whole images can be added")
    for plane in 0..<planes {
      var histogram = histograms[plane]
      for start in stride(from: plane * area, to: pixels.count, by: planes * area) {
        for index in start..<(start + area) { histogram[Int(pixels[index])] += 1 }
      }
      histograms[plane] = histogram
    }
  }

  /// Adds `count` black pixels to each plane: the padding of images that were added without it.
  mutating func addBlack(_ count: Int) {
    for plane in histograms.indices { histograms[plane][0] += count }
  }

  /// Mean and standard deviation of everything added; a constant channel has the deviation 1 so that it can
  /// be divided by.
  var statistics: ChannelStatistics {
    var mean: [Double] = []
    var std: [Double] = []
    for histogram in histograms {
      let count = Double(histogram.reduce(0, +))
      let sum = Double(histogram.enumerated().reduce(0) { $0 + $1.offset * $1.element })
      let squares = Double(histogram.enumerated().reduce(0) { $0 + $1.offset * $1.offset * $1.element })
      let average = sum / count
      let variance = max(squares / count - average * average, 0)
      mean.append(average / 255)
      std.append(variance > 0 ? variance.squareRoot() / 255 : 1)
    }
    let channels = histograms.count == 1 ? [0, 0, 0] : [0, 1, 2]
    return ChannelStatistics(mean: channels.map { mean[$0] }, std: channels.map { std[$0] })
  }
}
