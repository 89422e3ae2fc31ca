import JobModel
import JobStore
import Platform
import Recipe
import SQLite
import Synchronization

/// A store in a folder of its own, with a clock that the test moves.
final class StoreFixture: Sendable {
  let store: JobStore
  let folder: String
  let now: ManualClock
  private let machine: String

  /// The folder of the product's migrations.
  static let migrations: String = {
    let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(here)/migrations"
  }()

  var path: String { "\(folder)/vicregd.sqlite" }

  /// - Parameter machine: as of `JobStore`.
  init(machine: String = "") throws {
    let folder = "\(FileSystem.temporaryDirectory)/vicregd-store-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(folder)
    let now = ManualClock()
    self.folder = folder
    self.now = now
    self.machine = machine
    store = try JobStore(
      path: "\(folder)/vicregd.sqlite", migrations: JobStore.migrations(in: Self.migrations),
      machine: machine, clock: { now.read() })
  }

  deinit {
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(folder)
  }

  /// Another store over the same file, as after a restart.
  func reopened() throws -> JobStore {
    try JobStore(
      path: path, migrations: JobStore.migrations(in: Self.migrations), machine: machine,
      clock: { [now] in now.read() })
  }

  @discardableResult
  func train(
    priority: Int = 50, policy: JobPolicy = JobPolicy(), needs: [JobID] = []
  ) throws -> JobRecord {
    try queue(.train(.preset(.small)), priority: priority, policy: policy, needs: needs)
  }

  @discardableResult
  func evaluate(_ job: JobID) throws -> JobRecord {
    try queue(
      .evaluate(EvaluateSpecification.parse(["checkpoint": ["job": .string(job.text)]])), priority: 50)
  }

  private func queue(
    _ specification: JobSpecification, priority: Int, policy: JobPolicy = JobPolicy(), needs: [JobID] = []
  ) throws -> JobRecord {
    now.advance(by: 1)
    let new = NewJob(
      id: store.newID(), labelling: JobLabelling(priority: priority), specification: specification,
      policy: policy, needs: needs)
    return try require(store.enqueue([new]).first)
  }

  /// Claims the next job, which must be there.
  func claim() throws -> JobRecord { try require(store.claimNext(bootID: "boot")) }

  func job(_ id: JobID) throws -> JobRecord { try require(store.job(id)) }
}

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
  private let milliseconds = Mutex(1_790_000_000_000)

  func read() -> Int { milliseconds.withLock { $0 } }

  func advance(by milliseconds: Int) { self.milliseconds.withLock { $0 += milliseconds } }
}

/// The error that a test expects to be absent.
struct Missing: Error {}

/// `#require` for fixtures, which have no test to report to.
func require<T>(_ value: T?) throws -> T {
  guard let value else { throw Missing() }
  return value
}
