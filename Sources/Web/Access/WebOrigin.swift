import HTTP
import Text

/// An origin (RFC 6454): scheme, host and port, all three of which have to be equal.
package struct WebOrigin: Hashable, Sendable {
  /// In lower case.
  let scheme: ByteString
  /// In lower case.
  let host: ByteString
  /// nil for a scheme whose default is not known here.
  let port: Int?

  /// Reads `https://lab.example:8443`; nil for anything else, such as `null` or an address with a path.
  package init?(_ text: ByteString) {
    let bytes = Array(text.bytes)
    guard let separator = bytes.firstRange(of: Array("://".utf8)), separator.lowerBound > 0,
      bytes[..<separator.lowerBound].allSatisfy(WebOrigin.isScheme),
      let authority = Authority(ByteString(decoding: bytes[separator.upperBound...])),
      !authority.host.isEmpty
    else { return nil }
    self.init(scheme: ByteString(decoding: bytes[..<separator.lowerBound]).lowercasedASCII, authority)
  }

  /// The origin of the pages that a request's own host has.
  ///
  /// - Parameter scheme: the one that the browser sees.
  init?(of request: Request, scheme: ByteString) {
    guard let text = request.authority, let authority = Authority(text) else { return nil }
    self.init(scheme: scheme, authority)
  }

  private init(scheme: ByteString, _ authority: Authority) {
    self.scheme = scheme
    host = authority.host
    port = authority.port ?? (scheme == "https" ? 443 : scheme == "http" ? 80 : nil)
  }

  /// scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )  (RFC 3986, section 3.1)
  private static func isScheme(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
  }
}
