import Crypto
import Platform
import Synchronization
import Text

/// One browser that has signed in with a token: it has what the token grants until it signs out, the token is
/// revoked, or nothing was asked for a while.
final class BrowserSession: Sendable {
  let grant: Grant
  private let idleNanoseconds: UInt64
  private let usedAt: Atomic<UInt64>
  private let hasEnded = Atomic<Bool>(false)

  init(_ grant: Grant, idleNanoseconds: UInt64, now: UInt64) {
    self.grant = grant
    self.idleNanoseconds = idleNanoseconds
    usedAt = Atomic(now)
  }

  /// Whether it goes on. Never waits.
  func isAlive(now: UInt64) -> Bool {
    grant.isValid && !hasEnded.load(ordering: .acquiring) && now - min(now, lastUse) < idleNanoseconds
  }

  /// When a request came last, in monotonic nanoseconds.
  var lastUse: UInt64 { usedAt.load(ordering: .relaxed) }

  /// Notes a request.
  func use(now: UInt64) { usedAt.store(now, ordering: .relaxed) }

  /// Ends it, and what was begun in it.
  func end() { hasEnded.store(true, ordering: .releasing) }
}

/// The sessions of all browsers, in memory: a daemon that starts again asks each browser to sign in again.
package final class Sessions: Sendable {
  /// How long they last, and how many there may be.
  package struct Limits: Sendable {
    /// Seconds without a request after which a session ends.
    package var idleSeconds = 12 * 3_600
    /// Sessions of one token; a further one ends the one that has been idle longest.
    package var perTokenMax = 64

    package init() {}
  }

  private let limits: Limits
  /// By the SHA-256 of their ids.
  private let table = Mutex<[[UInt8]: BrowserSession]>([:])

  package init(_ limits: Limits = Limits()) { self.limits = limits }

  /// Begins a session and returns its id of 256 random bits, which is kept nowhere.
  func begin(_ grant: Grant, now: UInt64) -> String {
    let id = SecureRandom.id(byteCount: Sessions.idBytes)
    let session = BrowserSession(
      grant, idleNanoseconds: UInt64(limits.idleSeconds) * 1_000_000_000, now: now)
    table.withLock { table in
      table = table.filter { $0.value.isAlive(now: now) }
      let own = table.filter { $0.value.grant === grant }
      if own.count >= limits.perTokenMax, let oldest = own.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        oldest.value.end()
        table[oldest.key] = nil
      }
      table[Sessions.key(ByteString(id))] = session
    }
    return id
  }

  /// The session that has this id and goes on.
  func session(_ id: ByteString, now: UInt64) -> BrowserSession? {
    guard isLowercaseHexadecimal(id, bytes: Sessions.idBytes) else { return nil }
    let key = Sessions.key(id)
    return table.withLock { table in
      guard let session = table[key] else { return nil }
      if session.isAlive(now: now) { return session }
      table[key] = nil
      return nil
    }
  }

  /// Ends the session that has this id, if there is one.
  func end(_ id: ByteString) {
    guard isLowercaseHexadecimal(id, bytes: Sessions.idBytes) else { return }
    table.withLock { $0.removeValue(forKey: Sessions.key(id)) }?.end()
  }

  private static let idBytes = 32

  private static func key(_ id: ByteString) -> [UInt8] { SHA256.digest(of: Array(id.bytes)) }
}
