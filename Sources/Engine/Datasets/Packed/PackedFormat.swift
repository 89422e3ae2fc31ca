import Recipe

/// The files of a packed dataset: a folder that an import wrote, described in `docs/packed-dataset.md`.
package enum PackedFormat {
  /// The version that `dataset.json` names.
  package static let version = 1
  /// The description, written last.
  package static let manifestName = "dataset.json"

  /// What one file of a split holds.
  package enum Part: String, Sendable, CaseIterable {
    /// 8-bit planes, `[count][planes][side][side]`.
    case images
    /// Four bytes for each image, the lowest first; not there where a split has no labels.
    case labels
    /// Where each image came from: a line of UTF-8 for each, ended by a line feed.
    case paths
  }

  /// The name of a split's file: `train.images`.
  package static func fileName(_ split: DatasetSelection.Split, _ part: Part) -> String {
    "\(split.rawValue).\(part.rawValue)"
  }

  /// Bytes of one label.
  package static let labelBytes = 4
}

/// A file that an import left out, and why.
package struct SkippedFile: Sendable, Equatable {
  /// As it is shown: hidden characters are escaped and the length is bounded.
  package let path: String
  package let reason: String

  /// Files that are listed; all are counted.
  package static let listedMax = 1_000

  package init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }
}
