import Text

/// The byte classes of the grammar that requests are made of, each above the rule it implements.
package enum Grammar {
  /// tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
  ///       / DIGIT / ALPHA  (RFC 9110, section 5.6.2)
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
    default: isDigit(byte) || isLetter(byte)
    }
  }

  /// field-content = VCHAR / obs-text / SP / HTAB  (RFC 9110, section 5.5)
  static func isFieldContent(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  /// pchar = unreserved / pct-encoded / sub-delims / ":" / "@", and the "/" between segments
  /// (RFC 3986, section 3.3); a percent sign is checked when it is decoded.
  static func isPath(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x24...0x2F, 0x3A, 0x3B, 0x3D, 0x40, 0x5F, 0x7E: true
    default: isDigit(byte) || isLetter(byte)
    }
  }

  /// query = *( pchar / "/" / "?" )  (RFC 3986, section 3.4), and the seven characters that browsers leave
  /// as they are in a query (WHATWG URL, query percent-encode set): [ ] { } | ^ ` and the backslash.
  static func isQuery(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x3F, 0x5B...0x5E, 0x60, 0x7B...0x7D: true
    default: isPath(byte)
    }
  }

  /// uri-host [ ":" port ]  (RFC 9110, section 7.2); the host may be empty, as in an empty Host field.
  ///
  ///     uri-host = IP-literal / IPv4address / reg-name   (RFC 3986, section 3.2.2; no IPvFuture)
  ///     port = *DIGIT, here up to 65535
  static func isAuthority(_ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    if rest.first == 0x5B {
      guard let end = rest.firstIndex(of: 0x5D) else { return false }
      let literal = rest[..<end].dropFirst()
      guard literal.filter({ $0 == 0x3A }).count >= 2,
        literal.allSatisfy({ hexValue($0) != nil || $0 == 0x3A || $0 == 0x2E })
      else { return false }
      rest = rest[end...].dropFirst()
    } else {
      let end = rest.firstIndex(of: 0x3A) ?? rest.endIndex
      guard isRegisteredName(rest[..<end]) else { return false }
      rest = rest[end...]
    }
    guard rest.first == 0x3A else { return rest.isEmpty }
    let port = rest.dropFirst()
    return port.isEmpty || (decimal(port).map { $0 <= 65_535 } ?? false)
  }

  /// reg-name = *( unreserved / pct-encoded / sub-delims )  (RFC 3986, section 3.2.2)
  private static func isRegisteredName(_ bytes: ArraySlice<UInt8>) -> Bool {
    var position = bytes.startIndex
    while position < bytes.endIndex {
      switch bytes[position] {
      case 0x25:
        guard position + 2 < bytes.endIndex, hexValue(bytes[position + 1]) != nil,
          hexValue(bytes[position + 2]) != nil
        else { return false }
        position += 2
      case 0x2F, 0x3A, 0x40: return false
      case let byte where !isPath(byte): return false
      default: break
      }
      position += 1
    }
    return true
  }

  /// DIGIT = %x30-39  (RFC 5234, appendix B.1)
  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// ALPHA = %x41-5A / %x61-7A  (RFC 5234, appendix B.1)
  static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

  /// The value of a HEXDIG in either case (RFC 5234, appendix B.1).
  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// The number that 1*DIGIT stands for; nil for anything else and for what does not fit 63 bits.
  static func decimal(_ bytes: some Collection<UInt8>) -> Int? {
    guard !bytes.isEmpty else { return nil }
    var value = 0
    for byte in bytes {
      guard isDigit(byte) else { return nil }
      let (tens, overTens) = value.multipliedReportingOverflow(by: 10)
      let (sum, overSum) = tens.addingReportingOverflow(Int(byte - 0x30))
      guard !overTens, !overSum else { return nil }
      value = sum
    }
    return value
  }

  /// The members of a comma-separated list without white space around them; empty ones do not count
  /// (RFC 9110, section 5.6.1).
  package static func list(_ value: ByteString) -> [ByteString] {
    value.split(0x2C).map(\.trimmed).filter { !$0.isEmpty }
  }

  /// OWS = *( SP / HTAB )  (RFC 9110, section 5.6.3)
  static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
