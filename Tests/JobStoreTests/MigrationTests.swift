import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import SQLite
import Testing
import Text

@Suite struct `A migration that rebuilds a table` {
  private let folder = OldDataFolder()

  private static let one = Migration(
    number: 1, name: "one",
    sql: """
      CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT) STRICT;
      CREATE TABLE children (
        parent INTEGER NOT NULL REFERENCES parents (id) ON DELETE CASCADE, number INTEGER,
        PRIMARY KEY (parent, number)) STRICT, WITHOUT ROWID;
      INSERT INTO parents VALUES (1, 'a'), (2, 'b');
      INSERT INTO children VALUES (1, 1), (1, 2), (2, 7);
      """)

  private static func rebuild(keeping condition: String) -> Migration {
    Migration(
      number: 2, name: "rebuild",
      sql: """
        CREATE TABLE rebuilt (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
        INSERT INTO rebuilt SELECT id, name FROM parents WHERE \(condition);
        DROP TABLE parents;
        ALTER TABLE rebuilt RENAME TO parents;
        """)
  }

  private func children(_ connection: Connection) throws -> [[Int]] {
    try connection.rows("SELECT parent, number FROM children ORDER BY parent, number") {
      [$0.integer("parent"), $0.integer("number")]
    }
  }

  @Test func `keeps the rows that refer to it, and they refer to the new one`() throws {
    let connection = try Connection(path: folder.database, access: .write)
    try Migrator.migrate(connection, [Self.one, Self.rebuild(keeping: "true")], appliedAt: "t")
    #expect(try children(connection) == [[1, 1], [1, 2], [2, 7]])
    #expect(throws: SQLiteError.self) { try connection.execute("INSERT INTO children VALUES (9, 1)") }
    try connection.execute("DELETE FROM parents WHERE id = 1")
    #expect(try children(connection) == [[2, 7]])
  }

  @Test func `that loses a row which others refer to is undone, with an error that names table and row`()
    throws
  {
    let connection = try Connection(path: folder.database, access: .write)
    try Migrator.migrate(connection, [Self.one], appliedAt: "t")
    let broken = Self.rebuild(keeping: "id <> 2")
    let row = OrphanRow(table: "children", key: "parent = 2, number = 7", parent: "parents")
    let error = #expect(throws: MigrationError.orphan(number: 2, name: "rebuild", row: row)) {
      try Migrator.migrate(connection, [Self.one, broken], appliedAt: "t")
    }
    #expect(
      error?.description.contains(
        "the row of children with parent = 2, number = 7 refers to a row of parents")
        == true)
    #expect(try children(connection) == [[1, 1], [1, 2], [2, 7]])
    // Foreign keys count again, also after a failure; and the right migration still can be made.
    #expect(throws: SQLiteError.self) { try connection.execute("INSERT INTO children VALUES (9, 1)") }
    #expect(
      try Migrator.migrate(connection, [Self.one, Self.rebuild(keeping: "true")], appliedAt: "t") == 1)
  }

  @Test func `a table with a plain rowid is named by it`() throws {
    let connection = try Connection(path: folder.database, access: .write)
    let two = Migration(
      number: 2, name: "two",
      sql: """
        CREATE TABLE notes (parent INTEGER REFERENCES parents (id), text TEXT) STRICT;
        INSERT INTO notes VALUES (NULL, 'x'), (1, 'y'), (5, 'z');
        """)
    let row = OrphanRow(table: "notes", key: "rowid = 3", parent: "parents")
    #expect(throws: MigrationError.orphan(number: 2, name: "two", row: row)) {
      try Migrator.migrate(connection, [Self.one, two], appliedAt: "t")
    }
  }
}

@Suite struct `A data folder of schema 6` {
  private let folder = OldDataFolder()

  init() throws {
    try folder.copyFixture("data-schema-6")
    try folder.addActiveJobs()
  }

  @Test func `keeps every row on the way to this schema`() throws {
    let before = try folder.content()
    #expect(Set(try folder.states()) == Set(JobState.allCases))
    for table in [
      "jobs", "events", "checkpoints", "transitions", "job_dependencies", "job_labels", "feed",
      "idempotency_keys", "job_counts",
    ] {
      #expect(before[table]?.isEmpty == false, "the fixture has no \(table)")
    }
    let store = try folder.open()
    #expect(try folder.content(of: before) == before)
    #expect(try JobStore.problems(of: folder.database).isEmpty)
    // The database as it was is kept beside it.
    #expect(FileSystem.exists("\(folder.database).schema-6"))
    #expect(try store.list(limit: 99).count == before["jobs"]?.count)
  }

  /// Whether every member of the old value is there with its value; the new one may have more.
  private static func hasMembers(of old: JSON, _ new: JSON) -> Bool {
    guard let members = old.object else { return old == new }
    return members.allSatisfy { key, value in new[key].map { hasMembers(of: value, $0) } ?? false }
  }

  @Test func `is lived in like any other`() throws {
    let last = try folder.lastSequence()
    let store = try folder.open()
    let jobs = try store.list(limit: 99)
    let resting = try #require(jobs.first { $0.state == .paused && $0.reason == .userPaused })
    #expect(try store.resume(resting.id).state == .queued)
    #expect(resting.health == JobHealth() && resting.summary == nil)
    #expect(resting.cost == JobCost(epochs: 100_000, stepImages: 4) && resting.host == nil)
    guard let promised = try resting.specification().train else { throw Missing() }
    let stored = try JSON.parse(resting.specificationText)
    #expect(Self.hasMembers(of: stored, promised.json), "as it was resolved then, and what is new since")
    let new = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .train(.preset(.small)))
    #expect(try #require(store.enqueue([new]).first).sequence == last + 1)
    let trained = try #require(jobs.first { $0.labelling.name == "tiny" })
    #expect(try store.metricKeys(trained.id).contains("rankme"))
    #expect(try store.series(trained.id, keys: ["loss"], points: 100).curves["loss"]?.count == 8)
    #expect(try store.transitions(of: trained.id, limit: 9).map(\.to) == [.queued, .running, .succeeded])
    try store.delete(try #require(jobs.first { $0.labelling.name == "is cancelled" }).id)
    #expect(try JobStore.problems(of: folder.database).isEmpty)
  }

  @Test func `is migrated or not, wherever the process dies on the way`() throws {
    let before = try folder.content()
    let connection = try Connection(path: folder.database, access: .write)
    let migrations = try JobStore.migrations(in: StoreFixture.migrations)
    try Migrator.migrate(connection, migrations, appliedAt: "t")
    // What the log has in it at any moment is a beginning of what it has at the end.
    let database = try File(folder.database, .read).readAll()
    let log = try File("\(folder.database)-wal", .read).readAll()
    let frameBytes = 24 + 4096
    #expect(log.count > 20 * frameBytes)
    var schemas: Set<Int> = []
    for (index, end) in stride(from: 0, through: log.count, by: frameBytes / 2).enumerated() {
      let copy = OldDataFolder()
      try AtomicFile.write(database, to: copy.database)
      try AtomicFile.write(
        Array(log[..<(index.isMultiple(of: 40) ? log.count : end)]), to: "\(copy.database)-wal")
      schemas.insert(try copy.schema())
      #expect(try copy.content(of: before) == before, "after \(end) bytes")
      if index.isMultiple(of: 16) {
        _ = try copy.open()
        #expect(try copy.content(of: before) == before, "after \(end) bytes, migrated again")
      }
    }
    // Each migration is whole or not there.
    #expect(schemas == Set(6...migrations.count))
    _ = connection
  }
}

@Suite struct `A data folder from before jobs had artifacts` {
  @Test func `gets those that were reported, each as it was last`() throws {
    let folder = OldDataFolder()
    let connection = try Connection(path: folder.database, access: .write)
    let migrations = try JobStore.migrations(in: StoreFixture.migrations)
    try Migrator.migrate(connection, Array(migrations.prefix(13)), appliedAt: "t")
    for number in 0..<3 {
      try connection.execute(
        """
        INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms, event_sequence)
        VALUES (?, 'train', '{}', 50, 'queued', '{}', 0, 1)
        """, [.text("01m8f5zwj9qdxbr\(number)")])
    }
    func artifact(_ name: String, _ bytes: Int) -> String {
      #"{"event":"artifact","time":"t","name":"\#(name)","media_type":"image/png","bytes":\#(bytes),"#
        + #""sha256":"\#(String(repeating: "a", count: 64))","created_at":"2026-01-01T00:00:00.000Z"}"#
    }
    let lines = [
      (1, artifact("b", 1)), (2, artifact("c", 2)), (1, artifact("a", 3)), (1, artifact("b", 4)),
      (2, "not JSON"),
    ]
    for (index, (job, line)) in lines.enumerated() {
      try connection.execute(
        "INSERT INTO events (job, sequence, event, line) VALUES (?, ?, 'artifact', ?)",
        [.integer(job), .integer(index + 2), .text(line)])
    }
    let jobs = try folder.open().list(limit: 9).sorted { $0.sequence < $1.sequence }
    let lists = try jobs.map { try #require(JSON.parse($0.artifactsText).array) }
    #expect(lists.map { $0.map { $0["name"]?.string } } == [["a", "b"], ["c"], []])
    #expect(lists[0].map { $0["bytes"] } == [3, 4])
    let members: JSON = [
      "name": "a", "media_type": "image/png", "bytes": 3,
      "sha256": .string(ByteString(String(repeating: "a", count: 64))),
      "created_at": "2026-01-01T00:00:00.000Z",
    ]
    #expect(lists[0].first == members)
  }
}

/// A data folder that an older program has left behind.
private final class OldDataFolder: Sendable {
  let path = "\(FileSystem.temporaryDirectory)/vicregd-old-\(UInt64.random(in: .min ... .max))"
  var database: String { "\(path)/vicregd.sqlite" }

  init() {
    // What cannot be made is found missing by the first use.
    try? FileSystem.makeDirectories(path)
  }

  deinit {
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(path)
  }

  /// Takes the database of a folder in `Tests/Fixtures`.
  func copyFixture(_ name: String) throws {
    let tests = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    try AtomicFile.write(
      File("\(tests)/Fixtures/\(name)/vicregd.sqlite", .read).readAll(), to: database)
  }

  /// Jobs whose worker is alive, which a daemon that has stopped leaves none of.
  func addActiveJobs() throws {
    let connection = try Connection(path: database, access: .write)
    for (index, state) in [JobState.running, .pausing, .cancelling].enumerated() {
      try connection.execute(
        """
        INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms)
        VALUES (?, 'train', '{"a":"b"}', 50, 'queued', '{}', 0)
        """, [.text("01m8f5zwj9qdxbr\(index)")])
      let steps = state == .running ? [state] : [.running, state]
      for step in steps {
        try connection.execute(
          """
          UPDATE jobs SET state = ?, attempt = 1, boot_id = 'b', started_at_ms = 1, cancel_mode = 'now'
          WHERE sequence = (SELECT max(sequence) FROM jobs)
          """, [.text(step.rawValue)])
      }
    }
    // The highest number that was given belongs to a job that is gone.
    try connection.execute("UPDATE sqlite_sequence SET seq = seq + 5 WHERE name = 'jobs'")
  }

  /// A store over it, which migrates it.
  func open() throws -> JobStore {
    try JobStore(path: database, migrations: JobStore.migrations(in: StoreFixture.migrations))
  }

  func schema() throws -> Int {
    try Connection(path: database, access: .write).first("SELECT max(number) AS n FROM schema_migrations") {
      $0.integer("n")
    } ?? 0
  }

  func lastSequence() throws -> Int {
    try Connection(path: database, access: .write).first(
      "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'"
    ) { $0.integer("seq") } ?? 0
  }

  func states() throws -> [JobState] {
    try Connection(path: database, access: .write).rows("SELECT state FROM jobs") {
      JobState(rawValue: $0.text("state"))
    }.compactMap(\.self)
  }

  /// Every row of every table, as JSON arrays of the columns that the table has now, or had where `before`
  /// knows the table.
  func content(of before: [String: [String]]? = nil) throws -> [String: [String]] {
    let connection = try Connection(path: database, access: .write)
    let tables = try connection.rows(
      """
      SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migrations'
        AND name NOT LIKE 'sqlite_%'
      """
    ) { $0.text("name") }
    var content: [String: [String]] = [:]
    for table in tables where before?[table] != nil || before == nil {
      let known = before?[table]?.first.flatMap { (try? JSON.parse($0))?.object?.keys.sorted().map(\.string) }
      let columns =
        try known
        ?? connection.rows("SELECT name FROM pragma_table_info(?)", [.text(table)]) { $0.text("name") }
      let members = columns.map { "'\($0)', \"\($0)\"" }.joined(separator: ", ")
      content[table] = try connection.rows("SELECT json_object(\(members)) AS row FROM \(table)") {
        try JSON.parse($0.text("row")).text
      }.sorted()
    }
    return content
  }
}
