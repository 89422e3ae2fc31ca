/// One step of the schema: a file `0001_jobs.sql`.
package struct Migration: Sendable, Equatable {
  /// From 1, without gaps.
  package let number: Int
  package let name: String
  package let sql: String

  package init(number: Int, name: String, sql: String) {
    self.number = number
    self.name = name
    self.sql = sql
  }

  /// Takes number and name from a file name of the form `0001_jobs.sql`; `nil` if it has another.
  package init?(fileName: String, sql: String) {
    guard fileName.hasSuffix(".sql"), let underscore = fileName.firstIndex(of: "_"),
      fileName[..<underscore].count == 4, let number = Int(fileName[..<underscore]), number > 0
    else { return nil }
    let name = fileName[fileName.index(after: underscore)...].dropLast(4)
    self.init(number: number, name: String(name), sql: sql)
  }

  /// FNV-1a (64 bits) of the text: shows that a file was changed after it had been applied.
  package var checksum: String {
    let hash = sql.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }
}

/// Why a database cannot be brought to the schema of this program.
package enum MigrationError: Error, Equatable, CustomStringConvertible {
  /// The numbers do not run from 1 without gaps.
  case gap(expected: Int, found: Int)
  /// An applied migration has another text now.
  case changed(number: Int, name: String)
  /// The database has migrations that this program does not know.
  case newer(database: Int, program: Int)
  /// The migration would leave a row that refers to one that is not there; nothing was changed.
  case orphan(number: Int, name: String, row: OrphanRow)

  package var description: String {
    switch self {
    case .gap(let expected, let found):
      "cannot migrate: migration \(expected) is missing, found \(found); restore the migrations folder"
    case .changed(let number, let name):
      "cannot migrate: migration \(number) (\(name)) was changed after it had been applied; "
        + "restore its text, or add a new migration"
    case .newer(let database, let program):
      "cannot open the database: its schema \(database) is newer than this program's \(program); "
        + "start the newer program, or restore a backup"
    case .orphan(let number, let name, let row):
      "cannot migrate: after migration \(number) (\(name)) \(row); nothing was changed, "
        + "restore the database from a backup"
    }
  }
}

/// Brings a database forward; there is no way back.
package enum Migrator {
  /// Applies what is missing, each migration in its own transaction together with its record.
  ///
  /// Foreign keys are off meanwhile, so that a migration may rebuild a table that others refer to: with them
  /// on, `DROP TABLE` would delete the rows of the old table first, and what refers to them by `ON DELETE
  /// CASCADE`. They are checked before each commit instead (sqlite.org/lang_altertable.html, section 7). As
  /// transactions are all or nothing and the pragma is the connection's, a process that dies at any point
  /// leaves whole migrations behind.
  ///
  /// - Parameter backUp: called with the database's schema before one that has content is changed.
  /// - Returns: how many were applied.
  /// - Throws: `MigrationError`, `SQLiteError`, and what `backUp` throws.
  @discardableResult
  package static func migrate(
    _ connection: Connection, _ migrations: [Migration], appliedAt: String,
    backUp: (_ schema: Int) throws -> Void = { _ in }
  ) throws -> Int {
    for (index, migration) in migrations.enumerated() where migration.number != index + 1 {
      throw MigrationError.gap(expected: index + 1, found: migration.number)
    }
    try connection.script(
      """
      CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
      ) STRICT
      """)
    let applied = try connection.rows("SELECT number, checksum FROM schema_migrations ORDER BY number") {
      (number: $0.integer("number"), checksum: $0.text("checksum"))
    }
    if applied.count > migrations.count {
      throw MigrationError.newer(database: applied.count, program: migrations.count)
    }
    for (record, migration) in zip(applied, migrations) where record.checksum != migration.checksum {
      throw MigrationError.changed(number: migration.number, name: migration.name)
    }
    if !applied.isEmpty && applied.count < migrations.count { try backUp(applied.count) }
    try connection.withoutForeignKeys {
      for migration in migrations.dropFirst(applied.count) {
        try connection.transaction { try apply(migration, connection, appliedAt: appliedAt) }
      }
    }
    return migrations.count - applied.count
  }

  private static func apply(_ migration: Migration, _ connection: Connection, appliedAt: String) throws {
    try connection.script(migration.sql)
    if let row = try OrphanRow.first(in: connection) {
      throw MigrationError.orphan(number: migration.number, name: migration.name, row: row)
    }
    try connection.execute(
      "INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
      [.integer(migration.number), .text(migration.name), .text(migration.checksum), .text(appliedAt)])
  }
}
