import Text

/// Everything of a request but its content, checked.
package struct RequestHead: Sendable {
  package var method: Method
  package var target: RequestTarget
  /// The minor version: 0 for HTTP/1.0, 1 for HTTP/1.1 and what may come after it (RFC 9110, section 2.5).
  package var minorVersion: Int
  package var headers: Headers
  /// How long the content is.
  package var framing: Framing
  /// Whether the client wants to send another request on this connection (RFC 9112, section 9.3).
  package var keepsAlive: Bool
  /// Whether the client waits for `100 Continue` before it sends the content (RFC 9110, section 10.1.1).
  package var expectsContinue: Bool

  /// How the end of the content is known (RFC 9112, section 6.3).
  package enum Framing: Equatable, Sendable {
    /// Exactly that many bytes; 0 where neither field is given.
    case length(Int)
    case chunked
  }

  /// Host and port that the request is for; nil when a client of HTTP/1.0 says none.
  package var authority: ByteString? { target.authority ?? headers["Host"] }

  /// The request with its content, for a handler.
  package func request(body: [UInt8]) -> Request {
    var request = Request(
      method: method, segments: target.segments, query: target.query, headers: headers, body: body)
    request.target = target.text
    request.authority = authority
    return request
  }

  /// Derives framing and persistence from the fields, and refuses what could be read in two ways.
  init(
    method: Method, target: RequestTarget, minorVersion: Int, headers: Headers
  ) throws(RequestError) {
    self.method = method
    self.target = target
    self.minorVersion = minorVersion
    self.headers = headers
    try RequestHead.checkHost(headers, minorVersion: minorVersion)
    framing = try RequestHead.framing(headers, minorVersion: minorVersion)
    let connection = headers.list("Connection").map(Grammar.list) ?? []
    func says(_ option: ByteString) -> Bool { connection.contains { $0.equalsIgnoringCase(option) } }
    // What follows a CONNECT is meant for a tunnel, not for this server (RFC 9112, section 6.3).
    keepsAlive = !says("close") && (minorVersion > 0 || says("keep-alive")) && method != .connect
    expectsContinue = false
    if let expectation = headers.list("Expect"), minorVersion > 0 {
      guard expectation.equalsIgnoringCase("100-continue") else { throw .expectationUnsupported }
      expectsContinue = framing != .length(0)
    }
  }

  private static func checkHost(_ headers: Headers, minorVersion: Int) throws(RequestError) {
    let hosts = headers.all("Host")
    if hosts.isEmpty, minorVersion > 0 { throw .hostMissing }
    if hosts.count > 1 { throw .hostRepeated }
    guard hosts.allSatisfy({ Grammar.isAuthority(Array($0.bytes)[...]) }) else { throw .hostMalformed }
  }

  private static func framing(_ headers: Headers, minorVersion: Int) throws(RequestError) -> Framing {
    let lengths = headers.all("Content-Length")
    if let codings = headers.list("Transfer-Encoding") {
      guard minorVersion > 0 else { throw .codingInOldVersion }
      guard lengths.isEmpty else { throw .lengthBesideCoding }
      let names = Grammar.list(codings).map { $0.equalsIgnoringCase("chunked") }
      guard names.last == true, !names.dropLast().contains(true) else { throw .chunkedNotLast }
      guard names.count == 1 else { throw .codingUnsupported }
      return .chunked
    }
    guard lengths.count < 2 else { throw .lengthRepeated }
    guard let length = lengths.first else { return .length(0) }
    guard length.bytes.allSatisfy(Grammar.isDigit), !length.isEmpty else {
      throw length.bytes.contains(0x2C) ? .lengthRepeated : .lengthMalformed
    }
    // More digits than 63 bits hold are still a number: over any limit.
    return .length(Grammar.decimal(length.bytes) ?? .max)
  }
}
