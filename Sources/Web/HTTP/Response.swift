/// A handler's answer. The server adds `Date`, `Content-Length` or chunking, and `Connection`.
package struct Response: Sendable {
  package var status: Int
  package var headers: Headers
  package var body: Body
  /// Who asked, for the access log: the name of an access token.
  package var principal = ""
  /// Whether the client may still have the rest of the body, for an answer that lasts: a stream, a pending
  /// answer, a long file. Asked on a loop's thread before each piece is sent, so it must return at once; once
  /// it is false, the connection is closed. nil: nothing can end it but its own end.
  package var mayContinue: (@Sendable () -> Bool)?

  /// Where the compressed form of the body is kept, for a body that is sent again and again; nil: this body
  /// is compressed for this answer alone.
  package var compressedForm: CompressedForm?

  package init(status: Int = 200, headers: Headers = Headers(), body: Body = .empty) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer whose whole body is at hand.
  package init(status: Int = 200, contentType: String, bytes: [UInt8]) {
    self.init(status: status, body: .bytes(bytes))
    headers.add("Content-Type", contentType)
  }

  /// What follows the head, and where it comes from.
  package enum Body: Sendable {
    case empty
    case bytes([UInt8])
    /// A part of a file, sent from disk.
    case file(path: String, offset: Int, count: Int)
    /// Pieces of known length, one after the other: what several ranges of a file become.
    case pieces([Piece])
    /// Bytes that come over time, sent chunked until `.end`.
    case stream(any BodyStream)
    /// The answer comes later, with a status of its own; the fields and the principal of this response are
    /// added to it.
    case pending(any PendingAnswer)

    /// How many bytes the body has; nil for a stream, which does not know.
    package var count: Int? {
      switch self {
      case .empty: 0
      case .bytes(let bytes): bytes.count
      case .file(_, _, let count): count
      case .pieces(let pieces): pieces.reduce(0) { $0 + $1.count }
      case .stream, .pending: nil
      }
    }
  }

  /// One part of a body that has several.
  package enum Piece: Sendable {
    case bytes([UInt8])
    /// A part of a file, sent from disk.
    case file(path: String, offset: Int, count: Int)

    /// How many bytes this piece has.
    package var count: Int {
      switch self {
      case .bytes(let bytes): bytes.count
      case .file(_, _, let count): count
      }
    }
  }
}

/// Answers a request. Called on one of the server's handler threads, where it may block on SQLite or disk.
package typealias Handler = @Sendable (Request) throws -> Response

/// Answers a GET or HEAD with what is at hand in memory; nil: ask the `Handler`. Called on a loop's thread,
/// where it must not wait for SQLite, disk or anybody else.
package typealias InstantHandler = @Sendable (Request) -> InstantResponse?

/// Decides on a request by its head alone, before a byte of its body is read: nil, or why it is refused. The
/// request's `body` is empty and its `parameters` are not set. Called on a handler's thread.
package typealias Admission = @Sendable (Request) -> Problem?

/// An answer from memory.
package struct InstantResponse: Sendable {
  package var response: Response
  /// Whether the same request has the same answer now. Called on a loop's thread like the handler.
  package let isCurrent: @Sendable () -> Bool

  package init(_ response: Response, isCurrent: @escaping @Sendable () -> Bool) {
    self.response = response
    self.isCurrent = isCurrent
  }
}
