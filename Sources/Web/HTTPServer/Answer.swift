import HTTP
import Platform
import Text

/// An answer that needs nothing any more but to be sent: head serialised, files open.
struct Answer: Sendable {
  var segments: [Segment]
  /// What goes on after the segments, and whether its pieces are framed as chunks.
  var stream: OpenStream?
  var keepsAlive: Bool
  var status: Int
  var label = RequestLabel()
  /// Whether the client may still have the rest; see `Response.mayContinue`.
  var mayContinue: (@Sendable () -> Bool)?

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
  /// What the client has a share by, wherever clients share something: an IPv4 address or the /64 of an IPv6
  /// address. The machine's own loopback addresses count as one.
  let network: String
  /// A digest of `network`, by which clients take turns. Two networks with the same one share their turns.
  let turnKey: Int
  /// Whether it is this machine, or a proxy on it that stands for many clients.
  let isLoopback: Bool

  init(peer: String, isSecure: Bool) {
    self.peer = peer
    self.isSecure = isSecure
    let network = IPAddress.network(of: peer)
    isLoopback = network.utf8.starts(with: "127.".utf8) || peer.utf8.elementsEqual("::1".utf8)
    self.network = isLoopback ? "loopback" : network
    turnKey = ByteString(self.network).hashValue
  }
}

/// A request on its way from the loop to a handler and back: made once, passed on as one reference.
final class AskedRequest: Sendable {
  let head: RequestHead
  /// As handlers see it, without its content.
  let request: Request

  init(_ head: RequestHead, of client: ClientIdentity, id: String) {
    self.head = head
    var request = head.request(body: [])
    request.peer = client.peer
    request.isSecure = client.isSecure
    request.id = id
    self.request = request
  }
}

/// The content of a request, with its share of the memory for all of them.
struct RequestBody: Sendable {
  var bytes: [UInt8] = []
  /// What takes the content as it comes; `bytes` then has only what it has not taken yet.
  var sink: (any BodySink)?
  /// Gives the share back when the last copy of the body goes.
  var reservation: BodyReservation?

  /// Bytes that come together before a sink is given them.
  static let sinkBytesMax = 256 << 10
  /// A body of as much makes its request a heavy one.
  static let heavyBytesMin = 64 << 10
  /// After a body of as much, free memory is given back to the system.
  static let returnedBytesMin = 512 << 10
}

/// Whether the content of a request is read.
enum AdmissionOutcome: Sendable {
  /// It is, and goes to the sink as it comes; nil: it is held in memory.
  case welcome((any BodySink)?)
  /// The answer, the last one of the connection.
  case refused(Answer)
}

/// A request whose answer is pending, with all that the answer needs to be sent.
struct PendingRequest: Sendable {
  let pending: any PendingAnswer
  let asked: AskedRequest
  /// What the handler gave beside the pending body.
  let fields: Headers
  let principal: String
  /// Whether the client may still wait; see `Response.mayContinue`.
  let mayContinue: (@Sendable () -> Bool)?

  /// The answer with what was given beside it.
  func completed(_ response: Response) -> Response {
    var response = response
    for field in fields.fields { response.headers.add(field.name, field.value) }
    response.principal = principal
    response.mayContinue = response.mayContinue ?? mayContinue
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
