import Platform
import SQLite
import Synchronization

/// The one writing connection, shared so that writes which come at the same time share a commit.
///
/// Each write runs alone, on its own thread, in a savepoint. Whoever finds nobody waiting behind it commits
/// for all that ran since the last commit; the others wait for that. So a single write is committed at once,
/// and many together pay for one sync of the disk.
final class GroupWriter: Sendable {
  private struct State {
    let connection: Connection
    /// The number of the commit that the next write belongs to.
    var generation = 0
    /// Writes that this commit has so far.
    var members = 0
    /// The error after which SQLite gave up the transaction of all its members.
    var loss: (any Error)?
  }

  /// How commits went.
  private struct Outcomes {
    /// Every commit below this number is settled.
    var settled = 0
    /// Why a commit failed, until all its members know.
    var failures: [Int: (error: any Error, members: Int)] = [:]
  }

  /// A commit takes in no more writes than this.
  private static let membersMax = 128

  private let state: Mutex<State>
  private let outcomes = Mutex(Outcomes())
  private let settling = Monitor()
  /// Threads that wait to run their write.
  private let arriving = Atomic<Int>(0)
  private let committed: @Sendable () -> Void
  /// Commits so far; counts one before any of its members returns.
  let commits = Atomic<Int>(0)

  /// - Parameter committed: called after each commit, outside of every lock.
  init(_ connection: Connection, committed: @escaping @Sendable () -> Void) {
    state = Mutex(State(connection: connection))
    self.committed = committed
  }

  /// Runs `body` alone among writers; returns when what it wrote is on the disk, or throws and nothing is.
  func write<T: Sendable>(_ body: (Connection) throws -> T) throws -> T {
    arriving.add(1, ordering: .sequentiallyConsistent)
    let (result, generation, committedHere) = state.withLock { state in
      arriving.subtract(1, ordering: .sequentiallyConsistent)
      let generation = state.generation
      let result = Result { try GroupWriter.run(body, in: &state) }
      let isLast = arriving.load(ordering: .sequentiallyConsistent) == 0
      let isFull = state.members == 0 || state.members >= GroupWriter.membersMax
      guard isLast || isFull || state.loss != nil else { return (result, generation, false) }
      settle(&state)
      return (result, generation, true)
    }
    if committedHere {
      settling.signal()
      committed()
    }
    let value = try result.get()
    settling.wait { outcomes.withLock { $0.settled > generation } }
    if let failure = failure(of: generation) { throw failure }
    return value
  }

  /// Runs a write in a savepoint of the open transaction, which the first of a commit begins.
  private static func run<T>(_ body: (Connection) throws -> T, in state: inout State) throws -> T {
    if state.members == 0 { try state.connection.execute("BEGIN IMMEDIATE") }
    state.members += 1
    do {
      try state.connection.execute("SAVEPOINT write")
      let value = try body(state.connection)
      try state.connection.execute("RELEASE write")
      return value
    } catch {
      state.members -= 1
      // After some errors (a full disk) SQLite has rolled everything back by itself.
      if state.connection.isInTransaction {
        try state.connection.execute("ROLLBACK TO write")
        try state.connection.execute("RELEASE write")
      } else {
        state.loss = error
      }
      throw error
    }
  }

  /// Ends the open transaction and lets its members know how.
  private func settle(_ state: inout State) {
    let (generation, members) = (state.generation, state.members)
    var failure = state.loss
    do {
      if state.connection.isInTransaction { try state.connection.execute("COMMIT") }
    } catch {
      failure = error
      // If this fails as well there is no transaction left to undo.
      if state.connection.isInTransaction { _ = try? state.connection.execute("ROLLBACK") }
    }
    commits.add(1, ordering: .releasing)
    state.generation += 1
    state.members = 0
    state.loss = nil
    outcomes.withLock {
      $0.settled = generation + 1
      if let failure, members > 0 { $0.failures[generation] = (failure, members) }
    }
  }

  private func failure(of generation: Int) -> (any Error)? {
    outcomes.withLock { outcomes in
      guard let (error, members) = outcomes.failures[generation] else { return nil }
      outcomes.failures[generation] = members > 1 ? (error, members - 1) : nil
      return error
    }
  }
}
