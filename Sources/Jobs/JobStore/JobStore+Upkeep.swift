import Platform
import SQLite

/// What is done to a database as a whole, also beside a daemon that uses it.
extension JobStore {
  /// Writes a copy of a database, as it is at one moment, to a file that appears whole and durable or not at
  /// all.
  ///
  /// - Throws: `SQLiteError`, `SystemError`.
  package static func backUp(_ path: String, to target: String) throws {
    try backUp(Connection(path: path, access: .read), to: target)
  }

  /// As above, of the database that a connection has open.
  static func backUp(_ connection: Connection, to target: String) throws {
    let temporary = "\(target).unfinished"
    try FileSystem.remove(temporary)
    try connection.copy(to: temporary)
    try File(temporary, .read).sync()
    try FileSystem.rename(temporary, to: target)
    try FileSystem.syncDirectory(FileSystem.parent(of: target))
  }

  /// What SQLite finds wrong with a database, and rows that refer to none; empty: nothing.
  ///
  /// - Throws: `SQLiteError`, also for a file that is no database.
  package static func problems(of path: String) throws -> [String] {
    let connection = try Connection(path: path, access: .read)
    let found = try connection.rows("PRAGMA integrity_check") { $0.text("integrity_check") }
    let orphans = try connection.rows("PRAGMA foreign_key_check") {
      "a row of \($0.text("table")) refers to a row of \($0.text("parent")) that is not there"
    }
    return found.filter { $0 != "ok" } + orphans
  }
}
