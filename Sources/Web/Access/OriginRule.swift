import HTTP

/// What a browser may do for a page: change something only for the daemon's own pages, and read answers
/// from another origin only where that is listed.
package struct OriginRule: Sendable {
  private let allowed: Set<String>

  /// - Parameter allowedOrigins: such as `https://lab.example:8443`, in lower case.
  package init(allowedOrigins: Set<String> = []) { allowed = allowedOrigins }

  /// 403 for a request that changes something on behalf of a foreign page. Programs other than browsers send
  /// neither `Origin` nor `Sec-Fetch-Site`.
  func problem(with request: Request) -> Problem? {
    if request.method.isSafe { return nil }
    if let origin = request.headers["Origin"] {
      return isOwn(origin, request) || isAllowed(origin)
        ? nil : refusal("a page of \(origin.prefix(200)), which is another origin")
    }
    let site = request.headers["Sec-Fetch-Site"] ?? "none"
    return site == "same-origin" || site == "none" ? nil : refusal("a page of another site")
  }

  /// Whether an `Origin` is the one that the request is for. Behind a proxy that ends TLS the schemes differ,
  /// so only the authorities are compared.
  private func isOwn(_ origin: String, _ request: Request) -> Bool {
    guard let authority = request.authority, let separator = origin.firstRange(of: "://") else {
      return false
    }
    let scheme = origin[..<separator.lowerBound].lowercased()
    guard scheme == "https" || scheme == "http" && !request.isSecure else { return false }
    let own = OriginRule.withoutDefaultPort(authority.lowercased())
    return OriginRule.withoutDefaultPort(origin[separator.upperBound...].lowercased()) == own
  }

  private static func withoutDefaultPort(_ authority: String) -> String {
    for suffix in [":80", ":443"] where authority.hasSuffix(suffix) {
      return String(authority.dropLast(suffix.count))
    }
    return authority
  }

  private func isAllowed(_ origin: String) -> Bool { allowed.contains(origin.lowercased()) }

  private func refusal(_ who: String) -> Problem {
    Problem(
      status: 403,
      detail: "The request was made by a browser for \(who); only the daemon's own pages may change anything."
    )
  }

  /// The answer to a preflight request of a listed origin (Fetch, section 3.2.2).
  func preflight(_ request: Request) -> Response? {
    guard request.method == .options, let origin = request.headers["Origin"], isAllowed(origin),
      request.headers["Access-Control-Request-Method"] != nil
    else { return nil }
    var response = Response(status: 204)
    response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE")
    response.headers.add(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, Range")
    response.headers.add("Access-Control-Max-Age", "600")
    return response
  }

  /// Lets pages of a listed origin read the answer.
  func addFields(to response: inout Response, for request: Request) {
    guard !allowed.isEmpty else { return }
    response.headers.add("Vary", "Origin")
    guard let origin = request.headers["Origin"], isAllowed(origin) else { return }
    response.headers.set("Access-Control-Allow-Origin", origin)
    response.headers.set(
      "Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, X-Request-Id, Repr-Digest")
  }
}
