import Recipe

/// Labelled square images of one size in memory, as 8-bit planes.
package struct ImageDataset: Sendable {

  /// The name it was opened by.
  package let name: String
  package let split: DatasetSelection.Split
  /// The classes' names; a label is an index into them.
  package let classes: [String]
  /// Height and width in pixels, padding included.
  package let side: Int
  /// Planes of a stored image: 1 (grey, the same in all three channels of a view) or 3 (red, green, blue).
  package let planes: Int
  /// `[count][planes][side][side]`.
  package let pixels: [UInt8]
  /// One a picture.
  package let labels: [Int]
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

  /// - Parameter whole: what the images are the first of; `nil`: they are all.
  init(
    name: String, split: DatasetSelection.Split, classes: [String], side: Int, planes: Int, pixels: [UInt8],
    labels: [Int],
    statistics: ChannelStatistics, whole: WholeSplit? = nil
  ) {
    precondition(planes == 1 || planes == 3, "images have one plane or three")
    precondition(pixels.count == labels.count * planes * side * side, "pixels do not fit the shape")
    self.name = name
    self.split = split
    self.classes = classes
    self.side = side
    self.planes = planes
    self.pixels = pixels
    self.labels = labels
    self.statistics = statistics
    self.whole =
      whole
      ?? WholeSplit(
        count: labels.count, digest: SplitDigest(of: LabelledPixels(pixels: pixels, labels: labels)))
  }

  /// Number of images.
  package var count: Int { labels.count }

  /// The same images with the first plane alone: grey ones.
  package var firstPlanes: ImageDataset {
    let area = side * side
    let pixels = (0..<count).flatMap { self.pixels[($0 * planes * area)..<(($0 * planes + 1) * area)] }
    return ImageDataset(
      name: name, split: split, classes: classes, side: side, planes: 1, pixels: pixels, labels: labels,
      statistics: statistics, whole: whole)
  }

  /// The first `limit` images, or all if there are fewer or `limit` is `nil`.
  package func prefix(_ limit: Int?) -> ImageDataset {
    guard let limit, limit < count else { return self }
    return ImageDataset(
      name: name, split: split, classes: classes, side: side, planes: planes,
      pixels: Array(pixels[..<(limit * planes * side * side)]), labels: Array(labels[..<limit]),
      statistics: statistics, whole: whole)
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
