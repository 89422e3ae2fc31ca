import Text

/// A method token, compared by its exact bytes (RFC 9110, section 9.1).
package struct Method: RawRepresentable, Hashable, Sendable {
  package let rawValue: ByteString

  package init(rawValue: ByteString) { self.rawValue = rawValue }

  package static let get = Method(rawValue: "GET")
  package static let head = Method(rawValue: "HEAD")
  package static let post = Method(rawValue: "POST")
  package static let put = Method(rawValue: "PUT")
  package static let patch = Method(rawValue: "PATCH")
  package static let delete = Method(rawValue: "DELETE")
  package static let options = Method(rawValue: "OPTIONS")
  package static let trace = Method(rawValue: "TRACE")
  package static let connect = Method(rawValue: "CONNECT")
  /// GET with content (draft-ietf-httpbis-safe-method-w-body).
  package static let query = Method(rawValue: "QUERY")

  /// The methods that this server has a use for on some resource, and those that it knows and refuses by 405.
  /// Any other is answered 501 (RFC 9110, section 9.1).
  package static let known: Set<Method> = [
    .get, .head, .post, .put, .patch, .delete, .options, .trace, .query,
  ]

  /// Whether the method asks for nothing but an answer (RFC 9110, section 9.2.1).
  package var isSafe: Bool { self == .get || self == .head || self == .options || self == .trace }
}
