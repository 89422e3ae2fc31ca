import Platform
import SQLite
import Synchronization
import Testing

@testable import JobStore

/// The writer over a table whose deferred foreign key SQLite checks at the commit: a row without its parent
/// lets every write in the group run well, and the `COMMIT` fail.
@Suite struct `A commit that fails` {
  private let path = "\(FileSystem.temporaryDirectory)/vicregd-commit-\(UInt64.random(in: .min ... .max))"
  private let writer: GroupWriter
  private let commits = Inbox<Void>()

  init() throws {
    let connection = try Connection(path: path, access: .write)
    try connection.script(
      """
      CREATE TABLE a (x INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE b (x INTEGER REFERENCES a (x) DEFERRABLE INITIALLY DEFERRED) STRICT;
      """)
    writer = try GroupWriter(connection) { [commits] in commits.send(()) }
  }

  private func rows(_ table: String) throws -> [Int] {
    try Connection(path: path, access: .write).rows("SELECT x FROM \(table) ORDER BY x") { $0.integer("x") }
  }

  /// Hands writes over together: the thread gets them all at once, because it is held up by one before them.
  private func together(_ statements: [String]) throws -> [Result<Int, any Error>] {
    let (begun, go) = (Inbox<Void>(), Inbox<Void>())
    let outcomes = Inbox<(Int, Result<Int, any Error>)>()
    writer.write { _ in
      begun.send(())
      _ = go.receive(timeoutMilliseconds: nil)
    } settled: { _ in
    }
    _ = begun.receive(timeoutMilliseconds: nil)
    for (index, sql) in statements.enumerated() {
      writer.write {
        try $0.execute(sql)
      } settled: {
        outcomes.send((index, $0))
      }
    }
    go.send(())
    var found: [(Int, Result<Int, any Error>)] = []
    while found.count < statements.count { found += outcomes.receive(timeoutMilliseconds: nil) }
    return found.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private func isForeignKeyError(_ result: Result<Int, any Error>) -> Bool {
    guard case .failure(let error as SQLiteError) = result else { return false }
    return error.cause.contains("FOREIGN KEY constraint failed")
  }

  @Test func `reaches everybody whose write was in it, leaves nothing of it, and later writes work`() throws {
    let lost = try together([
      "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (99)", "INSERT INTO a VALUES (2)",
    ])
    #expect(lost.allSatisfy(isForeignKeyError))
    #expect(try rows("a") == [] && rows("b") == [])
    #expect(try writer.write { try $0.execute("INSERT INTO a VALUES (3)") } == 1)
    let kept = try together(["INSERT INTO a VALUES (4)", "INSERT INTO b VALUES (4)"])
    #expect(kept.allSatisfy { (try? $0.get()) == 1 })
    #expect(try rows("a") == [3, 4] && rows("b") == [4])
  }

  @Test func `a write that has failed by itself keeps its own error`() throws {
    let lost = try together(["INSERT INTO a VALUES (1), (1)", "INSERT INTO b VALUES (99)"])
    guard case .failure(let error as SQLiteError) = lost[0] else { Issue.record("it was written"); return }
    #expect(error.cause.contains("UNIQUE"))
    #expect(isForeignKeyError(lost[1]))
  }

  @Test func `is counted before anybody hears of it, so that what was read before it counts as old`() throws {
    let before = writer.commits
    let seen = Mutex(0)
    let (done, writer) = (Inbox<Void>(), writer)
    writer.write {
      try $0.execute("INSERT INTO b VALUES (99)")
    } settled: { _ in
      seen.withLock { $0 = writer.commits }
      done.send(())
    }
    _ = done.receive(timeoutMilliseconds: nil)
    #expect(seen.withLock { $0 } == before + 1)
  }
}
