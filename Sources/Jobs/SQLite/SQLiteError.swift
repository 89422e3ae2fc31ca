import CSQLite

/// A call to SQLite that failed. Never carries the arguments of a statement, only its text.
package struct SQLiteError: Error, CustomStringConvertible {
  /// What was tried: `open`, `prepare`, `step`.
  package let operation: String
  /// The file, or the beginning of the statement.
  package let subject: String
  /// The extended result code (sqlite.org/rescode.html).
  package let code: Int32
  /// SQLite's sentence for it; for a failed constraint it has the constraint's name.
  package let cause: String
  /// What a person can do about it, where something can be done.
  package let hint: String?

  package init(operation: String, subject: String, code: Int32, cause: String, hint: String? = nil) {
    self.operation = operation
    self.subject = subject
    self.code = code
    self.cause = cause
    self.hint = hint ?? SQLiteError.hint(for: code)
  }

  /// Whether a CHECK, a UNIQUE, a foreign key or a trigger refused the rows.
  package var isConstraint: Bool { code & 0xFF == SQLITE_CONSTRAINT }

  /// Whether no space was left.
  package var isDiskFull: Bool { code & 0xFF == SQLITE_FULL }

  /// Whether another process held the lock for longer than the time-out.
  package var isBusy: Bool { code & 0xFF == SQLITE_BUSY }

  package var description: String {
    "cannot \(operation) \(subject): \(cause) (\(code))" + (hint.map { "; \($0)" } ?? "")
  }

  /// The same error of a copy of the database to a file: in words about that file.
  package func ofCopy(to path: String) -> SQLiteError {
    let hint: String? =
      switch code & 0xFF {
      case SQLITE_FULL, SQLITE_IOERR: "free some disk space there, or choose another folder"
      case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY: "check that its folder may be written"
      default: nil
      }
    return SQLiteError(operation: "copy the database to", subject: path, code: code, cause: cause, hint: hint)
  }

  private static func hint(for code: Int32) -> String? {
    switch code & 0xFF {
    case SQLITE_BUSY: "another process holds the database; is a second daemon running?"
    case SQLITE_FULL: "free some disk space"
    case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_READONLY: "check that the data folder exists and may be written"
    case SQLITE_NOTADB, SQLITE_CORRUPT: "restore the database from a backup"
    default: nil
    }
  }
}
