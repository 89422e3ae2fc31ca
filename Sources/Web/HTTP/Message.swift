/// A request as a handler sees it: complete, bounded, decoded once.
package struct Request: Sendable {
  package var method: Method
  /// The path, percent-decoded segment by segment; `/jobs/ab%2Fc` has the segments `jobs`, `ab/c`.
  package var segments: [String]
  /// Query parameters in order, percent-decoded; a key without `=` has the value "".
  package var query: [(name: String, value: String)]
  package var headers: Headers
  package var body: [UInt8]
  /// What the router matched for `{name}` in the route's pattern.
  package var parameters: [String: String] = [:]

  package init(
    method: Method, segments: [String], query: [(name: String, value: String)] = [], headers: Headers = Headers(),
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

/// A method token, compared by its exact bytes (RFC 9110, section 9.1).
package struct Method: RawRepresentable, Hashable, Sendable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
  package static let get = Method(rawValue: "GET")
  package static let head = Method(rawValue: "HEAD")
  package static let post = Method(rawValue: "POST")
  package static let put = Method(rawValue: "PUT")
  package static let patch = Method(rawValue: "PATCH")
  package static let delete = Method(rawValue: "DELETE")
  package static let options = Method(rawValue: "OPTIONS")
}

/// Header fields in order of arrival; names compare without case (RFC 9110, section 5.1).
package struct Headers: Sendable {
  package private(set) var fields: [(name: String, value: String)] = []

  package init() {}

  /// The first field of that name.
  package subscript(name: String) -> String? {
    let key = name.lowercased()
    return fields.first { $0.name.lowercased() == key }?.value
  }

  package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

  /// Replaces every field of that name by one.
  package mutating func set(_ name: String, _ value: String) {
    let key = name.lowercased()
    fields.removeAll { $0.name.lowercased() == key }
    fields.append((name, value))
  }
}

/// A handler's answer. The server adds `Date`, `Content-Length` or chunking, and `Connection`.
package struct Response: Sendable {
  package var status: Int
  package var headers: Headers
  package var body: Body

  package init(status: Int = 200, headers: Headers = Headers(), body: Body = .empty) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package enum Body: Sendable {
    case empty
    case bytes([UInt8])
    /// A part of a file, sent from disk.
    case file(path: String, offset: Int, count: Int)
    /// Bytes that come over time, sent chunked until `.end`.
    case stream(any BodyStream)
  }
}

/// Answers a request. Called on one of the server's handler threads, where it may block on SQLite or disk.
package typealias Handler = @Sendable (Request) throws -> Response

/// A body that is pulled: the server asks for the next piece only when the last one has left,
/// so a slow reader costs no memory.
package protocol BodyStream: AnyObject, Sendable {
  /// The next step; called on a handler thread, never twice at once for one stream.
  func next() throws -> BodyStep
  /// Called once when the client is gone or the stream has ended.
  func close()
}

package enum BodyStep: Sendable {
  case bytes([UInt8])
  /// Nothing yet: ask again after so many milliseconds.
  case idle(milliseconds: Int)
  case end
}
