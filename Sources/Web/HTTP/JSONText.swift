import Text

/// A text as a JSON string literal with its quotes: the two characters that must be escaped, and
/// control characters (RFC 8259, section 7).
package func jsonLiteral(_ text: ByteString) -> String { jsonLiteral(text.string) }

/// A text of the daemon's own as a JSON string literal.
package func jsonLiteral(_ text: String) -> String {
  let hexDigits = Array("0123456789abcdef".utf8)
  var bytes: [UInt8] = [0x22]
  bytes.reserveCapacity(text.utf8.count + 2)
  for byte in text.utf8 {
    switch byte {
    case 0x22, 0x5C: bytes += [0x5C, byte]
    case 0x0A: bytes += Array("\\n".utf8)
    case 0x0D: bytes += Array("\\r".utf8)
    case 0x09: bytes += Array("\\t".utf8)
    case 0..<0x20: bytes += Array("\\u00".utf8) + [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
    default: bytes.append(byte)
    }
  }
  bytes.append(0x22)
  return String(decoding: bytes, as: UTF8.self)
}
