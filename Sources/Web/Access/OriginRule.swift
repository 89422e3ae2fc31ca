import HTTP
import Text

/// What a browser may do for a page: use the daemon for the daemon's own pages, and for others only where
/// their origin is listed. A link to the daemon on any page may be followed.
///
/// Browsers say on behalf of whom they ask: `Sec-Fetch-Site` on every request to HTTPS and to loopback
/// addresses (Fetch Metadata; no page can set it), `Origin` on every one that changes something. Programs
/// other than browsers send neither.
package struct OriginRule: Sendable {
  private let allowed: Set<WebOrigin>

  /// - Parameter allowedOrigins: origins whose pages may use the daemon like its own.
  package init(allowedOrigins: Set<WebOrigin> = []) { allowed = allowedOrigins }

  /// 403 for a request that a browser makes on behalf of a foreign page.
  func problem(with request: Request) -> Problem? {
    let origin = request.headers.list("Origin")
    if let origin, isAllowed(origin) { return nil }
    let site = request.headers.list("Sec-Fetch-Site")
    // Not even reading: what an answer costs is spent by then (resource isolation policy).
    let isForeign = site.map { $0 != "same-origin" && $0 != "none" } ?? false
    if isForeign, !isNavigation(request) { return refusal("a page of another site", "use this daemon") }
    guard !request.method.isSafe, let origin, !isOwn(origin, request, site) else { return nil }
    return refusal(
      "a page of \(origin.shortened(toBytes: 200)), which is another origin", "change anything here")
  }

  /// Whether the address was opened in a tab of its own, not in a frame and not by a script.
  private func isNavigation(_ request: Request) -> Bool {
    func has(_ name: ByteString, _ value: ByteString) -> Bool {
      request.headers.list(name) == value
    }
    return (request.method == .get || request.method == .head) && has("Sec-Fetch-Mode", "navigate")
      && has("Sec-Fetch-Dest", "document")
  }

  /// Whether an `Origin` is the one that the request is for.
  ///
  /// Behind a proxy that ends TLS the page's scheme is `https` and this connection's is not. That is believed
  /// if the browser itself calls the request `same-origin`, and never because of a field that the proxy adds.
  /// A browser too old to say so, and a proxy that sends another `Host`, need `--allowed-origins`.
  private func isOwn(_ text: ByteString, _ request: Request, _ site: ByteString?) -> Bool {
    guard let origin = WebOrigin(text) else { return false }
    if origin == WebOrigin(of: request, scheme: request.isSecure ? "https" : "http") { return true }
    return !request.isSecure && site == "same-origin" && origin == WebOrigin(of: request, scheme: "https")
  }

  private func isAllowed(_ text: ByteString) -> Bool { WebOrigin(text).map(allowed.contains) ?? false }

  private func refusal(_ page: String, _ what: String) -> Problem {
    Problem(
      status: 403,
      detail: "A browser sent this request for \(page); only the daemon's own pages, and those of "
        + "--allowed-origins, may \(what).")
  }

  /// The answer to a preflight request of a listed origin (Fetch, section 3.2.2).
  func preflight(_ request: Request) -> Response? {
    guard request.method == .options, let origin = request.headers.list("Origin"),
      isAllowed(origin), request.headers["Access-Control-Request-Method"] != nil
    else { return nil }
    var response = Response(status: 204)
    response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE")
    response.headers.add(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, Range")
    response.headers.add("Access-Control-Max-Age", "600")
    return response
  }

  /// Lets pages of a listed origin read the answer that has these fields.
  func addFields(to headers: inout Headers, for request: Request) {
    guard !allowed.isEmpty else { return }
    headers.add("Vary", "Origin")
    guard let origin = request.headers.list("Origin"), isAllowed(origin) else { return }
    headers.set("Access-Control-Allow-Origin", origin)
    headers.set(
      "Access-Control-Expose-Headers", "ETag, Link, Location, Retry-After, X-Request-Id, Repr-Digest")
  }
}
