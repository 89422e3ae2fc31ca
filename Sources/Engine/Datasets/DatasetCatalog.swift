/// The data sets that can be opened by name: built in, registered, or spelled out as `format:FOLDER`.
package struct DatasetCatalog: Sendable {
  /// Where Debian's package `dataset-fashion-mnist` puts its files.
  package static let fashionMNISTRootDefault = "/usr/share/datasets/fashion-mnist"

  /// Names given by the user, and what they stand for: any name that `open` takes.
  private let registered: [String: String]
  private let fashionMNISTRoot: String

  /// `registered` maps names to `format:FOLDER`; `fashionMNISTRoot` is the setting `VICREGD_FASHION_MNIST`.
  package init(
    registered: [String: String] = [:], fashionMNISTRoot: String = DatasetCatalog.fashionMNISTRootDefault
  ) {
    self.registered = registered
    self.fashionMNISTRoot = fashionMNISTRoot
  }

  /// Names that need no folder: the built-in ones, then the registered ones in order.
  package func list() -> [String] { ["fashion-mnist", "synthetic"] + registered.keys.sorted() }

  /// Throws what `open` would throw for a wrong name, a missing file or a wrong header; reads no image.
  package func check(_ name: String) throws(DatasetError) { _ = try source(name).layout() }

  /// Number of images of each split; reads headers only.
  package func counts(_ name: String) throws(DatasetError) -> [ImageDataset.Split: Int] {
    try source(name).layout().counts
  }

  /// Number of classes, and side and planes of a stored image; reads headers only.
  package func extent(_ name: String) throws(DatasetError) -> (classes: Int, side: Int, planes: Int) {
    let layout = try source(name).layout()
    return (layout.classes.count, layout.side, layout.planes)
  }

  /// Bytes of pixels that are read at a time, at least one image.
  private static let pieceBytes = 1 << 20

  /// Reads a split into memory, at most `limit` images of it; its statistics are those of the whole training
  /// split.
  package func open(
    _ name: String, split: ImageDataset.Split, limit: Int? = nil
  ) throws(DatasetError) -> ImageDataset {
    let source = try source(name)
    let layout = try source.layout()
    var pixels: [UInt8] = []
    var labels: [Int] = []
    let count = min(layout.counts[split] ?? 0, limit ?? .max)
    let imageBytes = layout.planes * layout.side * layout.side
    pixels.reserveCapacity(count * imageBytes)
    labels.reserveCapacity(count)
    try source.read(split, limit: limit ?? .max, pieceMax: max(1, Self.pieceBytes / imageBytes)) {
      pixels += $0.pixels
      labels += $0.labels
    }
    return ImageDataset(
      name: name, split: split, classes: layout.classes, side: layout.side, planes: layout.planes,
      pixels: pixels,
      labels: labels, statistics: try source.statistics(layout))
  }

  /// Classes, sizes and statistics; reads the training split where its statistics are not known.
  package func describe(_ name: String) throws(DatasetError) -> DatasetDescription {
    let source = try source(name)
    let layout = try source.layout()
    return DatasetDescription(
      name: name, classes: layout.classes, counts: layout.counts, shape: [3, layout.side, layout.side],
      statistics: try source.statistics(layout))
  }

  private func source(_ name: String) throws(DatasetError) -> any DatasetSource {
    if let target = registered[name] { return try spelledOut(target) }
    return try spelledOut(name)
  }

  private func spelledOut(_ name: String) throws(DatasetError) -> any DatasetSource {
    let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
    let rest = parts.count > 1 ? parts[1] : nil
    switch (parts.first ?? "", rest) {
    case ("fashion-mnist", nil): return FashionMNIST.source(root: fashionMNISTRoot)
    case ("mnist-idx", let folder?):
      return IDXFolder(
        folder: folder, classes: nil, knownStatistics: nil,
        hint: "the folder must hold MNIST's four IDX files")
    case ("cifar10", let folder?): return CIFARFolder(folder: folder, variant: .ten)
    case ("cifar100", let folder?): return CIFARFolder(folder: folder, variant: .hundredFine)
    case ("cifar100-coarse", let folder?): return CIFARFolder(folder: folder, variant: .hundredCoarse)
    case ("synthetic", let parameters): return try SyntheticImages(name: name, parameters: parameters ?? "")
    default:
      let patterns = ["mnist-idx:FOLDER", "cifar10:FOLDER", "cifar100:FOLDER", "cifar100-coarse:FOLDER"]
      throw .unknown(name: name, known: list() + patterns)
    }
  }
}

/// What a client may want to know of a data set before using it.
package struct DatasetDescription: Sendable, Equatable {
  package let name: String
  package let classes: [String]
  /// Number of images in each split.
  package let counts: [ImageDataset.Split: Int]
  /// A view's channels, height and width.
  package let shape: [Int]
  /// Of the training split, as used by the normalisation.
  package let statistics: ChannelStatistics
}
