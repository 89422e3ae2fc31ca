import JSONText
import Platform

/// The features of an embedding that goes on: a file in the run folder that grows batch by batch, and how
/// much of it is safe. A run that is killed goes on behind what was safe last.
struct FeatureSpool {
  /// Rows that are in the file.
  private(set) var rows: Int

  private let folder: String
  private let file: File
  private let rowBytes: Int
  private let identity: String
  private var syncedAtNanoseconds = SystemClock.monotonicNanoseconds

  /// How often what has come is made safe.
  private static let syncNanoseconds: UInt64 = 5_000_000_000
  /// Bytes that are read at a time.
  private static let pieceBytes = 4 << 20

  /// Opens the spool of a run, with the rows that are safe from an earlier attempt.
  ///
  /// - Parameters:
  ///   - folder: made if missing.
  ///   - rowBytes: of one row.
  ///   - identity: what the rows depend on besides the run; rows of another one are dropped.
  ///   - usable: how many of so many safe rows can be gone on from.
  init(folder: String, rowBytes: Int, identity: String, usable: (Int) -> Int) throws(SystemError) {
    self.folder = folder
    self.rowBytes = rowBytes
    self.identity = identity
    try FileSystem.makeDirectories(folder)
    file = try File("\(folder)/rows", .readWrite, links: .refused)
    let safe = Self.safeRows(folder: folder, rowBytes: rowBytes, identity: identity)
    // A file that is shorter than was recorded is not the one that was recorded.
    rows = try usable(file.size() >= safe * rowBytes ? safe : 0)
    try file.truncate(to: rows * rowBytes)
  }

  /// What an earlier attempt has recorded; 0 where that cannot be read.
  private static func safeRows(folder: String, rowBytes: Int, identity: String) -> Int {
    guard let bytes = try? File.content(of: statePath(folder), .artifactManifest),
      let json = try? JSON.parse(bytes), json["row_bytes"]?.int == rowBytes,
      json["identity"]?.string?.string == identity, let rows = json["rows"]?.int, rows >= 0
    else { return 0 }
    return rows
  }

  private static func statePath(_ folder: String) -> String { "\(folder)/state.json" }

  /// Adds rows, and makes all of them safe from time to time.
  mutating func append(_ bytes: [UInt8]) throws(SystemError) {
    try file.write(bytes, at: rows * rowBytes)
    rows += bytes.count / rowBytes
    if SystemClock.monotonicNanoseconds - syncedAtNanoseconds >= Self.syncNanoseconds { try sync() }
  }

  /// Returns when a later attempt will find all rows.
  mutating func sync() throws(SystemError) {
    try file.sync()
    let state: JSON = [
      "rows": .integer(rows), "row_bytes": .integer(rowBytes), "identity": .string(identity),
    ]
    try AtomicFile.write(state.utf8, to: Self.statePath(folder))
    syncedAtNanoseconds = SystemClock.monotonicNanoseconds
  }

  /// Passes all rows on, piece by piece.
  func read(_ take: ([UInt8]) throws -> Void) throws {
    let end = rows * rowBytes
    for start in stride(from: 0, to: end, by: Self.pieceBytes) {
      try take(try file.read(at: start, countMax: min(Self.pieceBytes, end - start)))
    }
  }

  /// Removes the spool.
  func remove() throws(SystemError) { try FileSystem.removeTree(folder) }
}
