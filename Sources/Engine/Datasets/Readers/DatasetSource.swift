import Recipe

/// Where a dataset's images come from: a folder in some format, or a generator.
protocol DatasetSource: Sendable {
  /// What the headers say; throws if a file is not there or its header is wrong.
  func layout() throws(DatasetError) -> DatasetLayout

  /// Hands out the images of `split` in order, in pieces of at most `pieceMax` images, at most `limit`
  /// altogether.
  ///
  /// Throws `DatasetError` for a file that is not what its format asks for.
  func read(
    _ split: DatasetSelection.Split, limit: Int, pieceMax: Int, _ take: (LabelledPixels) -> Void
  ) throws(DatasetError)

  /// The labels of all images of a split, in order.
  ///
  /// Throws as `read`.
  func labels(_ split: DatasetSelection.Split) throws(DatasetError) -> [Int]

  /// Some images of a split by their places, which must exist: of each `[planes][side][side]`.
  ///
  /// Throws as `read`.
  func images(_ split: DatasetSelection.Split, at places: [Int]) throws(DatasetError) -> [[UInt8]]

  /// Mean and deviation of the training split where they are had without reading all of it.
  var knownStatistics: ChannelStatistics? { get }

  /// The paths at which its files are looked for; a generator has none.
  var candidates: [String] { get }

  /// Everything that determines the images of a generator, as text; `nil`: they come from files.
  var generator: String? { get }
}

/// What a dataset may have at most. A header's word for more is not believed, and costs nothing.
package enum DatasetLimit {
  /// Images of one split.
  package static let imagesMax = 100_000_000
  /// Bytes of one split's pixels in memory.
  package static let pixelBytesMax = 64 << 30
  /// Bytes of one file's content, unpacked.
  package static let contentBytesMax = 64 << 30
}

/// Size and classes of a dataset.
struct DatasetLayout: Sendable, Equatable {
  var classes: [String]
  var counts: [DatasetSelection.Split: Int]
  var side: Int
  var planes: Int

  /// Bytes of one image.
  var imageBytes: Int { planes * side * side }

  /// Bytes of n images.
  ///
  /// - Throws: `DatasetError.tooLarge` if they are more than a dataset may have in memory.
  func pixelBytes(_ count: Int, of name: String) throws(DatasetError) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: imageBytes)
    guard !overflow, bytes <= DatasetLimit.pixelBytesMax else {
      throw .tooLarge(name: name, what: "\(count) images of \(side) × \(side) pixels in \(planes) planes")
    }
    return bytes
  }
}

/// Some images and their labels: `[n][planes][side][side]`.
struct LabelledPixels {
  var pixels: [UInt8]
  var labels: [Int]
}

extension DatasetSource {
  /// Images come from files unless a source says otherwise.
  var generator: String? { nil }

  /// Labels and single images come with all the others unless a source has them apart.
  func labels(_ split: DatasetSelection.Split) throws(DatasetError) -> [Int] {
    var labels: [Int] = []
    try read(split, limit: .max, pieceMax: 1000) { labels += $0.labels }
    return labels
  }

  /// As `labels`.
  func images(_ split: DatasetSelection.Split, at places: [Int]) throws(DatasetError) -> [[UInt8]] {
    guard let last = places.max() else { return [] }
    let wanted = Set(places)
    var found: [Int: [UInt8]] = [:]
    var first = 0
    try read(split, limit: last + 1, pieceMax: 1000) { piece in
      guard !piece.labels.isEmpty else { return }
      let bytes = piece.pixels.count / piece.labels.count
      for index in piece.labels.indices where wanted.contains(first + index) {
        found[first + index] = Array(piece.pixels[(index * bytes)..<((index + 1) * bytes)])
      }
      first += piece.labels.count
    }
    return places.compactMap { found[$0] }
  }

  /// Mean and deviation of the training split, computed if they are not known.
  func statistics(_ layout: DatasetLayout) throws(DatasetError) -> ChannelStatistics {
    if let knownStatistics { return knownStatistics }
    var sums = StatisticsAccumulator(planes: layout.planes)
    try read(.train, limit: .max, pieceMax: 1000) { sums.add($0.pixels, area: layout.side * layout.side) }
    return sums.statistics
  }
}
