import CSQLite

/// One connection to a database file in WAL mode.
///
/// `@unchecked Sendable`: its owner hands it out under a lock (a `Mutex`, or a pool), so one thread at a time
/// uses it, and SQLite need not lock it as well (`SQLITE_OPEN_NOMUTEX`).
package final class Connection: @unchecked Sendable {
  /// What the connection may do.
  package enum Access: Sendable {
    /// Reads and writes; creates the file.
    case write
    /// Reads only, beside the writer.
    case read
  }

  /// What the write-ahead log is cut down to once its content is in the database, and the pages of 4 KiB
  /// after which that is done: seldom enough that a fast worker is not held up.
  private static let logBytesMax = 16 << 20
  private static let logPagesMax = logBytesMax / 4096
  /// Memory for pages, so that a piece of events fits in and is written once.
  private static let cacheKiB = 16 << 10

  /// The library's settings, which have to be made before anything else is asked of it.
  private static let isLibraryReady = sqlite3_count_no_memory() == SQLITE_OK

  private let handle: OpaquePointer
  private var statements: [String: Statement] = [:]
  private var holdsTransaction = false

  /// Opens the file.
  ///
  /// Writers use `synchronous = FULL`: in WAL mode `NORMAL` does not sync the log at each commit, so a power
  /// cut could lose a job that a client has already got a 201 for. A lock held by another process is waited
  /// for `busyTimeoutMilliseconds`; within the daemon there is one writer, and readers never wait in WAL
  /// mode.
  package init(
    path: String, access: Access, busyTimeoutMilliseconds: Int = 5000
  ) throws(SQLiteError) {
    let flags =
      access == .write
      ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
      : SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
    precondition(Self.isLibraryReady, "SQLite was in use before its first connection.")
    var handle: OpaquePointer?
    let code = sqlite3_open_v2(path, &handle, flags, nil)
    guard code == SQLITE_OK, let handle else {
      let error = failure("open", path, handle)
      sqlite3_close_v2(handle)
      throw error
    }
    self.handle = handle
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, Int32(busyTimeoutMilliseconds))
    if access == .write {
      try script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
      try script(
        "PRAGMA journal_size_limit = \(Self.logBytesMax); PRAGMA wal_autocheckpoint = \(Self.logPagesMax)")
      // What savepoints have to remember goes into memory, not into a file.
      try script("PRAGMA cache_size = -\(Self.cacheKiB); PRAGMA temp_store = MEMORY")
    } else {
      try script("PRAGMA query_only = ON")
    }
  }

  deinit {
    statements = [:]
    sqlite3_close_v2(handle)
  }

  /// Runs several statements without arguments, such as a migration.
  package func script(_ sql: String) throws(SQLiteError) {
    if sqlite3_exec(handle, sql, nil, nil, nil) != SQLITE_OK { throw failure("run", sql, handle) }
  }

  /// Runs a statement and answers how many rows it changed.
  @discardableResult
  package func execute(_ sql: String, _ arguments: [Value] = []) throws -> Int {
    try statement(sql).run(arguments) { _ in true }
    return Int(sqlite3_changes64(handle))
  }

  /// The integer key of the row that was inserted last, those of triggers apart.
  package var lastInsertedRow: Int { Int(sqlite3_last_insert_rowid(handle)) }

  /// Every row of a query, read by `map`.
  package func rows<T>(_ sql: String, _ arguments: [Value] = [], _ map: (Row) throws -> T) throws -> [T] {
    var result: [T] = []
    try statement(sql).run(arguments) { row in
      result.append(try map(row))
      return true
    }
    return result
  }

  /// The first row of a query, read by `map`; `nil` if there is none.
  package func first<T>(_ sql: String, _ arguments: [Value] = [], _ map: (Row) throws -> T) throws -> T? {
    var result: T?
    try statement(sql).run(arguments) { row in
      result = try map(row)
      return false
    }
    return result
  }

  /// Whether a transaction is open. SQLite ends one by itself after some errors.
  package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// All or nothing: commits what `body` did, or rolls it back if it throws. The write lock is taken at the
  /// start (`BEGIN IMMEDIATE`), so it cannot fail in the middle for want of it. Not to be nested.
  @discardableResult
  package func transaction<T>(_ body: () throws -> T) throws -> T {
    precondition(!holdsTransaction, "A transaction stands in a transaction.")
    try execute("BEGIN IMMEDIATE")
    holdsTransaction = true
    defer { holdsTransaction = false }
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      // SQLite has rolled back by itself after some errors (a full disk); then there is nothing left to undo.
      if isInTransaction { try execute("ROLLBACK") }
      throw error
    }
  }

  /// Lets every statement of `body` see the same state of the database, whatever is written meanwhile. Writes
  /// nothing; not to be nested.
  package func snapshot<T>(_ body: () throws -> T) throws -> T {
    precondition(!isInTransaction, "A snapshot stands in a transaction.")
    try execute("BEGIN")
    let result = Result(catching: body)
    if isInTransaction { try execute("COMMIT") }
    return try result.get()
  }

  /// Runs `body` while foreign keys are not enforced. Outside of transactions, which would ignore it.
  package func withoutForeignKeys(_ body: () throws -> Void) throws {
    precondition(!isInTransaction, "A transaction cannot switch foreign keys off.")
    try script("PRAGMA foreign_keys = OFF")
    let result = Result(catching: body)
    try script("PRAGMA foreign_keys = ON")
    try result.get()
  }

  /// Writes the database as it is at this moment to a file that is empty or not there yet.
  package func copy(to path: String) throws {
    // Nothing but the new file is written, which the guard of readers would refuse as well.
    try script("PRAGMA query_only = OFF")
    try execute("VACUUM INTO ?", [.text(path)])
  }

  private func statement(_ sql: String) throws(SQLiteError) -> Statement {
    if let known = statements[sql] { return known }
    let statement = try Statement(sql, in: handle)
    statements[sql] = statement
    return statement
  }
}
