import HTTP
import Platform
import Text

/// Host and port as `Host` and `Origin` have them (RFC 3986, section 3.2): `lab.example:8080`, `[::1]`.
struct Authority: Equatable, Sendable {
  /// In lower case; an IPv6 address has its brackets.
  let host: ByteString
  /// nil: the default of the scheme.
  let port: Int?

  /// nil for a text that is not an authority, or has user information.
  init?(_ text: ByteString) {
    guard text.bytes.allSatisfy(Authority.isAllowed) else { return nil }
    let parts: (host: ByteString, rest: ByteString)
    if text.hasPrefix("[") {
      let sides = text.split(UInt8(ascii: "]"), maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { return nil }
      parts = (ByteString("\(sides[0])]"), sides[1])
    } else {
      let host = ByteString(decoding: text.bytes.prefix { $0 != UInt8(ascii: ":") })
      parts = (host, ByteString(decoding: text.bytes.dropFirst(host.count)))
    }
    host = parts.host.lowercasedASCII
    if parts.rest.isEmpty || parts.rest == ":" {
      port = nil
    } else {
      let digits = parts.rest.bytes.dropFirst()
      guard parts.rest.hasPrefix(":"), digits.count <= 5,
        digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let number = Int(Substring(digits)), number <= 65_535
      else { return nil }
      port = number
    }
  }

  /// Whether the host is an IPv4 address of four decimal numbers or an IPv6 address in brackets. Other forms
  /// that some programs take for an address, such as `0x7f.1` or `2130706433`, are names.
  var isAddress: Bool {
    if host.hasPrefix("["), host.hasSuffix("]") {
      return IPAddress.isIPv6(String(decoding: host.bytes.dropFirst().dropLast(), as: UTF8.self))
    }
    return IPAddress.isIPv4(host.string)
  }

  /// Visible ASCII, except what ends an authority or begins a port's host.
  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "\\"),
      UInt8(ascii: ","):
      false
    default: byte > 0x20 && byte < 0x7F
    }
  }
}
