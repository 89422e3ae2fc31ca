import HTTP
import Testing

/// Each class of position in a request with the bytes that may stand there, as the RFCs list them: written
/// out here a second time, from the ABNF, so that the parser's own tables are not their own proof.
struct BytePosition: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var before: String
  var after: String
  var allowed: Set<UInt8>

  private static let alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
  private static let token = alphanumeric + "!#$%&'*+-.^_`|~"
  private static let path = alphanumeric + "-._~" + "!$&'()*+,;=" + ":@" + "/"
  private static let query = path + "?" + "[]{}|^`\\"
  private static let host = alphanumeric + "-._~" + "!$&'()*+,;="
  private static let fieldContent = Set((0x20...0xFF).filter { $0 != 0x7F } + [0x09]).map { UInt8($0) }

  static let all = [
    BytePosition("method", "G", "T / HTTP/1.1\r\nHost: a\r\n\r\n", token),
    BytePosition("path", "GET /a", "b HTTP/1.1\r\nHost: a\r\n\r\n", path + "?"),
    BytePosition("query", "GET /?a", "b HTTP/1.1\r\nHost: a\r\n\r\n", query),
    BytePosition("absolute host", "GET http://a", "b/ HTTP/1.1\r\nHost: a\r\n\r\n", host + "/?"),
    BytePosition("minor version", "GET / HTTP/1.", "\r\nHost: a\r\n\r\n", "0123456789"),
    BytePosition("field name", "GET / HTTP/1.1\r\nHost: a\r\nx", "y: z\r\n\r\n", token + ":"),
    BytePosition("host", "GET / HTTP/1.1\r\nHost: a", "b\r\n\r\n", host),
    BytePosition("length", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0", "1\r\n\r\nx", "0123456789"),
    BytePosition(
      "chunk size", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0", "\r\n",
      "0123456789abcdefABCDEF;"),
    BytePosition("field value", "GET / HTTP/1.1\r\nHost: a\r\nx: y", "z\r\n\r\n", bytes: fieldContent),
    BytePosition(
      "chunk extension", "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a", "b\r\n\r\n",
      bytes: fieldContent),
    BytePosition(
      "content", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "", bytes: Array(0...255)),
  ]

  init(_ name: String, _ before: String, _ after: String, _ allowed: String) {
    self.init(name, before, after, bytes: Array(allowed.utf8))
  }

  init(_ name: String, _ before: String, _ after: String, bytes: [UInt8]) {
    testDescription = name
    self.before = before
    self.after = after
    allowed = Set(bytes)
  }
}

@Suite struct `Byte classes` {
  @Test(arguments: BytePosition.all)
  func `allow exactly the bytes of the grammar`(position: BytePosition) {
    for byte in UInt8.min...UInt8.max {
      let bytes = Array(position.before.utf8) + [byte] + Array(position.after.utf8)
      let isAccepted: Bool
      switch parse([bytes]) {
      case .success: isAccepted = true
      // A percent sign may stand there; what follows it here does not decode.
      case .failure(.percentEncodingMalformed): isAccepted = byte == 0x25
      // The size is a number, only too large.
      case .failure(.overLimit(.bodyBytes, _)): isAccepted = true
      case .failure: isAccepted = false
      }
      let expected =
        position.allowed.contains(byte)
        || byte == 0x25 && ["path", "query"].contains(position.testDescription)
      #expect(isAccepted == expected, "byte \(String(byte, radix: 16)) as \(position.testDescription)")
    }
  }
}
