import JSONText
import Platform
import Recipe
import Text

/// What a packed dataset is: the content of its `dataset.json`.
package struct PackedDataset: Sendable, Equatable {
  /// The images of one split.
  package struct Split: Sendable, Equatable {
    /// Number of images.
    package var count: Int
    /// Number of images of each class; `nil`: without labels.
    package var classCounts: [Int]?
    package var digest: SplitDigest
    /// SHA-256 of the paths, in hexadecimal.
    package var pathsDigest: String
    /// What the files were when they were written.
    package var files: [PackedFormat.Part: FileStamp]
  }

  /// Which content a file has as far as the file system knows.
  package struct FileStamp: Sendable, Equatable {
    package var bytes: Int
    package var inode: UInt64
    package var modified: FileTime
  }

  package var name: String
  /// The classes' names; `nil`: no split has labels.
  package var classes: [String]?
  package var splits: [DatasetSelection.Split: Split]
  /// Height and width of an image.
  package var side: Int
  /// Planes of a stored image: 1 (grey) or 3.
  package var planes: Int
  /// Of the training split.
  package var statistics: ChannelStatistics
  /// Bytes of all files but `dataset.json`.
  package var bytes: Int
  /// The first files that were left out.
  package var skipped: [SkippedFile]
  /// Number of files that were left out.
  package var skippedCount: Int
  /// What it was imported from.
  package var source: String

  /// Number of images in each split that there is.
  package var counts: [DatasetSelection.Split: Int] { splits.mapValues(\.count) }

  /// What a job depends on.
  package var fingerprint: DatasetFingerprint {
    DatasetFingerprint(
      classes: classes?.count ?? 0, classNames: ByteString(Datasets.digest(ofClasses: classes ?? [])),
      shape: [3, side, side], planes: planes, mean: statistics.mean, std: statistics.std,
      splits: splits.mapValues {
        DatasetFingerprint.Split(
          images: $0.count, pixels: ByteString($0.digest.pixels), labels: ByteString($0.digest.labels))
      })
  }

  /// Reads the description of a packed dataset, and makes sure that its files have the sizes that it says.
  ///
  /// - Throws: `DatasetError`.
  package static func read(folder: String) throws(DatasetError) -> PackedDataset {
    let path = "\(folder)/\(PackedFormat.manifestName)"
    let dataset: PackedDataset
    do {
      let bytes = try File.content(of: path, .packedDataset)
      dataset = try PackedDataset(json: try JSON.parse(bytes, limits: .none))
    } catch let error as SystemError {
      if error.isNotFound { throw .missingFile(file: path, hint: "the folder must be a packed dataset") }
      throw .unreadable(.cannotOpen(error))
    } catch {
      throw .malformed(
        file: path, offset: 0, expected: "a description of a packed dataset", found: "\(error)")
    }
    try dataset.checkSizes(folder: folder)
    return dataset
  }

  /// As `read`, and makes sure that every file has the content that was imported, which takes as long as it
  /// takes to read them all.
  ///
  /// - Throws: `DatasetError`.
  package static func verified(folder: String) throws(DatasetError) -> PackedDataset {
    let packed = PackedFolder(folder: folder)
    let dataset = try packed.read()
    for split in DatasetSelection.Split.allCases {
      for part in PackedFormat.Part.allCases { try packed.verify(dataset, split, part) }
    }
    return dataset
  }

  /// Compares what the description says of itself, and with the sizes of the files.
  private func checkSizes(folder: String) throws(DatasetError) {
    for (name, split) in splits {
      for (part, stamp) in split.files {
        let path = "\(folder)/\(PackedFormat.fileName(name, part))"
        guard let now = FileIdentity(path: path) else {
          throw .missingFile(file: path, hint: "the dataset must be imported again")
        }
        let expected: Int =
          switch part {
          case .images: split.count * planes * side * side
          case .labels: split.count * PackedFormat.labelBytes
          case .paths: stamp.bytes
          }
        guard now.bytes == expected, stamp.bytes == expected else {
          throw .malformed(
            file: path, offset: 0, expected: "\(expected) bytes, as \(PackedFormat.manifestName) says",
            found: "\(now.bytes)")
        }
      }
    }
  }

  /// Whether a split's file is the one that was written, by size, inode and time of change: then its digest
  /// is believed, and the file is not read for it.
  package func isUnchanged(
    _ name: DatasetSelection.Split, _ part: PackedFormat.Part, folder: String
  ) -> Bool {
    guard let stamp = splits[name]?.files[part],
      let now = FileIdentity(path: "\(folder)/\(PackedFormat.fileName(name, part))")
    else { return false }
    return stamp == FileStamp(bytes: now.bytes, inode: now.inode, modified: now.modified)
  }
}
