import HTTP
import JobModel
import JobStore
import Platform
import Synchronization

/// Whether the store answers, kept in memory, so that a load balancer gets its answer from a loop's thread
/// even when every handler is busy or the store hangs.
///
/// A look at the store is taken on a thread of its own, one at a time, when somebody asks and the last one is
/// older than half a second; what is given without waiting is never older than one second.
final class Readiness: Sendable {
  private struct State: Sendable {
    /// Jobs in each state, as the last look that succeeded saw them.
    var counts: [JobState: Int] = [:]
    /// When that look began, in monotonic nanoseconds; nil: there has been none.
    var seenAt: UInt64?
    var isLooking = false
    /// Who waits for the look after the one that runs.
    var waiting: [Inbox<Bool>] = []
  }

  private let store: JobStore
  private let state = Mutex(State())

  /// What is given without waiting has been seen within this time.
  static let freshNanoseconds: UInt64 = 1_000_000_000
  private static let renewalNanoseconds: UInt64 = 500_000_000
  /// A store that takes longer is not ready.
  static let patienceMilliseconds = 2_000

  init(store: JobStore) { self.store = store }

  /// The answer, if the store was seen a moment ago; nil: ask `look`. Returns at once.
  func instant() -> InstantResponse? {
    let now = SystemClock.monotonicNanoseconds
    let (known, isOld) = state.withLock { state -> ((counts: [JobState: Int], until: UInt64)?, Bool) in
      guard let seenAt = state.seenAt, now - seenAt < Readiness.freshNanoseconds else { return (nil, false) }
      return (
        (state.counts, seenAt + Readiness.freshNanoseconds), now - seenAt > Readiness.renewalNanoseconds
      )
    }
    guard let known else { return nil }
    if isOld { begin(nil) }
    // Not kept for other requests: asking is what renews it.
    return InstantResponse(Readiness.response(known.counts)) { false }
  }

  /// Takes a look now and gives the answer.
  ///
  /// - Throws: 503 when the store does not answer in time.
  func look() throws(Problem) -> Response {
    let arrival = Inbox<Bool>()
    begin(arrival)
    guard arrival.receive(timeoutMilliseconds: Readiness.patienceMilliseconds).first == true else {
      throw .unavailable("The store has not answered within \(Readiness.patienceMilliseconds) ms.")
    }
    return Readiness.response(state.withLock { $0.counts })
  }

  private func begin(_ arrival: Inbox<Bool>?) {
    let mustStart = state.withLock { state in
      if let arrival { state.waiting.append(arrival) }
      defer { state.isLooking = true }
      return !state.isLooking
    }
    guard mustStart else { return }
    do {
      _ = try Thread(name: "readiness", stackBytes: 512 << 10) { [self] in while lookOnce() {} }
    } catch {
      finish([], didSucceed: false)
    }
  }

  /// Looks once; true when somebody came meanwhile and waits for another look.
  private func lookOnce() -> Bool {
    let now = SystemClock.monotonicNanoseconds
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      return state.waiting
    }
    let counts = try? store.counts()
    state.withLock { state in
      guard let counts else { return }
      (state.counts, state.seenAt) = (counts, now)
    }
    return finish(waiting, didSucceed: counts != nil)
  }

  @discardableResult
  private func finish(_ waiting: [Inbox<Bool>], didSucceed: Bool) -> Bool {
    for arrival in waiting { arrival.send(didSucceed) }
    return state.withLock { state in
      state.isLooking = !state.waiting.isEmpty
      return state.isLooking
    }
  }

  private static func response(_ counts: [JobState: Int]) -> Response {
    let jobs = JobState.allCases.map { ($0.rawValue, JSON.integer(counts[$0] ?? 0)) }
    return .json(["status": "ready", "jobs": .object(Dictionary(uniqueKeysWithValues: jobs))])
  }
}
