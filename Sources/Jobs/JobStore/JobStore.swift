import Platform
import Recipe
import SQLite
import Synchronization

/// The queue and everything that jobs have told, in one SQLite file.
///
/// Every SQL statement of the product stands in this target. There is one writing connection, whose writes
/// share commits, and a pool of reading ones; a method returns, or calls back, when what it wrote is on the
/// disk.
package final class JobStore: Sendable {
  private let writer: GroupWriter
  let observers = CommitObservers()
  private let readers: Mutex<[Connection]> = Mutex([])
  private let path: String
  /// By which the rates of this machine are kept: `JobHost.rateKey` of its workers.
  let machine: String
  /// Jobs that run at the same time, at most.
  let workersMax: Int
  let forecastCache = Mutex<QueueForecast?>(nil)
  let ratesCache = Mutex<(commits: Int, rates: MeasuredRates)?>(nil)
  /// Unix time in milliseconds.
  package let clock: @Sendable () -> Int
  private let random: @Sendable () -> UInt32
  private let lastID: Mutex<(milliseconds: UInt64, random: UInt32)> = Mutex((0, 0))

  /// An id has 30 bits of chance.
  private static let randomMax: UInt32 = 1 << 30 - 1
  /// Reading connections that stay open between uses.
  private static let idleReadersMax = 8

  /// Opens or creates the database and brings it to the schema of the migrations. One with another schema is
  /// copied to `<path>.schema-<number>` before. The files become their owner's alone.
  ///
  /// - Parameters:
  ///   - machine: by which the rates of this machine's workers are kept, `JobHost.rateKey`.
  ///   - workersMax: jobs that run at the same time, at most.
  ///   - clock: Unix time in milliseconds.
  ///   - random: 32 unpredictable bits, for ids.
  /// - Throws: `SQLiteError`, `MigrationError`, `SystemError`.
  package init(
    path: String, migrations: [Migration], machine: String = "", workersMax: Int = 1,
    clock: @escaping @Sendable () -> Int = { SystemClock.unixMilliseconds },
    random: @escaping @Sendable () -> UInt32 = { UInt32.random(in: .min ... .max) }
  ) throws {
    // SQLite gives what it creates beside a database the permissions of that.
    for file in [path, "\(path)-wal", "\(path)-shm"] where file == path || FileSystem.exists(file) {
      try File(file, .readWrite).restrictToOwner()
    }
    let connection = try Connection(path: path, access: .write)
    try Migrator.migrate(
      connection, migrations, appliedAt: SystemClock.rfc3339(unixMilliseconds: clock())
    ) { try JobStore.backUp(connection, to: "\(path).schema-\($0)") }
    self.path = path
    self.machine = machine
    self.workersMax = workersMax
    self.clock = clock
    self.random = random
    writer = try GroupWriter(connection) { [observers] in observers.call() }
  }

  /// The migrations in a folder, by number; other files are left alone.
  package static func migrations(in directory: String) throws -> [Migration] {
    try FileSystem.list(directory).compactMap { name in
      guard Migration(fileName: name, sql: "") != nil else { return nil }
      let bytes = try File.content(of: "\(directory)/\(name)", .migration)
      return Migration(fileName: name, sql: String(decoding: bytes, as: UTF8.self))
    }.sorted { $0.number < $1.number }
  }

  /// An id that no job has had: from the time and chance, and above the last one this store gave.
  package func newID() -> JobID {
    let now = UInt64(max(0, clock()))
    let chance = random() & Self.randomMax
    let (milliseconds, random) = lastID.withLock { last in
      if now > last.milliseconds {
        last = (now, chance)
      } else if last.random < Self.randomMax {
        last.random += 1
      } else {
        last = (last.milliseconds + 1, chance)
      }
      return last
    }
    return JobID(unixMilliseconds: milliseconds, random: random)
  }

  /// How many commits there have been; grows before a method that wrote returns. What was read after a look
  /// at this number is still so as long as the number is the same.
  package var commitCount: Int { writer.commits }

  /// Runs `body` alone among writers: all of it or nothing, and on the disk when this returns.
  func write<T: Sendable>(_ body: (Connection) throws -> T) throws -> T { try writer.write(body) }

  /// As above without waiting: `settled` is called on the writing thread when it is on the disk or failed.
  func write<T: Sendable>(
    _ body: @escaping (Connection) throws -> T, settled: @escaping (Result<T, any Error>) -> Void
  ) {
    writer.write(body, settled: settled)
  }

  /// Runs `body` beside the writer; each statement sees a state of its own.
  func read<T: Sendable>(_ body: (Connection) throws -> T) throws -> T {
    let connection = try readers.withLock { $0.popLast() } ?? Connection(path: path, access: .read)
    defer { readers.withLock { if $0.count < Self.idleReadersMax { $0.append(connection) } } }
    return try body(connection)
  }
}

/// Who wants to know of commits.
final class CommitObservers: Sendable {
  private let bodies = Mutex<[@Sendable () -> Void]>([])

  /// Adds one for good.
  func add(_ body: @escaping @Sendable () -> Void) { bodies.withLock { $0.append(body) } }

  /// Calls each.
  func call() { for body in bodies.withLock({ $0 }) { body() } }
}
