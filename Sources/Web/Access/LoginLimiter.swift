import Synchronization

/// How often a client may present a wrong token before the answer says to wait: some at once, then one every
/// few seconds. Right tokens are never counted and never refused.
package final class LoginLimiter: Sendable {
  /// Wrong tokens that a client may present without a pause.
  package static let burst = 10.0
  /// Seconds after which one more is forgiven.
  package static let forgivingSeconds = 6.0
  /// Clients that are remembered; one more takes the place of any other.
  private static let clientsMax = 10_000

  private struct Debt {
    var failures: Double
    var nanoseconds: UInt64
  }

  private let debts = Mutex<[String: Debt]>([:])

  package init() {}

  /// Notes a wrong token of a client.
  ///
  /// - Parameters:
  ///   - client: its address, or its network.
  ///   - now: monotonic nanoseconds.
  /// - Returns: seconds that the client should wait, if there were too many; nil: not too many.
  package func fail(_ client: String, now: UInt64) -> Int? {
    debts.withLock { debts in
      let before = debts[client].map { LoginLimiter.failures($0, now: now) } ?? 0
      let excess = before + 1 - LoginLimiter.burst
      if excess > 0 { return max(1, Int((excess * LoginLimiter.forgivingSeconds).rounded(.up))) }
      if debts.count >= LoginLimiter.clientsMax, debts[client] == nil, let any = debts.keys.first {
        debts[any] = nil
      }
      debts[client] = Debt(failures: before + 1, nanoseconds: now)
      return nil
    }
  }

  private static func failures(_ debt: Debt, now: UInt64) -> Double {
    let seconds = Double(now - min(now, debt.nanoseconds)) / 1e9
    return max(0, debt.failures - seconds / forgivingSeconds)
  }
}
