import Platform
import SQLite
import Synchronization

/// The one writing connection, on a thread of its own, where writes that wait together share a commit.
///
/// A single write is committed at once; those that come meanwhile are run together, each in a savepoint, and
/// pay for one sync of the disk. Whoever has something else to do need not wait for its write.
final class GroupWriter: Sendable {
  private let thread: Thread
  /// What comes next; nil: nothing more.
  private let inbox = Inbox<Write?>()
  private let counter = CommitCounter()

  /// Commits so far; counts one before any of its writes is settled.
  var commits: Int { counter.commits.load(ordering: .acquiring) }

  /// Starts the thread.
  ///
  /// - Parameter committed: called after each commit on that thread.
  init(_ connection: Connection, committed: @escaping @Sendable () -> Void) throws(SystemError) {
    let (inbox, counter) = (inbox, counter)
    thread = try Thread(name: "store-writer") {
      let work = WritingThread(connection: connection, counter: counter, committed: committed)
      while work.run(inbox.receive(timeoutMilliseconds: nil)) {}
    }
  }

  /// Returns when the connection is closed, unless it is the thread itself that had the last hold of this.
  deinit {
    inbox.send(nil)
    if !thread.isCurrent { thread.join() }
  }

  /// Runs `body` alone among writers; then `settled` with what it returned, when what it wrote is on the
  /// disk, or with why nothing was written. Both run on the writing thread, where they must not wait for
  /// another write.
  func write<T: Sendable>(
    _ body: @escaping (Connection) throws -> T, settled: @escaping (Result<T, any Error>) -> Void
  ) {
    var value: T?
    let write = Write {
      value = try body($0)
    } settled: { error in
      if let error { return settled(.failure(error)) }
      guard let value else { preconditionFailure("A write was settled that had not run.") }
      settled(.success(value))
    }
    inbox.send(write)
  }

  /// As above, and waits for it. Not to be called on the writing thread.
  func write<T: Sendable>(_ body: (Connection) throws -> T) throws -> T {
    try withoutActuallyEscaping(body) { body in
      let outcome = Outcome<T>()
      write(body, settled: outcome.set)
      return try outcome.wait()
    }
  }
}

/// How many commits there have been.
private final class CommitCounter: Sendable {
  let commits = Atomic<Int>(0)
}

/// One write. Unchecked because its closures are touched by the writing thread alone once it was sent.
private final class Write: @unchecked Sendable {
  /// Gone when the write is settled, as it must not outlive the call of somebody who waits for it.
  private var body: ((Connection) throws -> Void)?
  private let settled: ((any Error)?) -> Void

  init(_ body: @escaping (Connection) throws -> Void, settled: @escaping ((any Error)?) -> Void) {
    self.body = body
    self.settled = settled
  }

  func run(_ connection: Connection) throws { try body?(connection) }

  /// Tells that it is on the disk, or why it is not.
  func settle(_ error: (any Error)?) {
    body = nil
    settled(error)
  }
}

/// What a thread that waits for its write gets. Unchecked because `monitor` guards it.
private final class Outcome<T: Sendable>: @unchecked Sendable {
  private let monitor = Monitor()
  private var result: Result<T, any Error>?

  func set(_ result: Result<T, any Error>) { monitor.signal { self.result = result } }

  func wait() throws -> T {
    let result = monitor.wait(until: { self.result != nil }, then: { self.result })
    guard let result else { preconditionFailure("A monitor let somebody go too early.") }
    return try result.get()
  }
}

/// What the writing thread does.
private struct WritingThread {
  let connection: Connection
  let counter: CommitCounter
  let committed: @Sendable () -> Void

  /// A commit takes in no more writes than this.
  private static let writesMax = 128

  /// Settles the writes that have come; false when they were the last.
  func run(_ messages: [Write?]) -> Bool {
    var rest = messages.compactMap(\.self)[...]
    while !rest.isEmpty { rest = rest.dropFirst(settle(rest.prefix(Self.writesMax))) }
    return !messages.contains { $0 == nil }
  }

  /// Runs and commits writes; returns how many, which are fewer when SQLite has given up the transaction.
  private func settle(_ writes: ArraySlice<Write>) -> Int {
    var outcomes: [(write: Write, error: (any Error)?)] = []
    var loss: (any Error)?
    do {
      try connection.execute("BEGIN IMMEDIATE")
    } catch {
      for write in writes { write.settle(error) }
      return writes.count
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
    counter.commits.add(1, ordering: .releasing)
    for (write, error) in outcomes { write.settle(error ?? loss) }
    committed()
    return outcomes.count
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
