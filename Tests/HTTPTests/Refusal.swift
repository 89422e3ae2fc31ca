import HTTP
import Testing

/// A request that must be refused, and for which reason.
struct Refusal: Sendable, CustomTestStringConvertible {
  var text: String
  var error: RequestError

  init(_ text: String, _ error: RequestError) {
    self.text = text
    self.error = error
  }

  /// A GET with these header lines beside a good Host.
  static func fields(_ lines: String, _ error: RequestError) -> Refusal {
    Refusal("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", error)
  }

  /// A chunked body.
  static func chunks(_ body: String, _ error: RequestError) -> Refusal {
    Refusal("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", error)
  }

  var testDescription: String { "\(error.source): \(text.debugDescription)" }

  /// In the order of RFC 9112.
  static let table: [Refusal] = startLines + targets + fieldLines + framings + chunkings

  /// Sections 2.2, 2.3 and 3.
  static let startLines = [
    Refusal("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
    Refusal("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
    Refusal("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
    Refusal("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
    Refusal("GET / HT\rTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
    Refusal("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCarriageReturn),
    Refusal("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", .bareCarriageReturn),
    Refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal("GET /\r\n", .requestLineMalformed),
    Refusal("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed),
    Refusal("\u{16}\u{3}\u{1} / HTTP/1.1\r\n\r\n", .methodMalformed),
    Refusal("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", .methodMalformed),
    Refusal("GET / http/1.1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / HTTP/1.1.\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / HTTP/1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / HTTP/01.1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / HTTP/1,1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / HTTP/x.1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("GET / XTTP/1.1\r\nHost: a\r\n\r\n", .versionMalformed),
    Refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported),
    Refusal("GET / HTTP/0.9\r\n\r\n", .versionUnsupported),
    Refusal("GET / HTTP/3.0\r\n\r\n", .versionUnsupported),
  ]

  /// Section 3.2, and RFC 3986.
  static let targets = [
    Refusal("GET jobs HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET * HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("CONNECT :80 HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /a\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /a\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /?<b> HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n", .targetMalformed),
    Refusal("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /% HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /%4/1 HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /%c0%af HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET /?a=%G1 HTTP/1.1\r\nHost: a\r\n\r\n", .percentEncodingMalformed),
    Refusal("GET / HTTP/1.1\r\n\r\n", .hostMissing),
    Refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
    Refusal("GET / HTTP/1.0\r\nhost: a\r\nHOST: b\r\n\r\n", .hostRepeated),
    Refusal("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostMalformed),
    Refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostMalformed),
    Refusal("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .hostMalformed),
  ]

  /// Section 5.
  static let fieldLines = [
    fields("A: b\r\n c: d", .foldedLine),
    fields("A: b\r\n\tc", .foldedLine),
    Refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedLine),
    fields("A : b", .whitespaceBeforeColon),
    fields("A\t: b", .whitespaceBeforeColon),
    fields(": b", .fieldNameMalformed),
    fields("A", .fieldNameMalformed),
    fields("A(b): c", .fieldNameMalformed),
    fields("Ä: c", .fieldNameMalformed),
    fields("A\u{0}: c", .fieldNameMalformed),
    fields("A: b\u{0}c", .fieldValueMalformed(name: "A")),
    fields("A: \u{7F}", .fieldValueMalformed(name: "A")),
    fields("A: b\u{B}", .fieldValueMalformed(name: "A")),
    fields("Expect: 200-ok", .expectationUnsupported),
  ]

  /// Section 6.
  static let framings = [
    fields("Content-Length: 1\r\nTransfer-Encoding: chunked", .lengthBesideCoding),
    fields("Transfer-Encoding: chunked\r\nContent-Length: 1", .lengthBesideCoding),
    fields("Content-Length: 1\r\nContent-Length: 1", .lengthRepeated),
    fields("Content-Length: 1\r\ncontent-length: 2", .lengthRepeated),
    fields("Content-Length: 1, 1", .lengthRepeated),
    fields("Content-Length:", .lengthMalformed),
    fields("Content-Length: +1", .lengthMalformed),
    fields("Content-Length: -1", .lengthMalformed),
    fields("Content-Length: 0x10", .lengthMalformed),
    fields("Content-Length: 1 2", .lengthMalformed),
    fields("Content-Length: 1.0", .lengthMalformed),
    fields("Content-Length: ٣", .lengthMalformed),
    fields("Transfer-Encoding: identity", .chunkedNotLast),
    fields("Transfer-Encoding:", .chunkedNotLast),
    fields("Transfer-Encoding: chunked, gzip", .chunkedNotLast),
    fields("Transfer-Encoding: chunked, chunked", .chunkedNotLast),
    fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .chunkedNotLast),
    fields("Transfer-Encoding: chunked;q=1", .chunkedNotLast),
    fields("Transfer-Encoding: xchunked", .chunkedNotLast),
    fields("Transfer-Encoding: gzip, chunked", .codingUnsupported),
    Refusal("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .codingInOldVersion),
  ]

  /// Section 7.1.
  static let chunkings = [
    chunks("\r\n", .chunkSizeMalformed),
    chunks("g\r\n", .chunkSizeMalformed),
    chunks("0x1\r\n", .chunkSizeMalformed),
    chunks("-1\r\n", .chunkSizeMalformed),
    chunks("+1\r\n", .chunkSizeMalformed),
    chunks(" 1\r\n", .chunkSizeMalformed),
    chunks("1 \r\n", .chunkSizeMalformed),
    chunks("1 2\r\n", .chunkSizeMalformed),
    chunks("1,2\r\n", .chunkSizeMalformed),
    chunks("1;a\u{0}\r\n", .chunkExtensionMalformed),
    chunks("1\n", .bareLineFeed),
    chunks("1;a\rb\r\n", .bareCarriageReturn),
    chunks("1;a=\"\n\"\r\n", .bareLineFeed),
    chunks("1\r\nab", .chunkEndMalformed),
    chunks("1\r\na\n", .chunkEndMalformed),
    chunks("1\r\na\rb", .chunkEndMalformed),
    chunks("0\r\n a: b\r\n\r\n", .foldedLine),
    chunks("0\r\na : b\r\n\r\n", .whitespaceBeforeColon),
    chunks("0\r\na\r\n\r\n", .fieldNameMalformed),
    chunks("0\r\na: \u{1}\r\n\r\n", .fieldValueMalformed(name: "a")),
    chunks("0\r\n\n", .bareLineFeed),
  ]
}
