import Platform
import SQLite
import Synchronization

/// The one writing connection, shared so that writes which come at the same time share a commit.
///
/// A write that finds nobody at work leads: it runs itself and all that have come meanwhile, each in a
/// savepoint, on its own thread, and commits for all of them; then the first that has come since leads. So a
/// single write is committed at once, many together pay for one sync of the disk, and each thread
/// sleeps once.
final class GroupWriter: Sendable {
  private struct Queue {
    var waiting: [Write] = []
    /// Whether somebody leads, or has been told to.
    var isLed = false
  }

  /// A commit takes in no more writes than this.
  private static let writesMax = 128

  private let connection: Connection
  private let queue = Mutex(Queue())
  private let committed: @Sendable () -> Void
  /// Commits so far; counts one before any of its writes returns.
  let commits = Atomic<Int>(0)

  /// - Parameter committed: called after each commit, outside of every lock.
  init(_ connection: Connection, committed: @escaping @Sendable () -> Void) {
    self.connection = connection
    self.committed = committed
  }

  /// Runs `body` alone among writers; returns when what it wrote is on the disk, or throws and nothing is.
  /// `body` may run on the thread of another write, which this one waits for.
  func write<T: Sendable>(_ body: (Connection) throws -> T) throws -> T {
    try withoutActuallyEscaping(body) { body in
      var value: T?
      let write = Write { value = try body($0) }
      let leads = queue.withLock { queue in
        queue.waiting.append(write)
        defer { queue.isLed = true }
        return !queue.isLed
      }
      if leads || write.waitForTurn() { lead() }
      if let error = write.error { throw error }
      guard let value else { preconditionFailure("A write was settled that had not run.") }
      return value
    }
  }

  /// Settles the writes that wait, the caller's among them, and passes the lead on.
  private func lead() {
    var rest = queue.withLock { queue in
      defer { queue.waiting.removeFirst(min(queue.waiting.count, Self.writesMax)) }
      return queue.waiting.prefix(Self.writesMax)
    }
    while !rest.isEmpty { rest = settle(rest) }
    let next = queue.withLock { queue in
      queue.isLed = !queue.waiting.isEmpty
      return queue.waiting.first
    }
    next?.takeTurn()
  }

  /// Runs and commits writes; returns those that are left when SQLite has given up the transaction.
  private func settle(_ writes: ArraySlice<Write>) -> ArraySlice<Write> {
    var outcomes: [(write: Write, error: (any Error)?)] = []
    var loss: (any Error)?
    do {
      try connection.execute("BEGIN IMMEDIATE")
    } catch {
      for write in writes { write.settle(error) }
      return []
    }
    for write in writes where loss == nil {
      do {
        try run(write)
        outcomes.append((write, nil))
      } catch {
        outcomes.append((write, error))
        // After some errors (a full disk) SQLite has rolled everything back by itself.
        if !connection.isInTransaction { loss = error }
      }
    }
    do {
      if connection.isInTransaction { try connection.execute("COMMIT") }
    } catch {
      loss = error
      // If this fails as well there is no transaction left to undo.
      if connection.isInTransaction { _ = try? connection.execute("ROLLBACK") }
    }
    commits.add(1, ordering: .releasing)
    for (write, error) in outcomes { write.settle(error ?? loss) }
    committed()
    return writes.dropFirst(outcomes.count)
  }

  private func run(_ write: Write) throws {
    do {
      try connection.execute("SAVEPOINT write")
      try write.run(connection)
      try connection.execute("RELEASE write")
    } catch {
      if connection.isInTransaction {
        try connection.execute("ROLLBACK TO write")
        try connection.execute("RELEASE write")
      }
      throw error
    }
  }
}

/// One write and what became of it. Unchecked because whoever leads touches it while its owner sleeps, and
/// `monitor` orders the two.
private final class Write: @unchecked Sendable {
  /// Gone when the write is settled, as it must not outlive its owner's call.
  private var body: ((Connection) throws -> Void)?
  /// Why nothing was written.
  private(set) var error: (any Error)?
  private let monitor = Monitor()
  private var isSettled = false
  private var isToLead = false

  init(_ body: @escaping (Connection) throws -> Void) { self.body = body }

  /// Runs it on whatever thread this is.
  func run(_ connection: Connection) throws { try body?(connection) }

  /// Sleeps until the write is settled (false) or has to lead (true).
  func waitForTurn() -> Bool {
    monitor.wait(until: { isSettled || isToLead }, then: { !isSettled })
  }

  /// Wakes the owner, which is to lead.
  func takeTurn() { monitor.signal { isToLead = true } }

  /// Wakes the owner, whose write is on the disk or has failed.
  func settle(_ error: (any Error)?) {
    monitor.signal {
      self.error = error
      body = nil
      isSettled = true
    }
  }
}
