import Platform
import SQLite
import Testing

@Suite struct `A row of a damaged database` {
  @Test(arguments: [
    ("'five', 'a'", "number", "must be an integer, got a text"),
    ("1.5, 'a'", "number", "must be an integer, got a real number"),
    ("NULL, 'a'", "number", "must be an integer, got null"),
    ("5, x'01'", "name", "must be a text or null, got a blob"),
  ])
  func `is an error that names table and column`(values: String, column: String, cause: String) throws {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-row-\(UInt64.random(in: 0 ... .max)).sqlite"
    defer { for file in [path, "\(path)-wal", "\(path)-shm"] { try? FileSystem.remove(file) } }
    let connection = try Connection(path: path, access: .write)
    try connection.script("CREATE TABLE things (number INTEGER, name BLOB)")
    try connection.script("INSERT INTO things (number, name) VALUES (1, 'sound')")
    try connection.script("INSERT INTO things (number, name) VALUES (\(values))")
    let error = #expect(throws: SQLiteError.self) {
      try connection.rows("SELECT number, name FROM things") {
        ($0.integer("number"), $0.optionalText("name"))
      }
    }
    #expect(error?.subject == "the column \(column) of the table things")
    #expect(error?.cause == cause)
    // The connection is of use afterwards.
    #expect(try connection.first("SELECT count(*) AS n FROM things") { $0.integer("n") } == 2)
  }
}
