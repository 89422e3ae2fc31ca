import Text

/// Strings and their escapes (RFC 8259, section 7).
extension JSONParser {
  /// Goes over the string at the position; whether it is valid UTF-8 is not looked at.
  mutating func skipString() throws(JSONError) {
    let opening = position
    position += 1
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        position += 1
        _ = try parseEscape()
      case 0..<0x20: throw failure("a control character in a string must be escaped")
      default: position += 1
      }
    }
    position = opening
    throw failure("the string has no end")
  }

  /// Reads the string at the position.
  mutating func parseString() throws(JSONError) -> ByteString {
    let opening = position
    position += 1
    // What stands before `start` has been decoded; without an escape nothing has to be.
    var start = position
    var decoded: [UInt8] = []
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        if !decoded.isEmpty { decoded += bytes[start..<position] }
        guard let text = ByteString(validating: decoded.isEmpty ? bytes[start..<position] : decoded[...])
        else {
          position = opening
          throw failure("the string is not valid UTF-8")
        }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        decoded += bytes[start..<position]
        position += 1
        decoded += UTF8.encode(try parseEscape()) ?? UTF8.encodedReplacementCharacter
        start = position
      case 0..<0x20:
        throw failure("a control character in a string must be escaped")
      default: position += 1
      }
    }
    position = opening
    throw failure("the string has no end")
  }

  /// The character that what follows a backslash stands for (section 7).
  private mutating func parseEscape() throws(JSONError) -> Unicode.Scalar {
    let escape = peek
    position += 1
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(bytes[position - 1])
    case UInt8(ascii: "b"): return "\u{08}"
    case UInt8(ascii: "f"): return "\u{0C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try parseUnicodeEscape()
    default:
      position -= 1
      throw failure("no escape begins with a backslash and \(found)")
    }
  }

  /// What follows `\u`: one unit of UTF-16, or two of which the second is escaped as well.
  private mutating func parseUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let first = UInt32(try parseHexadecimal())
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, take("\\"), take("u") {
      let second = UInt32(try parseHexadecimal())
      if (0xDC00..<0xE000).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      {
        return scalar
      }
    }
    throw failure("half of a surrogate pair is not a character")
  }

  private mutating func parseHexadecimal() throws(JSONError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      switch peek {
      case .some(let byte) where isDigit(byte): value = value << 4 | UInt16(byte - UInt8(ascii: "0"))
      case .some(let byte) where (0x61...0x66).contains(byte | 0x20):
        value = value << 4 | UInt16((byte | 0x20) - 0x61 + 10)
      default: throw failure("four hexadecimal digits are expected, found \(found)")
      }
      position += 1
    }
    return value
  }
}
