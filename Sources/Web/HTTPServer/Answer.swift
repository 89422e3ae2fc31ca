import HTTP
import Platform

/// An answer that needs nothing any more but to be sent: head serialised, files open.
struct Answer: Sendable {
  var segments: [Segment]
  /// What goes on after the segments, and whether its pieces are framed as chunks.
  var stream: OpenStream?
  var keepsAlive: Bool
  var status: Int
  var label = RequestLabel()

  /// Bytes to be sent, at hand or in a file.
  enum Segment: Sendable {
    case bytes([UInt8])
    case file(File, offset: Int, count: Int)
  }
}

/// Which request of whom it is, for the access log.
struct RequestLabel: Sendable {
  var id = ""
  var principal = ""
}

/// Where a request comes from.
struct ClientIdentity: Sendable {
  /// The address without its port.
  let peer: String
  /// Whether it speaks TLS with us.
  let isSecure: Bool
}

/// A request whose answer is pending, with all that the answer needs to be sent.
struct PendingRequest: Sendable {
  let pending: any PendingAnswer
  let request: Request
  let head: RequestHead
  /// What the handler gave beside the pending body.
  let fields: Headers
  let principal: String

  /// The answer with what was given beside it.
  func completed(_ response: Response) -> Response {
    var response = response
    for field in fields.fields { response.headers.add(field.name, field.value) }
    response.principal = principal
    return response
  }
}

/// A body stream that has been begun.
struct OpenStream: Sendable {
  let body: any BodyStream
  let isChunked: Bool

  /// A piece with its framing.
  func framed(_ piece: [UInt8]) -> [UInt8] {
    isChunked ? ResponseSerializer.chunkHead(count: piece.count) + piece + [0x0D, 0x0A] : piece
  }

  /// What tells the client that the body is complete.
  var ending: [UInt8] { isChunked ? ResponseSerializer.lastChunk : [] }
}
