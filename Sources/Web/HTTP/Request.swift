/// A request as a handler sees it: complete, bounded, decoded once.
package struct Request: Sendable {
  package var method: Method
  /// The path, percent-decoded segment by segment; `/jobs/ab%2Fc` has the segments `jobs`, `ab/c`.
  /// `/` has none; a trailing slash makes a last segment that is empty.
  package var segments: [String]
  /// Query parameters in order, percent-decoded; a key without `=` has the value "".
  package var query: [(name: String, value: String)]
  package var headers: Headers
  package var body: [UInt8]
  /// The target as it came.
  package var target = ""
  /// Host and port that the request is for.
  package var authority: String?
  /// The client's address without its port.
  package var peer = ""
  /// Whether it came through TLS.
  package var isSecure = false
  /// What names the request in logs and in its answer's `X-Request-Id`.
  package var id = ""
  /// Who asks: the name of an access token; empty without one.
  package var principal = ""
  /// What the router matched for `{name}` in the route's pattern.
  package var parameters: [String: String] = [:]

  package init(
    method: Method, segments: [String], query: [(name: String, value: String)] = [],
    headers: Headers = Headers(),
    body: [UInt8] = []
  ) {
    self.method = method
    self.segments = segments
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The first query parameter of that name.
  package func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }
}
