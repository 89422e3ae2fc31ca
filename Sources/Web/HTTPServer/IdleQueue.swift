/// Finds the connections of a loop that have been idle longest, a few at a time, so that a loop with
/// thousands of connections does not look at all of them for each new one.
struct IdleQueue {
  /// The longest idle one last.
  private var tokens: [UInt64] = []
  /// Until then nothing is looked for, as nothing was found; in nanoseconds of the monotonic clock.
  private var nextLookAt: UInt64 = 0

  /// Connections that one look finds.
  private static let foundMax = 64
  private static let pauseNanoseconds: UInt64 = 10_000_000

  /// The connection that has been idle longest, roughly; nil: none is idle.
  mutating func next(of connections: [UInt64: Connection], now: UInt64) -> UInt64? {
    if let token = takeIdle(of: connections) { return token }
    guard now >= nextLookAt else { return nil }
    // Each is closed at its deadline, which lies the same time after it became idle.
    let idle = connections.values.filter(\.isIdle).sorted {
      ($0.machine.deadline ?? .max, $0.token) < ($1.machine.deadline ?? .max, $1.token)
    }
    tokens = idle.prefix(IdleQueue.foundMax).reversed().map(\.token)
    if tokens.isEmpty { nextLookAt = now + IdleQueue.pauseNanoseconds }
    return takeIdle(of: connections)
  }

  /// The next one of those found that is still there and still idle.
  private mutating func takeIdle(of connections: [UInt64: Connection]) -> UInt64? {
    while let token = tokens.popLast() {
      if connections[token]?.isIdle == true { return token }
    }
    return nil
  }
}
