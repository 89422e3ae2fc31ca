import Datasets

/// Whoever runs an import: takes what it reports and may ask it to stop. All calls come from the thread that
/// called `run`.
package protocol ImportObserver {
  /// Takes how far the import has come: at most about twice a second, and once at the end.
  func record(_ progress: ImportProgress) throws
  /// Takes the files that were left out, once all are known: before the dataset gets its name, or before the
  /// import fails. `count` is how many there are, of which the first are listed.
  func finish(skipped: [SkippedFile], count: Int) throws
  /// Asked between any two batches of images.
  var isStopRequested: Bool { get }
}

/// How far an import has come.
package struct ImportProgress: Sendable, Equatable {
  /// What is being done.
  package enum Phase: String, Sendable {
    /// Entries are read and images decoded.
    case reading
    /// Decoded images are put in order and written.
    case writing
  }
  package var phase = Phase.reading
  /// Entries that were seen: files, folders and what else an archive has.
  package var entries = 0
  /// Images that were decoded.
  package var images = 0
  /// Files that were left out.
  package var skipped = 0
  /// Bytes of files that were read.
  package var bytes = 0
  /// Images that were written in the phase `writing`.
  package var written = 0
  /// Images decoded per second since the start.
  package var imagesPerSecond = 0.0
}

/// How an import ended that did not fail.
package enum ImportOutcome: Sendable, Equatable {
  /// The dataset lies under its name.
  case finished(PackedDataset)
  /// It stopped as it was asked to; the next run starts over.
  case stopped
}
