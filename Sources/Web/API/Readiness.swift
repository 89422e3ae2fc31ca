import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Synchronization

/// Whether the store answers and workers can be started, kept in memory, so that a load balancer gets its
/// answer from a loop's thread even when every handler is busy or the store hangs.
///
/// A look is taken on a thread of its own, one at a time, when somebody asks and the last one is older than
/// half a second; what is given without waiting is never older than one second.
final class Readiness: Sendable {
  /// What a look has found.
  private enum Finding: Sendable {
    /// Jobs in each state.
    case ready([JobState: Int])
    /// Why the daemon cannot do its work now.
    case short(String)
    /// The store cannot be read.
    case failed
  }

  private struct State: Sendable {
    /// What the last look found that did not fail, and when that look began, in monotonic nanoseconds; nil:
    /// there has been none.
    var last: (finding: Finding, seenAt: UInt64)?
    var isLooking = false
    /// Who waits for the look after the one that runs.
    var waiting: [Inbox<Finding>] = []
  }

  private let store: JobStore
  private let shortage: @Sendable () -> String?
  private let state = Mutex(State())

  /// What is given without waiting has been seen within this time.
  static let freshNanoseconds: UInt64 = 1_000_000_000
  private static let renewalNanoseconds: UInt64 = 500_000_000
  /// A store that takes longer is not ready.
  static let patienceMilliseconds = 2_000
  /// After how long a client may ask again while something is short.
  static let retrySeconds = 2

  /// - Parameter shortage: what keeps a worker from being started now; `nil`: nothing.
  init(store: JobStore, shortage: @escaping @Sendable () -> String?) {
    self.store = store
    self.shortage = shortage
  }

  /// The answer, if a look was taken a moment ago; nil: ask `look`. Returns at once.
  func instant() -> InstantResponse? {
    guard let last = state.withLock({ $0.last }) else { return nil }
    // Read after the state: a look that has ended meanwhile must not lie in the future.
    let now = SystemClock.monotonicNanoseconds
    guard now - last.seenAt < Readiness.freshNanoseconds else { return nil }
    if now - last.seenAt > Readiness.renewalNanoseconds { begin(nil) }
    // Not kept for other requests: asking is what renews it.
    return InstantResponse(Readiness.response(last.finding)) { false }
  }

  /// Takes a look now and gives the answer: 503 when the store does not answer in time or something is short.
  func look() -> Response {
    let arrival = Inbox<Finding>()
    begin(arrival)
    if let finding = arrival.receive(timeoutMilliseconds: Readiness.patienceMilliseconds).first {
      return Readiness.response(finding)
    }
    return Problem.unavailable("The store has not answered within \(Readiness.patienceMilliseconds) ms.")
      .response
  }

  private func begin(_ arrival: Inbox<Finding>?) {
    let mustStart = state.withLock { state in
      if let arrival { state.waiting.append(arrival) }
      defer { state.isLooking = true }
      return !state.isLooking
    }
    guard mustStart else { return }
    do {
      _ = try Thread(name: "readiness", stackBytes: 512 << 10) { [self] in while lookOnce() {} }
    } catch {
      // Where there is no thread for a look, there is none for a worker either.
      let finding = Finding.short("no thread can be started: \(error.cause)")
      let waiting = state.withLock { state in
        defer { (state.waiting, state.isLooking) = ([], false) }
        return state.waiting
      }
      for arrival in waiting { arrival.send(finding) }
    }
  }

  /// Looks once; true when somebody came meanwhile and waits for another look.
  private func lookOnce() -> Bool {
    let now = SystemClock.monotonicNanoseconds
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    let finding = find()
    state.withLock { state in
      if case .failed = finding { return }
      state.last = (finding, now)
    }
    for arrival in waiting { arrival.send(finding) }
    return state.withLock { state in
      state.isLooking = !state.waiting.isEmpty
      return state.isLooking
    }
  }

  private func find() -> Finding {
    if let shortage = shortage() { return .short(shortage) }
    // Why the store cannot be read is told by the requests that need it.
    guard let counts = try? store.counts() else { return .failed }
    return .ready(counts)
  }

  private static func response(_ finding: Finding) -> Response {
    switch finding {
    case .ready(let counts):
      let jobs = JobState.allCases.map { ($0.rawValue, JSON.integer(counts[$0] ?? 0)) }
      return .json(["status": "ready", "jobs": .object(Dictionary(uniqueKeysWithValues: jobs))])
    case .short(let what):
      let detail = "The machine is short of something that workers need: \(what)."
      return Problem.unavailable(detail, retryAfterSeconds: retrySeconds).response
    case .failed:
      return Problem.unavailable("The store cannot be read.").response
    }
  }
}
