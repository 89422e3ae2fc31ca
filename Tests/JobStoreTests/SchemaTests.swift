import JobModel
import JobStore
import SQLite
import Testing

@Suite struct SchemaTests {
  private let fixture: StoreFixture
  private let connection: Connection

  init() throws {
    fixture = try StoreFixture()
    connection = try Connection(path: fixture.path, access: .write)
  }

  /// A row in any state, written past the triggers.
  private func put(_ state: JobState) throws -> Int {
    try connection.script("DROP TRIGGER IF EXISTS jobs_begin_waiting")
    try connection.execute(
      """
      INSERT INTO jobs (id, kind, labels, priority, state, reason, cancel_mode, spec, attempt, boot_id,
        created_at_ms, started_at_ms, finished_at_ms, event_sequence)
      VALUES (?, 'train', '{}', 50, ?, 'user_cancelled', 'now', '{}', 1, 'boot', 0, 0, ?, 1)
      """,
      [
        .text(fixture.store.newID().text), .text(state.rawValue), .optional(state.isFinished ? 1 : nil),
      ])
    return try #require(try connection.first("SELECT max(sequence) AS s FROM jobs") { $0.integer("s") })
  }

  @Test func `SQL allows exactly the steps of the transition table`() throws {
    for old in JobState.allCases {
      for new in JobState.allCases where new != old {
        let row = try put(old)
        let change = {
          try connection.execute(
            "UPDATE jobs SET state = ?, finished_at_ms = ? WHERE sequence = ?",
            [.text(new.rawValue), .optional(new.isFinished ? 1 : nil), .integer(row)])
        }
        if Transition.isLegal(from: old, to: new) {
          #expect(throws: Never.self, "\(old) to \(new)") { try change() }
        } else {
          let error = #expect(throws: SQLiteError.self, "\(old) to \(new)") { try change() }
          #expect(error?.cause == "transition_is_legal")
        }
      }
    }
  }

  @Test func `a job is added without a table of SQLite's own`() throws {
    // What a CHECK or a trigger asks with a long `IN`, or writes with several rows of `VALUES`.
    let steps = try connection.rows(
      """
      EXPLAIN INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms, event_sequence)
      VALUES ('a', 'train', '{}', 50, 'queued', '{}', 0, 1)
      """
    ) { $0.text("opcode") }
    #expect(steps.filter { $0 == "Insert" }.count > 1, "the triggers are among them")
    #expect(steps.filter { $0 == "OpenEphemeral" }.isEmpty)
  }

  @Test(arguments: [
    ("health = 'fine'", "health_is_known"), ("summary = '{'", "summary_is_json"),
    ("state = 'resting'", "transition_is_legal"),
    ("priority = 101", "priority_is_in_range"), ("cancel_mode = 'soon'", "cancel_mode_is_known"),
    ("finished_at_ms = 5", "finished_has_its_time"), ("labels = 'x'", "labels_are_json"),
    ("spec = '{'", "spec_is_json"), ("attempt = -1", "counters_are_not_negative"),
    ("state = 'running'", "active_was_claimed"),
    ("state = 'cancelled', finished_at_ms = 1", "unsuccessful_has_a_reason"),
  ])
  func `a row that cannot be is refused by name`(change: String, constraint: String) throws {
    try fixture.train()
    let error = #expect(throws: SQLiteError.self) { try connection.execute("UPDATE jobs SET \(change)") }
    #expect(error?.isConstraint == true)
    #expect(error?.cause.contains(constraint) == true, "\(error?.cause ?? "")")
  }

  @Test(arguments: [("succeeded", 1, "jobs_begin_waiting"), ("queued", 0, "jobs_begin_with_a_line")])
  func `a job begins by waiting, with the line of its arrival`(
    state: String, lines: Int, trigger: String
  ) throws {
    let error = #expect(throws: SQLiteError.self) {
      try connection.execute(
        """
        INSERT INTO jobs (id, kind, labels, priority, state, spec, created_at_ms, finished_at_ms,
          event_sequence)
        VALUES ('x', 'train', '{}', 1, ?1, '{}', 0, iif(?1 = 'succeeded', 0, NULL), ?2)
        """, [.text(state), .integer(lines)])
    }
    #expect(error?.cause == trigger)
  }

  @Test func `reasons and states of the program fit the columns`() throws {
    for reason in Reason.allCases { #expect(!reason.rawValue.isEmpty) }
    for state in JobState.allCases { _ = try put(state) }
    #expect(try fixture.store.list(limit: 100).count == JobState.allCases.count)
  }
}

@Suite struct SQLiteTests {
  private let fixture: StoreFixture

  init() throws { fixture = try StoreFixture() }

  private func database(_ name: String) throws -> Connection {
    try Connection(path: "\(fixture.folder)/\(name)", access: .write)
  }

  private let one = Migration(number: 1, name: "one", sql: "CREATE TABLE a (x INTEGER) STRICT;")
  private let two = Migration(
    number: 2, name: "two", sql: "CREATE TABLE b (y TEXT) STRICT; INSERT INTO b VALUES ('kept');")

  @Test func `migrations are applied once, in order`() throws {
    let connection = try database("m")
    #expect(try Migrator.migrate(connection, [one], appliedAt: "t") == 1)
    #expect(try Migrator.migrate(connection, [one, two], appliedAt: "t") == 1)
    #expect(try Migrator.migrate(connection, [one, two], appliedAt: "t") == 0)
    #expect(try connection.rows("SELECT y FROM b") { $0.text("y") } == ["kept"])
  }

  @Test func `a changed, a missing and a newer migration are refused`() throws {
    let connection = try database("m")
    try Migrator.migrate(connection, [one, two], appliedAt: "t")
    let changed = Migration(number: 1, name: "one", sql: one.sql + " ")
    #expect(throws: MigrationError.changed(number: 1, name: "one")) {
      try Migrator.migrate(connection, [changed, two], appliedAt: "t")
    }
    #expect(throws: MigrationError.newer(database: 2, program: 1)) {
      try Migrator.migrate(connection, [one], appliedAt: "t")
    }
    #expect(throws: MigrationError.gap(expected: 1, found: 2)) {
      try Migrator.migrate(connection, [two], appliedAt: "t")
    }
  }

  @Test func `a migration that fails leaves nothing`() throws {
    let connection = try database("m")
    let broken = Migration(number: 2, name: "broken", sql: "CREATE TABLE b (y TEXT); CREATE TABLE a (x);")
    #expect(throws: SQLiteError.self) { try Migrator.migrate(connection, [one, broken], appliedAt: "t") }
    #expect(try Migrator.migrate(connection, [one, two], appliedAt: "t") == 1)
  }

  @Test(arguments: [
    ("0001_jobs.sql", 1, "jobs"), ("0012_more_of_it.sql", 12, "more_of_it"),
  ])
  func `a migration is known by its file name`(file: String, number: Int, name: String) {
    #expect(Migration(fileName: file, sql: "") == Migration(number: number, name: name, sql: ""))
  }

  @Test(arguments: ["jobs.sql", "1_jobs.sql", "0000_x.sql", "0001-jobs.sql", "0001_jobs.txt", ""])
  func `other files are no migrations`(file: String) {
    #expect(Migration(fileName: file, sql: "") == nil)
  }

  @Test func `a transaction is all or nothing`() throws {
    let connection = try database("t")
    try connection.script("CREATE TABLE a (x INTEGER UNIQUE) STRICT")
    #expect(throws: SQLiteError.self) {
      try connection.transaction {
        try connection.execute("INSERT INTO a VALUES (1)")
        try connection.execute("INSERT INTO a VALUES (1)")
      }
    }
    #expect(try connection.first("SELECT count(*) AS n FROM a") { $0.integer("n") } == 0)
    try connection.transaction { try connection.execute("INSERT INTO a VALUES (1)") }
    #expect(try connection.first("SELECT count(*) AS n FROM a") { $0.integer("n") } == 1)
  }

  @Test func `an error names statement and cause, never the arguments`() throws {
    let connection = try database("e")
    try connection.script("CREATE TABLE a (x TEXT NOT NULL CONSTRAINT short CHECK (length(x) < 4)) STRICT")
    let error = #expect(throws: SQLiteError.self) {
      try connection.execute("INSERT INTO a VALUES (?)", ["a secret"])
    }
    #expect(error?.description == "cannot run INSERT INTO a VALUES (?): CHECK constraint failed: short (275)")
  }

  @Test func `a second writer waits, and says who may be in the way`() throws {
    let first = try database("b")
    try first.script("CREATE TABLE a (x INTEGER) STRICT")
    let second = try Connection(path: "\(fixture.folder)/b", access: .write, busyTimeoutMilliseconds: 1)
    try first.transaction {
      let error = #expect(throws: SQLiteError.self) {
        try second.transaction { try second.execute("DELETE FROM a") }
      }
      #expect(error?.isBusy == true)
      #expect(error?.hint?.contains("second daemon") == true)
    }
  }

  @Test func `a snapshot sees one state, whatever is written meanwhile`() throws {
    let writer = try database("s")
    try writer.script("CREATE TABLE a (x INTEGER) STRICT")
    let reader = try Connection(path: "\(fixture.folder)/s", access: .read)
    func count() throws -> Int? { try reader.first("SELECT count(*) AS n FROM a") { $0.integer("n") } }
    let seen = try reader.snapshot {
      let before = try count()
      try writer.execute("INSERT INTO a VALUES (1)")
      return [before, try count()]
    }
    #expect(seen == [0, 0])
    #expect(throws: Missing.self) { try reader.snapshot { throw Missing() } }
    #expect(try count() == 1)
  }

  @Test func `a reader cannot write, and a missing file is no database`() throws {
    let writer = try database("r")
    try writer.script("CREATE TABLE a (x INTEGER) STRICT")
    let reader = try Connection(path: "\(fixture.folder)/r", access: .read)
    #expect(throws: SQLiteError.self) { try reader.execute("INSERT INTO a VALUES (1)") }
    #expect(throws: SQLiteError.self) { try Connection(path: "\(fixture.folder)/none", access: .read) }
  }

  @Test func `values come back as they went in`() throws {
    let connection = try database("v")
    let values: [Value] = [
      .null, .integer(.max), .integer(.min), .real(0.1), "", "é\u{0}x", "a'b", .words([]),
      .words([0, 1, .max, 1 << 63]),
    ]
    for value in values {
      #expect(try connection.first("SELECT ? AS v", [value]) { $0.value("v") } == value)
    }
  }
}
