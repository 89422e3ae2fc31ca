import Text

/// Why a request is refused. After any of these the place where the next request would begin is not
/// certain, so the connection is closed after the answer.
package enum RequestError: Error, Equatable, Sendable {
  case requestLineMalformed
  case methodMalformed
  case targetMalformed
  case percentEncodingMalformed
  case versionMalformed
  case versionUnsupported
  case bareLineFeed
  case bareCarriageReturn
  case foldedLine
  case whitespaceBeforeColon
  case fieldNameMalformed
  case fieldValueMalformed(name: ByteString)
  case hostMissing
  case hostRepeated
  case hostMalformed
  case lengthMalformed
  case lengthRepeated
  case lengthBesideCoding
  case codingInOldVersion
  case chunkedNotLast
  case codingUnsupported
  case expectationUnsupported
  case chunkSizeMalformed
  case chunkExtensionMalformed
  case chunkEndMalformed
  case overLimit(RequestLimit, allowed: Int)

  /// The status code of the answer.
  package var status: Int {
    switch self {
    case .versionUnsupported: 505
    case .codingUnsupported: 501
    case .expectationUnsupported: 417
    case .overLimit(.requestLineBytes, _): 414
    case .overLimit(.headerBytes, _), .overLimit(.headerCount, _): 431
    case .overLimit(.bodyBytes, _): 413
    default: 400
    }
  }

  /// What is wrong, what would be right, and where that is written.
  package var detail: String { "\(sentence) (\(source))." }

  /// The answer that says so.
  package var problem: Problem { Problem(status: status, detail: detail) }

  /// The rule that the request breaks.
  package var source: String {
    switch self {
    case .requestLineMalformed, .methodMalformed: "RFC 9112, section 3"
    case .targetMalformed: "RFC 9112, section 3.2"
    case .percentEncodingMalformed: "RFC 3986, section 2.1"
    case .versionMalformed: "RFC 9112, section 2.3"
    case .versionUnsupported: "RFC 9110, section 15.6.6"
    case .bareLineFeed, .bareCarriageReturn: "RFC 9112, section 2.2"
    case .foldedLine: "RFC 9112, section 5.2"
    case .whitespaceBeforeColon, .fieldNameMalformed: "RFC 9112, section 5.1"
    case .fieldValueMalformed: "RFC 9110, section 5.5"
    case .hostMissing, .hostRepeated, .hostMalformed: "RFC 9112, section 3.2"
    case .lengthMalformed, .lengthRepeated: "RFC 9112, section 6.3"
    case .lengthBesideCoding, .codingInOldVersion, .codingUnsupported: "RFC 9112, section 6.1"
    case .chunkedNotLast: "RFC 9112, section 6.3"
    case .expectationUnsupported: "RFC 9110, section 10.1.1"
    case .chunkSizeMalformed, .chunkEndMalformed: "RFC 9112, section 7.1"
    case .chunkExtensionMalformed: "RFC 9112, section 7.1.1"
    case .overLimit: "a limit of this server"
    }
  }

  private var sentence: String {
    switch self {
    case .requestLineMalformed: "The request line is not method, space, target, space, version"
    case .methodMalformed: "The method is not a token"
    case .targetMalformed: "The request target is neither a path nor an http address"
    case .percentEncodingMalformed:
      "A percent sign is not followed by two hex digits of UTF-8 text without NUL"
    case .versionMalformed: "The version is not of the form HTTP/1.1"
    case .versionUnsupported: "This server speaks HTTP/1.1 and HTTP/1.0 only"
    case .bareLineFeed: "A line ends with LF alone instead of CR LF"
    case .bareCarriageReturn: "A CR is not followed by LF"
    case .foldedLine: "A header line begins with white space"
    case .whitespaceBeforeColon: "There is white space before the colon of a header field"
    case .fieldNameMalformed: "A header line is not a token, a colon and a value"
    case .fieldValueMalformed(let name): "The value of the header field \(name.shown) holds a control byte"
    case .hostMissing: "The Host header field is missing"
    case .hostRepeated: "There is more than one Host header field"
    case .hostMalformed: "The Host header field is not a host with or without a port"
    case .lengthMalformed: "Content-Length is not a decimal number"
    case .lengthRepeated: "There is more than one Content-Length"
    case .lengthBesideCoding: "Both Content-Length and Transfer-Encoding are given"
    case .codingInOldVersion: "Transfer-Encoding came with HTTP/1.0"
    case .chunkedNotLast: "The last transfer coding is not chunked, or chunked is given twice"
    case .codingUnsupported: "The only transfer coding that this server knows is chunked"
    case .expectationUnsupported: "The only expectation that this server knows is 100-continue"
    case .chunkSizeMalformed: "A chunk's size is not a hexadecimal number"
    case .chunkExtensionMalformed:
      "A chunk's extension holds a control byte or does not begin with a semicolon"
    case .chunkEndMalformed: "A chunk's data is not followed by CR LF"
    case .overLimit(let limit, let allowed):
      "The request is over the limit \(limit.rawValue), which is \(allowed)"
    }
  }
}
