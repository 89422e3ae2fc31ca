import HTTP
import Platform

/// Stands before the routes: who may ask for what, and what browsers may do with the answers.
package struct AccessControl: Sendable {
  private let router: Router
  private let tokens: TokenFile?
  private let origins: OriginRule
  private let limiter = LoginLimiter()
  private let clock: @Sendable () -> UInt64

  /// Keeps a browser logged in; not readable by scripts.
  static let cookieName = "vicregd_token"

  /// - Parameters:
  ///   - tokens: nil: nobody is asked.
  ///   - clock: monotonic nanoseconds.
  package init(
    _ router: Router, tokens: TokenFile?, origins: OriginRule = OriginRule(),
    clock: @escaping @Sendable () -> UInt64 = { SystemClock.monotonicNanoseconds }
  ) {
    self.tokens = tokens
    self.origins = origins
    self.clock = clock
    self.router = router
  }

  /// Adds the routes by which a browser logs in and out.
  ///
  /// - Parameter tokens: nil: nobody is asked.
  package static func addRoutes(to router: inout Router, tokens: TokenFile?) {
    let session = Session(tokens: tokens)
    router.on(.get, "/session", access: .open, session.describe)
    router.on(.post, "/session", access: .read, session.begin)
    router.on(.delete, "/session", access: .open, session.end)
  }

  /// The answer of the routes, or why they are not asked.
  package func respond(to request: Request) -> Response {
    var request = request
    var response: Response
    do {
      if let preflight = origins.preflight(request) {
        response = preflight
      } else {
        if let problem = origins.problem(with: request) { throw problem }
        try authorize(&request)
        response = router.respond(to: request)
      }
    } catch let problem as Problem {
      response = problem.response
    } catch {
      response = Problem(status: 500, detail: "The access tokens cannot be read; the log says more.").response
    }
    response.principal = request.principal
    finish(&response, request)
    return response
  }

  /// The answer of the routes that is at hand in memory, to a request that needs no token.
  package func instantResponse(to request: Request) -> InstantResponse? {
    guard tokens == nil || router.access(of: request).role == nil,
      var instant = router.instantResponse(to: request)
    else { return nil }
    finish(&instant.response, request)
    return instant
  }

  private func finish(_ response: inout Response, _ request: Request) {
    origins.addFields(to: &response, for: request)
  }

  /// Finds out who asks, and whether that is enough for the route.
  private func authorize(_ request: inout Request) throws {
    // A browser that has a revoked token in its cookie must get the page that asks for another.
    guard let tokens else { return }
    guard let needed = router.access(of: request).role else {
      if request.segments == ["session"], let secret = try Credentials.secret(of: request),
        let grant = try grant(secret, tokens, request)
      {
        (request.principal, request.role) = (grant.name, grant.role.rawValue)
      }
      return
    }
    guard let secret = try Credentials.secret(of: request) else { throw Credentials.missing }
    guard let grant = try grant(secret, tokens, request) else { throw Credentials.wrong }
    request.principal = grant.name
    request.role = grant.role.rawValue
    if !grant.role.allows(needed) { throw Credentials.notEnough(grant.name) }
  }

  /// Whom a token belongs to. An address that has presented too many wrong ones has to wait, unless
  /// the token has been right before.
  private func grant(_ secret: String, _ tokens: TokenFile, _ request: Request) throws -> TokenFile.Grant? {
    let network = IPAddress.network(of: request.peer)
    if try !tokens.isKnown(secret), let seconds = limiter.pauseSeconds(network, now: clock()) {
      throw Credentials.tooMany(seconds)
    }
    let grant = try tokens.grant(secret)
    if grant == nil { limiter.fail(network, now: clock()) }
    return grant
  }
}

extension RouteAccess {
  /// The role that a route asks for; nil: none.
  fileprivate var role: Role? {
    switch self {
    case .open: nil
    case .read: .read
    case .write: .write
    }
  }
}
