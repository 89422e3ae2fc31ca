import HTTP
import Text

/// `/session`: the dashboard asks whether a token is needed, gives it once for a session, and ends that.
struct SessionRoutes: Sendable {
  /// nil: no authentication.
  let authenticator: Authenticator?
  /// Creates a token for this daemon; it names the data folder.
  let tokenCommand: String

  /// `GET /session`: who the browser is signed in as.
  @Sendable
  func describe(_ request: Request) throws -> Response {
    let grant = try authenticator?.requester(of: request)?.grant
    let mayKnow = authenticator != nil && grant == nil && Self.isFromThisMachine(request)
    return answer(grant, tokenCommand: mayKnow ? tokenCommand : nil)
  }

  /// Whether a request comes from a browser on the daemon's machine, as far as can be told: others need not
  /// know where its folders are.
  private static func isFromThisMachine(_ request: Request) -> Bool {
    guard request.peer.utf8.starts(with: "127.".utf8) || request.peer.utf8.elementsEqual("::1".utf8),
      let host = request.authority.flatMap(Authority.init)?.host
    else { return false }
    let isLoopback = host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    return isLoopback && forwardingFields.allSatisfy { request.headers[$0] == nil }
  }

  /// What a proxy on the same machine may add to the requests of others.
  private static let forwardingFields: [ByteString] = ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"]

  /// `POST /session` with the token as `Authorization: Bearer`: begins a session.
  @Sendable
  func begin(_ request: Request) throws -> Response {
    guard let authenticator else { return answer(nil) }
    let (grant, id) = try authenticator.signIn(request)
    var response = answer(grant)
    SessionCookie.add(id, to: &response.headers, for: request)
    return response
  }

  /// `DELETE /session`: ends it.
  @Sendable
  func end(_ request: Request) -> Response {
    authenticator?.signOut(request)
    var response = Response(status: 204)
    response.headers.add("Cache-Control", "no-store")
    SessionCookie.clear(headers: &response.headers, for: request)
    return response
  }

  private func answer(_ grant: Grant?, tokenCommand: String? = nil) -> Response {
    let name = grant.map { jsonLiteral($0.name) } ?? "null"
    let role = authenticator == nil ? "\"write\"" : grant.map { jsonLiteral($0.role.rawValue) } ?? "null"
    let command = tokenCommand.map { jsonLiteral($0) } ?? "null"
    let text =
      "{\"needs_token\":\(authenticator != nil),\"name\":\(name),\"role\":\(role),"
      + "\"token_command\":\(command)}\n"
    var response = Response(contentType: "application/json", bytes: Array(text.utf8))
    response.headers.add("Cache-Control", "no-store")
    response.principal = grant?.name ?? ""
    return response
  }
}
