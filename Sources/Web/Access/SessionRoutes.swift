import HTTP

/// `/session`: the dashboard asks whether a token is needed, gives it once for a session, and ends that.
struct SessionRoutes: Sendable {
  /// nil: no authentication.
  let authenticator: Authenticator?

  /// `GET /session`: who the browser is signed in as.
  @Sendable
  func describe(_ request: Request) throws -> Response {
    answer(try authenticator?.requester(of: request)?.grant)
  }

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

  private func answer(_ grant: Grant?) -> Response {
    let name = grant.map { jsonLiteral($0.name) } ?? "null"
    let role = authenticator == nil ? "\"write\"" : grant.map { jsonLiteral($0.role.rawValue) } ?? "null"
    let text = "{\"needs_token\":\(authenticator != nil),\"name\":\(name),\"role\":\(role)}\n"
    var response = Response(contentType: "application/json", bytes: Array(text.utf8))
    response.headers.add("Cache-Control", "no-store")
    response.principal = grant?.name ?? ""
    return response
  }
}
