import Platform
import Recipe

/// A folder with the binary version of CIFAR-10 or CIFAR-100: colour images of 32 × 32.
///
/// Format: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version": records of one label byte (two in
/// CIFAR-100: coarse, fine) and 3072 bytes, red, green and blue planes row by row.
struct CIFARFolder: DatasetSource {
  /// Which of the datasets and labels.
  enum Variant: Sendable {
    case ten, hundredFine, hundredCoarse
  }

  let folder: String
  let variant: Variant
  /// Below which its files must lie; `nil`: anywhere.
  var roots: RootFolders?

  private static let side = 32
  private static let imageBytes = 3 * side * side
  /// Records of one file at most, which bounds the work of unpacking it: the largest file of the datasets
  /// has 50,000.
  static let recordsMax = 200_000
  /// The tool's own archive unpacks to these folders; the files may also lie in the folder given.
  private var subfolder: String { variant == .ten ? "cifar-10-batches-bin" : "cifar-100-binary" }

  var knownStatistics: ChannelStatistics? { nil }

  var candidates: [String] {
    DataFile.candidates(
      folders: [folder, "\(folder)/\(subfolder)"], names: DatasetSelection.Split.allCases.flatMap(fileNames))
  }

  /// Classes by the variant, counts by the files' sizes.
  func layout() throws(DatasetError) -> DatasetLayout {
    var counts: [DatasetSelection.Split: Int] = [:]
    for split in DatasetSelection.Split.allCases {
      var count = 0
      for name in fileNames(split) { count += try countRecords(name) }
      counts[split] = count
    }
    return DatasetLayout(classes: classes, counts: counts, side: Self.side, planes: 3)
  }

  /// The records of the split's files in order; labels out of range are refused.
  func read(
    _ split: DatasetSelection.Split, limit: Int, pieceMax: Int, _ take: (LabelledPixels) -> Void
  ) throws(DatasetError) {
    var left = limit
    for name in fileNames(split) {
      let records = try countRecords(name)
      let file = try open(name)
      var start = 0
      while start < min(records, left) {
        let count = min(pieceMax, min(records, left) - start)
        take(try readRecords(file, count: count))
        start += count
      }
      left -= start
    }
  }

  /// Label bytes before each image, and which of them counts.
  private var labelBytes: Int { variant == .ten ? 1 : 2 }
  private var labelPosition: Int { variant == .hundredFine ? 1 : 0 }

  private func fileNames(_ split: DatasetSelection.Split) -> [String] {
    switch (variant, split) {
    case (.ten, .train): (1...5).map { "data_batch_\($0).bin" }
    case (.ten, .test): ["test_batch.bin"]
    case (_, .train): ["train.bin"]
    case (_, .test): ["test.bin"]
    }
  }

  private func open(_ name: String) throws(DatasetError) -> DataFile {
    do throws(DatasetError) {
      return try DataFile(
        folders: [folder, "\(folder)/\(subfolder)"], names: [name], below: roots,
        hint: "the folder must hold the binary version of \(title), with the files \(allFileNames)")
    } catch {
      if case .missingFile = error, let found = pythonFile {
        throw .pythonVersion(title: title, found: found, archive: archive, needed: allFileNames)
      }
      throw error
    }
  }

  private var title: String { variant == .ten ? "CIFAR-10" : "CIFAR-100" }
  private var archive: String { variant == .ten ? "cifar-10-binary.tar.gz" : "cifar-100-binary.tar.gz" }
  private var allFileNames: String {
    variant == .ten
      ? "data_batch_1.bin to data_batch_5.bin and test_batch.bin" : "train.bin and test.bin"
  }

  /// A file of the Python version, which lies where the binary one is looked for: pickled dictionaries.
  private var pythonFile: String? {
    let names = variant == .ten ? ["data_batch_1", "batches.meta"] : ["train", "meta"]
    let pythonFolder = variant == .ten ? "cifar-10-batches-py" : "cifar-100-python"
    let places = ["", "/\(subfolder)", "/\(pythonFolder)"].flatMap { place in
      names.map { "\(folder)\(place)/\($0)" }
    }
    return places.first { path in
      guard let roots else { return FileSystem.exists(path) }
      guard case .inside(let path) = roots.place(of: path) else { return false }
      return FileSystem.exists(path)
    }
  }

  /// Records of a file by its size.
  private func countRecords(_ name: String) throws(DatasetError) -> Int {
    let file = try open(name)
    let recordBytes = labelBytes + Self.imageBytes
    let bytes = try file.contentBytes(atMost: Self.recordsMax * recordBytes)
    guard bytes > 0, bytes % recordBytes == 0 else {
      throw .malformed(
        file: file.path, offset: bytes / recordBytes * recordBytes,
        expected: "a record of \(recordBytes) bytes",
        found: "the end of the file after \(bytes % recordBytes)")
    }
    return bytes / recordBytes
  }

  private func readRecords(_ file: DataFile, count: Int) throws(DatasetError) -> LabelledPixels {
    let recordBytes = labelBytes + Self.imageBytes
    let start = file.offset
    let bytes = try file.take(count * recordBytes, "records")
    var result = LabelledPixels(pixels: [], labels: [])
    result.pixels.reserveCapacity(count * Self.imageBytes)
    let limits = variant == .ten ? [10] : [20, 100]
    for record in stride(from: 0, to: bytes.count, by: recordBytes) {
      for (position, limit) in limits.enumerated() where bytes[record + position] >= limit {
        throw .malformed(
          file: file.path, offset: start + record + position, expected: "a label of 0 to \(limit - 1)",
          found: "\(bytes[record + position])")
      }
      result.labels.append(Int(bytes[record + labelPosition]))
      result.pixels += bytes[(record + labelBytes)..<(record + recordBytes)]
    }
    return result
  }

  private var classes: [String] {
    switch variant {
    case .ten: CIFARNames.ten
    case .hundredFine: CIFARNames.hundred
    case .hundredCoarse: CIFARNames.twenty
    }
  }
}
