import Platform
import Recipe
import Text

/// The datasets that can be opened by name: built in, registered, or spelled out as `format:FOLDER`.
package struct DatasetCatalog: Sendable {
  /// Where Debian's package `dataset-fashion-mnist` puts its files.
  package static let fashionMNISTRootDefault = "/usr/share/datasets/fashion-mnist"

  /// Names given by the user, and what they stand for: any name that `open` takes.
  private var registered: [String: String]
  /// Bytes that are reserved for images before any of them has been read.
  private static let reservedBytesMax = 256 << 20
  private let fashionMNISTRoot: String
  /// Below which every FOLDER must lie; `nil`: anywhere.
  package let roots: RootFolders?
  private let generatedDatasets = GeneratedDatasets()

  /// - Parameters:
  ///   - registered: maps names to `format:FOLDER`.
  ///   - fashionMNISTRoot: the setting `VICREGD_FASHION_MNIST`.
  ///   - roots: below which every FOLDER must lie; `nil`: anywhere, for names that a person has typed.
  package init(
    registered: [String: String] = [:], fashionMNISTRoot: String = DatasetCatalog.fashionMNISTRootDefault,
    roots: RootFolders? = nil
  ) {
    self.registered = registered
    self.fashionMNISTRoot = fashionMNISTRoot
    self.roots = roots
  }

  /// The same datasets and one more.
  ///
  /// - Parameter target: what the name stands for: any name that `open` takes.
  package func registering(_ name: String, as target: String) -> DatasetCatalog {
    var catalog = self
    catalog.registered[name] = target
    return catalog
  }

  /// The variables by which a process is told where its datasets lie (`init(environment:)`).
  package static func environment(fashionMNISTRoot: String, roots: RootFolders) -> [String: String] {
    [fashionMNISTVariable: fashionMNISTRoot, rootVariable: roots.paths.joined(separator: rootSeparator)]
  }

  /// The datasets that the variables of a worker's process name. Roots that are gone hold nothing.
  package init(environment: [String: String]) {
    let roots = (environment[Self.rootVariable] ?? "").split(separator: Self.rootSeparator).map(String.init)
    self.init(
      fashionMNISTRoot: environment[Self.fashionMNISTVariable] ?? Self.fashionMNISTRootDefault,
      roots: (try? RootFolders(roots)) ?? .empty)
  }

  /// What stands between two roots in one variable; no root may have it in its path.
  package static let rootSeparator = ":"
  private static let fashionMNISTVariable = "VICREGD_FASHION_MNIST"
  private static let rootVariable = "VICREGD_DATASET_ROOT"

  /// Names that need no folder: the built-in ones, then the registered ones in order.
  package func list() -> [String] { ["fashion-mnist", "synthetic"] + registered.keys.sorted() }

  /// Throws what `open` would throw for a wrong name, a missing file or a wrong header; reads no image.
  package func check(_ name: String) throws(DatasetError) {
    if let packed = try packed(name) {
      _ = try packed.read()
    } else {
      _ = try source(name).layout()
    }
  }

  /// Where a dataset lies and which files it has now, found without opening any: two that are equal have the
  /// same images.
  package struct Source: Sendable, Hashable {
    /// The name with the folder that it leads to, links followed.
    package let name: ByteString
    /// Path, size, time and inode of each file that is there, as text.
    package let files: [ByteString]
  }

  /// What a name stands for now; looks at names and sizes of files alone.
  package func locate(_ name: String) throws(DatasetError) -> Source {
    if let packed = try packed(name) {
      return Source(
        name: ByteString(decoding: Array(Self.packedFormat.utf8) + [0] + packed.folder.utf8),
        files: Self.identities(packed.candidates))
    }
    let source = try source(name)
    let files = Self.identities(source.candidates)
    let format = name.utf8.prefix { $0 != UInt8(ascii: ":") }
    switch source {
    case let images as IDXFolder:
      return Source(name: ByteString(decoding: Array(format) + [0] + images.folder.utf8), files: files)
    case let images as CIFARFolder:
      return Source(name: ByteString(decoding: Array(format) + [0] + images.folder.utf8), files: files)
    default: return Source(name: ByteString(name), files: files)
    }
  }

  /// Each file that is there, with its identity.
  private static func identities(_ paths: [String]) -> [ByteString] {
    paths.compactMap { path in FileIdentity(path: path).map { ByteString("\(path) \($0)") } }
  }

  /// A dataset that is generated, by what its name says, without statistics; `nil`: it is read from files.
  package func generated(_ name: String) throws(DatasetError) -> DatasetDescription? {
    guard (registered[name] ?? name).utf8.starts(with: SyntheticImages.format.utf8) else { return nil }
    if let known = generatedDatasets.description(of: name) { return known }
    guard try source(name) is SyntheticImages else { return nil }
    let description = try describe(name, withContents: false)
    generatedDatasets.keep(description)
    return description
  }

  /// The sizes of a dataset where they are known without reading a file: of the built-in ones. Files may be
  /// missing nevertheless.
  package func knownExtent(_ name: String) -> DatasetExtent? {
    if ByteString(name) == "fashion-mnist" { return FashionMNIST.extent }
    // What is wrong with a name is reported where the dataset is opened.
    return (try? generated(name))?.extent
  }

  /// The sizes of a dataset; reads headers and labels, no pixels.
  package func extent(_ name: String) throws(DatasetError) -> DatasetExtent {
    try describe(name, withContents: false).extent
  }

  /// Bytes of pixels that are read at a time, at least one image.
  private static let pieceBytes = 1 << 20

  /// Reads a split into memory, at most `limit` images of it; its statistics are those of the whole training
  /// split, and its digest is that of the whole split, which is read to its end. A packed dataset has both
  /// recorded, and is not read where its files are the recorded ones; a large one is mapped.
  package func open(
    _ name: String, split: DatasetSelection.Split, limit: Int? = nil
  ) throws(DatasetError) -> ImageDataset {
    if let packed = try packed(name) { return try packed.open(name, split, limit: limit) }
    let source = try source(name)
    let layout = try source.layout()
    var pixels: [UInt8] = []
    var labels: [Int] = []
    let countTotal = layout.counts[split] ?? 0
    let count = min(countTotal, limit ?? .max)
    // What a header says is reserved up to a bound; beyond it memory grows with what comes.
    pixels.reserveCapacity(min(try layout.pixelBytes(count, of: name), Self.reservedBytesMax))
    labels.reserveCapacity(min(count, Self.reservedBytesMax / MemoryLayout<Int>.stride))
    let (digest, statistics) = try read(split, of: source, layout, countMax: count) { piece in
      let missing = count - labels.count
      if missing >= piece.labels.count {
        pixels += piece.pixels
        labels += piece.labels
      } else if missing > 0 {
        pixels += piece.pixels[..<(missing * layout.imageBytes)]
        labels += piece.labels[..<missing]
      }
    }
    let known = if let statistics { statistics } else { try source.statistics(layout) }
    return ImageDataset(
      name: name, split: split, classes: layout.classes, side: layout.side, planes: layout.planes,
      pixels: pixels, labels: labels, statistics: known,
      whole: ImageDataset.WholeSplit(count: countTotal, digest: digest))
  }

  /// Hands out where each of the first images of a split came from, in their order, at most `countMax`.
  ///
  /// - Returns: whether the dataset has recorded that; only a packed one has.
  /// - Throws: `DatasetError`, also where there are fewer paths than images, and what `take` throws.
  package func readPaths(
    _ name: String, split: DatasetSelection.Split, countMax: Int, _ take: (ByteString) throws -> Void
  ) throws -> Bool {
    guard let packed = try packed(name) else { return false }
    try packed.readPaths(split, countMax: countMax, take)
    return true
  }

  /// Hands out the images of a split: of a generated one at most `countMax`, of one in files all of them,
  /// because its digest is that of all.
  ///
  /// - Returns: the digest; the statistics, where the whole training split was read for them.
  private func read(
    _ split: DatasetSelection.Split, of source: any DatasetSource, _ layout: DatasetLayout, countMax: Int,
    _ take: (LabelledPixels) -> Void
  ) throws(DatasetError) -> (SplitDigest, ChannelStatistics?) {
    let pieceMax = max(1, Self.pieceBytes / layout.imageBytes)
    if let generator = source.generator {
      try source.read(split, limit: countMax, pieceMax: pieceMax, take)
      return (SplitDigest(generator: generator), nil)
    }
    var sums: StatisticsAccumulator?
    if split == .train, source.knownStatistics == nil { sums = StatisticsAccumulator(planes: layout.planes) }
    let hash = SplitHash()
    try source.read(split, limit: .max, pieceMax: pieceMax) { piece in
      hash.add(piece)
      sums?.add(piece.pixels, area: layout.side * layout.side)
      take(piece)
    }
    return (hash.finish(), sums?.statistics)
  }

  /// Classes and sizes, and the digests of what is generated; with `withContents` also the digests of what is
  /// in files, for which every image is read, and statistics.
  package func describe(
    _ name: String, withContents: Bool = true
  ) throws(DatasetError) -> DatasetDescription {
    if let packed = try packed(name) {
      let dataset = try packed.read()
      if withContents { for split in dataset.splits.keys { try packed.verify(dataset, split) } }
      return DatasetDescription(name: name, dataset, withContents: withContents)
    }
    let source = try source(name)
    let layout = try source.layout()
    var digests: [DatasetSelection.Split: SplitDigest] = [:]
    var statistics: ChannelStatistics?
    for split in DatasetSelection.Split.allCases where withContents || source.generator != nil {
      let (digest, found) = try read(split, of: source, layout, countMax: 0) { _ in }
      digests[split] = digest
      statistics = statistics ?? found
    }
    if withContents, statistics == nil { statistics = try source.statistics(layout) }
    return DatasetDescription(
      name: name, classes: layout.classes, counts: layout.counts, shape: [3, layout.side, layout.side],
      planes: layout.planes, statistics: statistics, digests: digests)
  }

  /// The packed dataset that a name stands for; nil: it stands for another one, or for none.
  private func packed(_ name: String) throws(DatasetError) -> PackedFolder? {
    let prefix = "\(Self.packedFormat):"
    guard name.utf8.count <= Self.nameBytesMax else { throw unknown(name) }
    let target = registered[name]
    let spelled = target ?? name
    guard spelled.utf8.starts(with: prefix.utf8) else { return nil }
    let folder = String(decoding: spelled.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    // A registered one lies where the program has put it.
    if target != nil { return PackedFolder(folder: folder, roots: nil) }
    return PackedFolder(folder: try confined(folder), roots: roots)
  }

  /// How the name of a packed dataset begins.
  package static let packedFormat = "packed"

  private func source(_ name: String) throws(DatasetError) -> any DatasetSource {
    guard name.utf8.count <= Self.nameBytesMax else { throw unknown(name) }
    if let target = registered[name] { return try spelledOut(target) }
    return try spelledOut(name)
  }

  /// Bytes of the longest name that is looked at: a format and a path of the longest kind.
  private static let nameBytesMax = 4_200

  private func spelledOut(_ name: String) throws(DatasetError) -> any DatasetSource {
    let parts = name.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let rest = parts.count > 1 ? parts[1] : nil
    switch (ByteString(parts.first ?? ""), rest) {
    case ("fashion-mnist", nil): return FashionMNIST.source(root: fashionMNISTRoot)
    case ("mnist-idx", let folder?):
      return IDXFolder(
        folder: try confined(folder), classes: nil, knownStatistics: nil,
        hint: "the folder must hold MNIST's four IDX files", roots: roots)
    case ("cifar10", let folder?):
      return CIFARFolder(folder: try confined(folder), variant: .ten, roots: roots)
    case ("cifar100", let folder?):
      return CIFARFolder(folder: try confined(folder), variant: .hundredFine, roots: roots)
    case ("cifar100-coarse", let folder?):
      return CIFARFolder(folder: try confined(folder), variant: .hundredCoarse, roots: roots)
    case (ByteString(SyntheticImages.format), let parameters):
      return try SyntheticImages(name: name, parameters: parameters ?? "")
    default: throw unknown(name)
    }
  }

  private func unknown(_ name: String) -> DatasetError {
    let patterns = [
      "mnist-idx:FOLDER", "cifar10:FOLDER", "cifar100:FOLDER", "cifar100-coarse:FOLDER", "packed:FOLDER",
    ]
    return .unknown(name: name, known: list() + patterns)
  }

  /// The folder without links, if it lies below a root.
  private func confined(_ folder: String) throws(DatasetError) -> String {
    guard let roots else { return folder }
    switch roots.place(of: folder) {
    case .inside(let path): return path
    // Whoever opens it finds that no file is there.
    case .missing: return folder
    case .outside: throw .outsideRoots(areSet: !roots.paths.isEmpty)
    }
  }
}
