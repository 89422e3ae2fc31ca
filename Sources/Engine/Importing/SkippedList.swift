import Datasets
import Text

/// The files that were left out: all are counted, the first are listed.
struct SkippedList {
  private(set) var listed: [SkippedFile] = []
  private(set) var count = 0

  /// Adds a file by a path as it is shown.
  mutating func add(_ path: String, _ reason: String) {
    count += 1
    guard listed.count < SkippedFile.listedMax else { return }
    listed.append(
      SkippedFile(
        path: ByteString(path).shown(charactersMax: 200), reason: ByteString(reason).shown(charactersMax: 300)
      ))
  }
}
