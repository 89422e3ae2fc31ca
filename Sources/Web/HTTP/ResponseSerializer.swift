import Text

/// The bytes of an answer's head, and how its content must follow (RFC 9112, sections 4 to 7).
package struct ResponseSerializer: Sendable {
  /// Status line and fields with the empty line after them.
  package let head: [UInt8]
  package let framing: Framing
  /// Whether the connection can carry another request after this answer.
  package let keepsAlive: Bool

  /// How the content follows the head.
  package enum Framing: Equatable, Sendable {
    /// No content: HEAD, 1xx, 204 and 304 (RFC 9112, section 6.3), or an empty one.
    case none
    case length(Int)
    case chunked
    /// Up to the end of the connection: a stream to a client of HTTP/1.0.
    case untilClose
  }

  /// Fields that are this type's to write; a handler's own are left out.
  private static let ownFields: [ByteString] = [
    "connection", "content-length", "date", "keep-alive", "transfer-encoding",
  ]

  /// - Parameters:
  ///   - method: of the request; nil when it could not be read.
  ///   - minorVersion: of the request.
  ///   - keepsAlive: whether client and server both want to go on.
  ///   - date: the time as IMF-fixdate.
  package init(_ response: Response, method: Method?, minorVersion: Int, keepsAlive: Bool, date: String) {
    let hasNoContent = response.status < 200 || response.status == 204 || response.status == 304
    let isHead = method == .head
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    bytes += "HTTP/1.1 \(response.status) \(reasonPhrase(of: response.status))\r\n".utf8
    bytes.appendField("Date", ByteString(date))
    for field in response.headers.fields
    where !ResponseSerializer.ownFields.contains(where: { $0.equalsIgnoringCase(field.name) }) {
      bytes.appendField(field.name, field.value)
    }
    var keepsAlive = keepsAlive
    if hasNoContent {
      framing = .none
    } else if let count = response.body.count {
      bytes.appendField("Content-Length", ByteString(String(count)))
      framing = isHead || count == 0 ? .none : .length(count)
    } else if minorVersion > 0 {
      bytes.appendField("Transfer-Encoding", "chunked")
      framing = isHead ? .none : .chunked
    } else {
      framing = isHead ? .none : .untilClose
      keepsAlive = keepsAlive && isHead
    }
    if !keepsAlive {
      bytes.appendField("Connection", "close")
    } else if minorVersion == 0 {
      bytes.appendField("Connection", "keep-alive")
    }
    self.keepsAlive = keepsAlive
    head = bytes + [0x0D, 0x0A]
  }

  /// The interim answer to `Expect: 100-continue` (RFC 9110, section 15.2.1).
  package static let continueHead = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  /// What stands before a chunk's data (RFC 9112, section 7.1); `CR LF` follows it.
  package static func chunkHead(count: Int) -> [UInt8] { Array("\(String(count, radix: 16))\r\n".utf8) }

  /// The last chunk without trailers.
  package static let lastChunk = Array("0\r\n\r\n".utf8)
}

extension [UInt8] {
  /// Writes a field line. Each control byte becomes a space, so that no text from outside splits an answer
  /// (RFC 9110, section 5.5).
  fileprivate mutating func appendField(_ name: ByteString, _ value: ByteString) {
    let start = count
    self += name.bytes
    append(0x3A)
    append(0x20)
    self += value.bytes
    for index in start..<count where self[index] < 0x20 || self[index] == 0x7F { self[index] = 0x20 }
    append(0x0D)
    append(0x0A)
  }
}
