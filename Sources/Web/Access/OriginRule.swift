import HTTP
import Text

/// What a browser may do for a page: change something only for the daemon's own pages, and read answers
/// from another origin only where that is listed.
package struct OriginRule: Sendable {
  private let allowed: Set<ByteString>

  /// - Parameter allowedOrigins: such as `https://lab.example:8443`, in lower case.
  package init(allowedOrigins: Set<ByteString> = []) { allowed = allowedOrigins }

  /// 403 for a request that changes something on behalf of a foreign page. Programs other than browsers send
  /// neither `Origin` nor `Sec-Fetch-Site`.
  func problem(with request: Request) -> Problem? {
    if request.method.isSafe { return nil }
    if let origin = request.headers["Origin"] {
      return isOwn(origin, request) || isAllowed(origin)
        ? nil : refusal("a page of \(origin.shown), which is another origin")
    }
    let site = request.headers["Sec-Fetch-Site"] ?? "none"
    return site == "same-origin" || site == "none" ? nil : refusal("a page of another site")
  }

  /// Whether an `Origin` is the one that the request is for. Behind a proxy that ends TLS the schemes differ,
  /// so only the authorities are compared.
  private func isOwn(_ origin: ByteString, _ request: Request) -> Bool {
    guard let authority = request.authority else { return false }
    let origin = origin.lowercasedASCII
    let schemes: [ByteString] = request.isSecure ? ["https://"] : ["https://", "http://"]
    guard let scheme = schemes.first(where: origin.hasPrefix) else { return false }
    let own = OriginRule.withoutDefaultPort(authority.lowercasedASCII)
    return OriginRule.withoutDefaultPort(origin.dropFirst(scheme.count)) == own
  }

  private static func withoutDefaultPort(_ authority: ByteString) -> ByteString {
    let suffixes: [ByteString] = [":80", ":443"]
    guard let suffix = suffixes.first(where: authority.hasSuffix) else { return authority }
    return ByteString(decoding: authority.bytes.dropLast(suffix.count))
  }

  private func isAllowed(_ origin: ByteString) -> Bool { allowed.contains(origin.lowercasedASCII) }

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
