import Synchronization

/// How often an address may present a wrong token: some at once, then one every few seconds.
package final class LoginLimiter: Sendable {
  /// Wrong tokens that an address may present without a pause.
  package static let burst = 10.0
  /// One more is forgiven after so many seconds.
  package static let forgivingSeconds = 6.0
  /// Addresses that are remembered.
  private static let addressesMax = 10_000

  private struct Debt {
    var failures: Double
    var nanoseconds: UInt64
  }

  private let debts = Mutex<[String: Debt]>([:])

  package init() {}

  /// Seconds until this address may try again; nil: now.
  package func pauseSeconds(_ address: String, now: UInt64) -> Int? {
    debts.withLock { debts in
      guard let debt = debts[address] else { return nil }
      let failures = LoginLimiter.failures(debt, now: now)
      let excess = failures + 1 - LoginLimiter.burst
      return excess > 0 ? max(1, Int((excess * LoginLimiter.forgivingSeconds).rounded(.up))) : nil
    }
  }

  /// Notes a wrong token.
  package func fail(_ address: String, now: UInt64) {
    debts.withLock { debts in
      if debts.count >= LoginLimiter.addressesMax, debts[address] == nil {
        debts = debts.filter { LoginLimiter.failures($0.value, now: now) > 0 }
        // So many attackers at once: a stranger's debt is forgotten rather than memory be used up.
        if debts.count >= LoginLimiter.addressesMax, let any = debts.keys.first { debts[any] = nil }
      }
      let before = debts[address].map { LoginLimiter.failures($0, now: now) } ?? 0
      debts[address] = Debt(failures: min(before + 1, LoginLimiter.burst), nanoseconds: now)
    }
  }

  private static func failures(_ debt: Debt, now: UInt64) -> Double {
    let seconds = Double(now - min(now, debt.nanoseconds)) / 1e9
    return max(0, debt.failures - seconds / forgivingSeconds)
  }
}
