/// A row that refers to one that is not there.
package struct OrphanRow: Sendable, Equatable, CustomStringConvertible {
  package let table: String
  /// The row's primary key, as `column = value` for each of its columns.
  package let key: String
  /// The table in which the other row is missing.
  package let parent: String

  package init(table: String, key: String, parent: String) {
    self.table = table
    self.key = key
    self.parent = parent
  }

  package var description: String {
    "the row of \(table) with \(key) refers to a row of \(parent) that is not there"
  }

  /// The first that the database has, if any.
  ///
  /// - Throws: `SQLiteError`.
  package static func first(in connection: Connection) throws -> OrphanRow? {
    let found = try connection.first("PRAGMA foreign_key_check") {
      (table: $0.text("table"), parent: $0.text("parent"), foreignKey: $0.integer("fkid"))
    }
    guard let found else { return nil }
    let key = try key(of: found.table, foreignKey: found.foreignKey, in: connection)
    return OrphanRow(table: found.table, key: key ?? "an unknown key", parent: found.parent)
  }

  /// The key of the first row whose foreign key finds nothing. The check itself has no name for a row of a
  /// table WITHOUT ROWID.
  private static func key(
    of table: String, foreignKey: Int, in connection: Connection
  ) throws -> String? {
    let primary = try connection.rows(
      "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [.text(table)]
    ) { $0.text("name") }
    let references = try connection.rows(
      """
      SELECT "table" AS parent, "from" AS child, "to" AS target FROM pragma_foreign_key_list(?)
      WHERE id = ? ORDER BY seq
      """, [.text(table), .integer(foreignKey)]
    ) { (parent: $0.text("parent"), child: $0.text("child"), target: $0.optionalText("target")) }
    guard let parent = references.first?.parent else { return nil }
    let isSame = references.map { "parent.\(quoted($0.target ?? "rowid")) = child.\(quoted($0.child))" }
    let isSet = references.map { "child.\(quoted($0.child)) IS NOT NULL" }
    let columns = primary.isEmpty ? ["rowid"] : primary
    let shown = columns.map { "'\($0) = ' || child.\(quoted($0))" }.joined(separator: " || ', ' || ")
    return try connection.first(
      """
      SELECT \(shown) AS row FROM \(quoted(table)) AS child WHERE \(isSet.joined(separator: " AND "))
        AND NOT EXISTS (SELECT 1 FROM \(quoted(parent)) AS parent
          WHERE \(isSame.joined(separator: " AND "))) LIMIT 1
      """
    ) { $0.text("row") }
  }

  private static func quoted(_ name: String) -> String {
    "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
  }
}
