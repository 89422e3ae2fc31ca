import Synchronization

/// What one token allows, for as long as its line stays in the token file. Requests, sessions and streams
/// hold it, and see at once when the token is revoked.
package final class Grant: Sendable {
  /// The token's name.
  package let name: String
  package let role: Role
  private let hasEnded = Atomic<Bool>(false)
  /// When it was used last, in Unix milliseconds; 0: not since the daemon started.
  private let usedAt = Atomic<Int>(0)

  init(name: String, role: Role) {
    self.name = name
    self.role = role
  }

  /// Whether the token is still in the file, as of the last look at it. Never waits.
  package var isValid: Bool { !hasEnded.load(ordering: .acquiring) }

  /// When the token was used last, in Unix milliseconds; `nil`: not since the daemon started.
  package var usedAtMilliseconds: Int? {
    let time = usedAt.load(ordering: .relaxed)
    return time > 0 ? time : nil
  }

  /// Takes note of a request.
  func use(atMilliseconds now: Int) { usedAt.store(now, ordering: .relaxed) }

  /// Ends everything that was granted by the token.
  func end() { hasEnded.store(true, ordering: .releasing) }
}
