import Datasets
import Parallel
import Platform
import Recipe
import Text

/// What all steps of one import share: its settings, its threads, what was left out, and how far it has come.
final class ImportSession {
  let specification: ImportSpecification
  let work: String
  let roots: RootFolders?
  let pool: DecodingPool
  private let observer: any ImportObserver
  private(set) var progress = ImportProgress()
  private(set) var skipped = SkippedList()
  private let start = SystemClock.monotonicNanoseconds
  private var lastReport = SystemClock.monotonicNanoseconds

  /// Where the dataset is written before it gets its name.
  var packedFolder: String { "\(work)/packed" }

  /// Nanoseconds between two reports.
  private static let reportNanoseconds: UInt64 = 500_000_000

  init(
    _ specification: ImportSpecification, work: String, roots: RootFolders?, team: ThreadTeam,
    _ observer: any ImportObserver
  ) {
    self.specification = specification
    self.work = work
    self.roots = roots
    self.observer = observer
    pool = DecodingPool(specification, team: team)
  }

  /// Somebody asked for the import to stop.
  struct Stopped: Error {}

  /// Throws `Stopped` if the import was asked to stop.
  func checkStop() throws {
    if observer.isStopRequested { throw Stopped() }
  }

  /// Counts an entry.
  ///
  /// - Throws: `ImportError.limit` if there are more than allowed.
  func countEntry(_ count: Int = 1) throws {
    progress.entries += count
    let allowed = specification.limits.entries
    guard progress.entries <= allowed else {
      throw ImportError.limit(name: "entries", allowed: allowed, what: "there are more entries")
    }
    try report()
  }

  /// Counts bytes that were read.
  func countBytes(_ count: Int) { progress.bytes += count }

  /// Counts images that were decoded.
  func countImages(_ count: Int) throws {
    progress.images += count
    let nanoseconds = max(SystemClock.monotonicNanoseconds - start, 1)
    progress.imagesPerSecond = Double(progress.images) / (Double(nanoseconds) / 1e9)
    try report()
  }

  /// Counts images that were written.
  func countWritten(_ count: Int) throws {
    progress.phase = .writing
    progress.written += count
    try report()
  }

  /// Notes a file that is left out.
  func skip(_ path: String, _ reason: String) {
    skipped.add(path, reason)
    progress.skipped = skipped.count
  }

  /// Notes an image that cannot be decoded.
  ///
  /// - Throws: `ImportError.badImage` unless such images are skipped.
  func bad(_ path: String, _ reason: String) throws {
    guard specification.onBadImage == .skip else { throw ImportError.badImage(path: path, reason: reason) }
    skip(path, reason)
  }

  /// Tells the observer how far the import has come, unless it was told just now.
  func report(isLast: Bool = false) throws {
    let now = SystemClock.monotonicNanoseconds
    guard isLast || now - lastReport >= Self.reportNanoseconds else { return }
    lastReport = now
    try observer.record(progress)
  }

  /// Closes the files of the dataset and writes its description.
  func finish(_ writer: PackedWriter) throws -> PackedDataset {
    let dataset = try writer.finish(
      name: specification.name.string, source: specification.path.string, skipped: skipped.listed,
      skippedCount: skipped.count)
    try report(isLast: true)
    return dataset
  }
}
