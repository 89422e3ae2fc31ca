import Datasets
import Text

/// The files that were left out: all are counted, and listed as far as their text is bounded.
struct SkippedList {
  /// In the order in which they were left out.
  private(set) var files: [SkippedFile] = []
  private(set) var count = 0
  private var bytes = 0

  /// Bytes of the listed paths and reasons at most.
  private static let bytesMax = 16 << 20

  /// Those that a dataset's description has.
  var listed: [SkippedFile] { Array(files.prefix(SkippedFile.listedMax)) }

  /// Adds a file; its path and its reason are cut to what is shown.
  mutating func add(_ path: String, _ reason: String) {
    count += 1
    let file = SkippedFile(
      path: ByteString(path).shown(charactersMax: 200), reason: ByteString(reason).shown(charactersMax: 300))
    let fileBytes = file.path.utf8.count + file.reason.utf8.count
    guard bytes + fileBytes <= Self.bytesMax else { return }
    bytes += fileBytes
    files.append(file)
  }
}
