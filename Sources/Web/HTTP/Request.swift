import Text

/// A request as a handler sees it: complete, bounded, decoded once.
package struct Request: Sendable {
  package var method: Method
  /// The path, percent-decoded segment by segment; `/jobs/ab%2Fc` has the segments `jobs`, `ab/c`.
  /// `/` has none; a trailing slash makes a last segment that is empty.
  package var segments: [ByteString]
  /// Query parameters in order, percent-decoded; a key without `=` has the value "".
  package var query: [(name: ByteString, value: ByteString)]
  package var headers: Headers
  package var body: [UInt8]
  /// What has taken the content instead of `body`; nil: there is none, or `body` has it.
  package var sink: (any BodySink)?
  /// The target as it came.
  package var target: ByteString = ""
  /// Host and port that the request is for.
  package var authority: ByteString?
  /// The client's address without its port.
  package var peer = ""
  /// Whether it came through TLS.
  package var isSecure = false
  /// What names the request in logs and in its answer's `X-Request-Id`.
  package var id = ""
  /// Who asks: the name of an access token; empty without one.
  package var principal = ""
  /// What the router matched for `{name}` in the route's pattern.
  package var parameters: [ByteString: ByteString] = [:]

  package init(
    method: Method, segments: [ByteString], query: [(name: ByteString, value: ByteString)] = [],
    headers: Headers = Headers(),
    body: [UInt8] = []
  ) {
    self.method = method
    self.segments = segments
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The same request with its content.
  package func with(body: [UInt8], sink: (any BodySink)? = nil) -> Request {
    if body.isEmpty, sink == nil { return self }
    var request = self
    request.body = body
    request.sink = sink
    return request
  }

  /// The first query parameter of that name.
  package func queryValue(_ name: ByteString) -> ByteString? { query.first { $0.name == name }?.value }
}
