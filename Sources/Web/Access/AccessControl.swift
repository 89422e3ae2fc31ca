import HTTP
import Platform

/// Stands before the routes: which hosts are answered, what browsers may do, and who may ask for what.
package struct AccessControl: Sendable {
  private let router: Router
  private let authenticator: Authenticator?
  private let hosts: HostRule
  private let origins: OriginRule

  /// - Parameter authenticator: nil: no authentication.
  package init(_ router: Router, authenticator: Authenticator?, hosts: HostRule, origins: OriginRule) {
    self.router = router
    self.authenticator = authenticator
    self.hosts = hosts
    self.origins = origins
  }

  /// Adds the routes by which a browser signs in and out.
  ///
  /// - Parameters:
  ///   - authenticator: nil: no authentication.
  ///   - tokenCommand: creates a token for this daemon; shown to browsers on its own machine.
  package static func addRoutes(
    to router: inout Router, authenticator: Authenticator?, tokenCommand: String
  ) {
    let session = SessionRoutes(authenticator: authenticator, tokenCommand: tokenCommand)
    router.on(.get, "/session", access: .open, session.describe)
    router.on(.post, "/session", access: .read, session.begin)
    router.on(.delete, "/session", access: .open, session.end)
  }

  /// Why a request is refused by what its head says, before a byte of its body is read; nil: `respond`
  /// answers it.
  package func admission(of request: Request) -> Problem? {
    var request = request
    do {
      _ = try admit(&request)
      if let problem = router.admission(of: request) { throw problem }
      return nil
    } catch {
      var problem = AccessControl.problem(error)
      origins.addFields(to: &problem.headers, for: request)
      return problem
    }
  }

  /// What takes the content of an admitted request as it comes, by the routes.
  ///
  /// - Throws: `Problem`.
  package func sink(for request: Request) throws -> (any BodySink)? {
    do {
      return try router.sink(for: request)
    } catch {
      var problem = error
      origins.addFields(to: &problem.headers, for: request)
      throw problem
    }
  }

  /// The answer of the routes, or why they are not asked. What lasts of it ends when the token is revoked or
  /// the session ends.
  package func respond(to request: Request) -> Response {
    var request = request
    var response: Response
    do {
      let requester = try admit(&request)
      response = origins.preflight(request) ?? router.respond(to: request)
      if let requester { response.mayContinue = requester.mayContinue }
    } catch {
      response = AccessControl.problem(error).response
    }
    if !request.principal.isEmpty { response.principal = request.principal }
    origins.addFields(to: &response.headers, for: request)
    return response
  }

  /// The answer of the routes that is at hand in memory, to a request that needs no token.
  package func instantResponse(to request: Request) -> InstantResponse? {
    // First what most requests fail at: few answers are at hand.
    guard var instant = router.instantResponse(to: request),
      authenticator == nil || router.access(of: request).role == nil,
      hosts.problem(with: request) == nil, origins.problem(with: request) == nil
    else { return nil }
    origins.addFields(to: &instant.response.headers, for: request)
    return instant
  }

  /// Who sends a request that may be answered; nil where nobody has to say. The request gets the name of
  /// its token, also if it is refused.
  ///
  /// - Throws: `Problem` where it is refused; `AccessError` or `SystemError` if the tokens cannot be read.
  private func admit(_ request: inout Request) throws -> Authenticator.Requester? {
    if let problem = hosts.problem(with: request) { throw problem }
    if let problem = origins.problem(with: request) { throw problem }
    guard let authenticator, let needed = router.access(of: request).role else { return nil }
    guard let requester = try authenticator.requester(of: request) else { throw Credentials.missing }
    request.principal = requester.grant.name
    requester.grant.use(atMilliseconds: SystemClock.unixMilliseconds)
    guard requester.grant.role.allows(needed) else { throw Credentials.notEnough(requester.grant.name) }
    return requester
  }

  private static func problem(_ error: any Error) -> Problem {
    error as? Problem
      ?? Problem(status: 500, detail: "The access tokens cannot be read; see the daemon's log.")
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
