import Text

extension JSON {
  /// The value as compact JSON on one line: keys in the order of their UTF-8 bytes, integers exactly, doubles
  /// with the fewest digits that read back as the same double (whole ones without a fraction), what is not
  /// finite as `null`.
  package var text: String {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `text` as UTF-8.
  package var utf8: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  /// Appends `text` as UTF-8.
  package func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .number(let value): JSON.write(value, to: &bytes)
    case .string(let value): JSON.write(value, to: &bytes)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        element.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in JSON.ordered(members).enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        JSON.write(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Members in the order of their keys. Most keys differ in their first bytes, which are compared at once.
  private static func ordered(_ members: [ByteString: JSON]) -> [(key: ByteString, value: JSON)] {
    var list = members.map { (leading: $0.key.leading, member: $0) }
    list.sort { one, other in
      one.leading == other.leading
        ? one.member.key < other.member.key : one.leading < other.leading
    }
    return list.map(\.member)
  }

  /// Integers up to here have exact doubles (2^53).
  private static let wholeMax = 9_007_199_254_740_992.0

  private static func write(_ value: Double, to bytes: inout [UInt8]) {
    if !value.isFinite {
      bytes += "null".utf8
    } else if value == value.rounded(), abs(value) <= wholeMax, !(value == 0 && value.sign == .minus) {
      bytes += String(Int(value)).utf8
    } else {
      bytes += value.description.utf8
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  private static func write(_ text: ByteString, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    if text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
      bytes += text.bytes
      return
    }
    for byte in text.bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes += "\\n".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      case 0..<0x20:
        bytes += "\\u00".utf8
        bytes.append(hexDigits[Int(byte >> 4)])
        bytes.append(hexDigits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
  }
}
