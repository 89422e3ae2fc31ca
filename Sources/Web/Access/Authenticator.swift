import HTTP
import Platform
import Text

/// Finds out who sends a request: by its token, or by the session of its cookie.
package final class Authenticator: Sendable {
  private let tokens: TokenFile
  private let sessions: Sessions
  private let limiter = LoginLimiter()
  private let clock: @Sendable () -> UInt64

  /// - Parameter clock: monotonic nanoseconds.
  package init(
    tokens: TokenFile, sessions: Sessions = Sessions(),
    clock: @escaping @Sendable () -> UInt64 = { SystemClock.monotonicNanoseconds }
  ) {
    self.tokens = tokens
    self.sessions = sessions
    self.clock = clock
  }

  /// Who sends a request, and until when that counts.
  struct Requester: Sendable {
    let grant: Grant
    /// Whether the token is still in the file and the session, if there is one, still goes on. Never waits.
    let mayContinue: @Sendable () -> Bool
  }

  /// Who sends a request; nil without a token and without a session that goes on. `Authorization` counts
  /// before any cookie. A wrong cookie is not a guess: a session that has ended leaves one.
  ///
  /// - Throws: `Problem` for a wrong token; `AccessError` or `SystemError` if the token file cannot be read.
  func requester(of request: Request) throws -> Requester? {
    if let secret = try Credentials.secret(of: request) {
      let grant = try grant(secret, request)
      return Requester(grant: grant) { grant.isValid }
    }
    let ids = SessionCookie.ids(in: request)
    if ids.isEmpty { return nil }
    // A token that was revoked a moment ago ends its sessions first.
    try tokens.look()
    let now = clock()
    for id in ids {
      guard let session = sessions.session(id, now: now) else { continue }
      session.use(now: now)
      return Requester(grant: session.grant) { [clock] in session.isAlive(now: clock()) }
    }
    return nil
  }

  /// Begins a session for the token of `Authorization` and returns its id. Sessions that the browser had end.
  ///
  /// - Throws: as `requester`; `Problem` without a token.
  func signIn(_ request: Request) throws -> (grant: Grant, session: String) {
    guard let secret = try Credentials.secret(of: request) else { throw Credentials.missing }
    let grant = try grant(secret, request)
    signOut(request)
    return (grant, sessions.begin(grant, now: clock()))
  }

  /// Ends the sessions that the browser has.
  func signOut(_ request: Request) {
    for id in SessionCookie.ids(in: request) { sessions.end(id) }
  }

  /// What a token grants. A right one is never refused, whatever else came from its address.
  private func grant(_ secret: ByteString, _ request: Request) throws -> Grant {
    if let grant = try tokens.grant(secret) { return grant }
    if let seconds = limiter.fail(IPAddress.network(of: request.peer), now: clock()) {
      throw Credentials.tooMany(seconds)
    }
    throw Credentials.wrong
  }
}
