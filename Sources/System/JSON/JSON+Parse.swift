import Text

/// A text that is not valid JSON, or over a limit: where, and what was expected there.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// From 1.
  package let line: Int
  /// From 1, in characters (Unicode scalars).
  package let column: Int
  package let message: String

  package var description: String { "line \(line), column \(column): \(message)" }
}

extension JSON {
  /// How deeply arrays and objects may be nested.
  package static let depthMax = 64

  /// Reads one JSON value with nothing but white space around it.
  ///
  /// Strict (RFC 8259): no comments, trailing commas, leading zeros, control characters in strings, lone
  /// surrogates or invalid UTF-8. Refuses a key that an object has twice, numbers beyond the doubles, and
  /// nesting over `depthMax`.
  /// A byte order mark at the start is skipped (section 8.1).
  package static func parse(
    _ text: String, limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> JSON { try parse(Array(text.utf8), limits: limits) }

  /// Reads UTF-8 bytes.
  package static func parse(
    _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) -> JSON {
    var parser = JSONParser(bytes: bytes, limits: limits)
    return try parser.parseDocument()
  }

  /// Reads some members of a text that has to be an object and nothing else. The others are checked as above,
  /// but for names that they have twice and the size of numbers, and nothing is made of them.
  package static func members(
    _ names: [ByteString], of text: String
  ) throws(JSONError) -> [ByteString: JSON] {
    var parser = JSONParser(bytes: Array(text.utf8), limits: JSONLimits())
    return try parser.parseMembers(names.map { (name: $0, bytes: Array($0.bytes)) })
  }
}

/// What a text may have, so that its value costs no more memory than its size explains.
package struct JSONLimits: Sendable {
  /// Members of one object.
  package let membersMax: Int
  /// Values in one text, those inside arrays and objects included.
  package let valuesMax: Int

  /// Where nothing else is said.
  package static let membersMaxDefault = 1_000
  /// Where nothing else is said.
  package static let valuesMaxDefault = 250_000

  package init(membersMax: Int = membersMaxDefault, valuesMax: Int = valuesMaxDefault) {
    self.membersMax = membersMax
    self.valuesMax = valuesMax
  }

  /// For texts of the daemon's own, whose size is bounded where they are read.
  package static let none = JSONLimits(membersMax: .max, valuesMax: .max)
}

/// Recursive descent over the grammar of RFC 8259, sections 2 to 7.
private struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  var depth = 0
  let limits: JSONLimits
  var values = 0
  /// Where the text begins, after a byte order mark.
  let begin: Int

  init(bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
    begin = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    position = begin
  }

  mutating func parseDocument() throws(JSONError) -> JSON {
    skipSpace()
    if position == bytes.count { throw failure("is empty; a JSON value is expected") }
    let value = try parseValue()
    skipSpace()
    if position < bytes.count { throw failure("nothing may follow the value, found \(found)") }
    return value
  }

  mutating func parseMembers(
    _ names: [(name: ByteString, bytes: [UInt8])]
  ) throws(JSONError) -> [ByteString: JSON] {
    var found: [ByteString: JSON] = [:]
    skipSpace()
    if !take("{") { throw failure("an object is expected, found \(self.found)") }
    depth += 1
    try skipMembers { parser, start, end throws(JSONError) in
      var key = parser.bytes[start..<end]
      if key.contains(UInt8(ascii: "\\")) {
        var again = parser
        again.position = start - 1
        key = Array(try again.parseString().bytes)[...]
      }
      guard let name = names.first(where: { $0.bytes.elementsEqual(key) })?.name else { return false }
      if found[name] != nil {
        throw parser.failure("the key \"\(name.shown)\" may be given only once in an object")
      }
      found[name] = try parser.parseValue()
      return true
    }
    depth -= 1
    skipSpace()
    if position < bytes.count { throw failure("nothing may follow the value, found \(self.found)") }
    return found
  }

  /// Goes over the members of an object, after its brace.
  ///
  /// - Parameter take: told the bytes of each key; whether it has read the value.
  private mutating func skipMembers(
    _ take: (inout JSONParser, _ start: Int, _ end: Int) throws(JSONError) -> Bool
  ) throws(JSONError) {
    skipSpace()
    if self.take("}") { return }
    while true {
      skipSpace()
      if peek != UInt8(ascii: "\"") { throw failure("a key in quotes is expected, found \(found)") }
      let start = position + 1
      try skipString()
      let end = position - 1
      skipSpace()
      if !self.take(":") { throw failure("\":\" is expected, found \(found)") }
      skipSpace()
      if try !take(&self, start, end) { try skipValue() }
      skipSpace()
      if self.take("}") { return }
      if !self.take(",") { throw failure("\",\" or \"}\" is expected, found \(found)") }
    }
  }

  private mutating func skipValue() throws(JSONError) {
    switch peek {
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): _ = try skipNumber()
    case UInt8(ascii: "{"):
      if depth == JSON.depthMax { throw failure("is nested deeper than \(JSON.depthMax) levels") }
      depth += 1
      position += 1
      try skipMembers { _, _, _ in false }
      depth -= 1
    // Arrays and words are rare in the lines of a run.
    default: _ = try parseValue()
    }
  }

  private mutating func skipString() throws(JSONError) {
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

  private mutating func parseValue() throws(JSONError) -> JSON {
    values += 1
    if values > limits.valuesMax {
      throw failure("is over the limit json_values_max, which is \(limits.valuesMax)")
    }
    switch peek {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.parseObject() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.parseArray() }
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try parseNumber()
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    default: throw failure("a value is expected, found \(found)")
    }
  }

  private mutating func nested(
    _ body: (inout JSONParser) throws(JSONError) -> JSON
  ) throws(JSONError) -> JSON {
    if depth == JSON.depthMax { throw failure("is nested deeper than \(JSON.depthMax) levels") }
    depth += 1
    position += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func parseObject() throws(JSONError) -> JSON {
    var members: [ByteString: JSON] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      if peek != UInt8(ascii: "\"") { throw failure("a key in quotes is expected, found \(found)") }
      let start = position
      let key = try parseString()
      if members.count == limits.membersMax {
        position = start
        throw failure("the object is over the limit json_members_max, which is \(limits.membersMax)")
      }
      if members[key] != nil {
        position = start
        throw failure("the key \"\(key.shown)\" may be given only once in an object")
      }
      skipSpace()
      if !take(":") { throw failure("\":\" is expected, found \(found)") }
      skipSpace()
      members[key] = try parseValue()
      skipSpace()
      if take("}") { return .object(members) }
      if !take(",") { throw failure("\",\" or \"}\" is expected, found \(found)") }
    }
  }

  private mutating func parseArray() throws(JSONError) -> JSON {
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return .array(elements) }
    while true {
      skipSpace()
      elements.append(try parseValue())
      skipSpace()
      if take("]") { return .array(elements) }
      if !take(",") { throw failure("\",\" or \"]\" is expected, found \(found)") }
    }
  }

  private mutating func parseWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let text = word.description
    let end = position + text.utf8.count
    guard end <= bytes.count, bytes[position..<end].elementsEqual(text.utf8) else {
      throw failure("\(text) is expected")
    }
    position = end
    return value
  }

  /// Goes over `number = [ "-" ] int [ frac ] [ exp ]` (section 6); whether it has neither of the latter.
  private mutating func skipNumber() throws(JSONError) -> Bool {
    var isInteger = true
    _ = take("-")
    if take("0") {
      if isDigit(peek) { throw failure("a number has no leading zero") }
    } else {
      try skipDigits()
    }
    if take(".") {
      isInteger = false
      try skipDigits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try skipDigits()
    }
    return isInteger
  }

  private mutating func parseNumber() throws(JSONError) -> JSON {
    let start = position
    let isInteger = try skipNumber()
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text), !(value == 0 && text.utf8.first == UInt8(ascii: "-")) {
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else {
      position = start
      throw failure("the number is too large for a double")
    }
    return .number(value)
  }

  private mutating func skipDigits() throws(JSONError) {
    if !isDigit(peek) { throw failure("a digit is expected, found \(found)") }
    while isDigit(peek) { position += 1 }
  }

  private mutating func parseString() throws(JSONError) -> ByteString {
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

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func isDigit(_ byte: UInt8?) -> Bool {
    byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
  }

  /// The character at the position, for messages.
  private var found: String {
    guard position < bytes.count else { return "the end" }
    let rest = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
    let scalar = rest.unicodeScalars.first ?? "\u{FFFD}"
    return scalar.value < 0x20 ? "a control character" : "\"\(ByteString("\(scalar)").shown)\""
  }

  private func failure(_ message: String) -> JSONError {
    var line = 1
    var column = 1
    for byte in bytes[begin..<max(begin, min(position, bytes.count))] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return JSONError(line: line, column: column, message: message)
  }
}
