import HTTP
import JobStore
import Platform
import Recipe
import Synchronization
import Text

/// The answer to `GET /jobs/{id}` with `Prefer: wait=N`: the job when it has ended, or, for a client that
/// knows it already (`If-None-Match`), when it has changed; at the latest after N seconds (RFC 7240).
final class JobWait: PendingAnswer {
  private let hub: EventHub
  private let store: JobStore
  private let id: JobID
  private let isDone: @Sendable (JobRecord) -> Bool
  private let answer: @Sendable (JobRecord) -> Response
  private let deadline: UInt64
  private let wake = Mutex<@Sendable () -> Void>({})
  private let subscription = Mutex<EventHub.Subscription?>(nil)

  /// Seconds that are waited at most.
  static let secondsMax = 60

  init(
    _ id: JobID, seconds: Int, hub: EventHub, store: JobStore,
    isDone: @escaping @Sendable (JobRecord) -> Bool, answer: @escaping @Sendable (JobRecord) -> Response
  ) {
    self.id = id
    self.hub = hub
    self.store = store
    self.isDone = isDone
    self.answer = answer
    deadline = SystemClock.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000
  }

  func attach(wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

  func next(mustAnswer: Bool) throws -> PendingStep {
    if subscription.withLock({ $0 == nil }) {
      let new = try hub.follow(.job(id), wake: wake.withLock { $0 })
      subscription.withLock { $0 = new }
    }
    guard let record = try store.job(id) else {
      return .answer(API.problem(for: JobStoreError.noSuchJob(id)).response)
    }
    let now = SystemClock.monotonicNanoseconds
    if isDone(record) || mustAnswer || now >= deadline { return .answer(answer(record)) }
    return .idle(milliseconds: Int((deadline - now) / 1_000_000) + 1)
  }

  func close() {
    if let subscription = subscription.withLock({ $0 }) { hub.unfollow(subscription) }
  }
}

extension Request {
  /// Seconds of `Prefer: wait=N` (RFC 7240, section 4.3), cut to what is possible; nil without it.
  var preferredWaitSeconds: Int? {
    for preference in (headers.list("Prefer") ?? "").split(0x2C) {
      let (name, value) = preference.divided(at: 0x3B).before.divided(at: 0x3D)
      // A quoted value means the same (RFC 7240, section 2).
      let seconds = value?.removing { $0 == 0x22 }.trimmed.integer
      if name.trimmed.equalsIgnoringCase("wait"), let seconds, seconds >= 0 {
        return min(seconds, JobWait.secondsMax)
      }
    }
    return nil
  }
}
