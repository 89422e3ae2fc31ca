import HTTP

/// `/session`: the dashboard asks whether a token is needed, gives it once, and forgets it. The browser then
/// sends it as a cookie, also for downloads and event streams, where a page cannot set `Authorization`.
struct Session: Sendable {
  let tokens: TokenFile?

  /// `GET /session`
  @Sendable
  func describe(_ request: Request) -> Response { answer(request) }

  /// `POST /session` with the token as `Authorization: Bearer`.
  @Sendable
  func begin(_ request: Request) throws -> Response {
    var response = answer(request)
    if tokens != nil, let secret = try Credentials.secret(of: request) {
      response.headers.add("Set-Cookie", cookie(secret.string, ageSeconds: 30 * 86_400, request))
    }
    return response
  }

  /// `DELETE /session`
  @Sendable
  func end(_ request: Request) -> Response {
    var response = Response(status: 204)
    response.headers.add("Set-Cookie", cookie("", ageSeconds: 0, request))
    return response
  }

  private func cookie(_ value: String, ageSeconds: Int, _ request: Request) -> String {
    "\(AccessControl.cookieName)=\(value); Path=/; Max-Age=\(ageSeconds); HttpOnly; SameSite=Strict"
      + (request.isSecure ? "; Secure" : "")
  }

  private func answer(_ request: Request) -> Response {
    let name = request.principal.isEmpty ? "null" : jsonLiteral(request.principal)
    let role = tokens == nil ? "\"write\"" : request.role.isEmpty ? "null" : jsonLiteral(request.role)
    let text = "{\"needs_token\":\(tokens != nil),\"name\":\(name),\"role\":\(role)}\n"
    var response = Response(contentType: "application/json", bytes: Array(text.utf8))
    response.headers.add("Cache-Control", "no-store")
    return response
  }
}
