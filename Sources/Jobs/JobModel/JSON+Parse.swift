/// A text that is no JSON: where, and what was expected there.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// From 1.
  package let line: Int
  /// From 1, in characters (Unicode scalars).
  package let column: Int
  package let message: String

  package var description: String { "line \(line), column \(column): \(message)" }
}

extension JSON {
  /// Arrays and objects may stand in one another so deep.
  package static let depthMax = 64

  /// Reads one JSON value with nothing but white space around it.
  ///
  /// Strict (RFC 8259): no comments, trailing commas, leading zeros, control characters in strings, lone
  /// surrogates or invalid UTF-8. Refuses a key that an object has twice, numbers beyond the doubles, and
  /// nesting over `depthMax`.
  package static func parse(_ text: String) throws(JSONError) -> JSON { try parse(Array(text.utf8)) }

  /// Reads UTF-8 bytes.
  package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSON {
    var parser = JSONParser(bytes: bytes)
    return try parser.parseDocument()
  }

  /// Reads some members of a text that has to be an object and nothing else. The others are checked as above,
  /// but for names that they have twice and the size of numbers, and nothing is made of them.
  package static func members(_ names: [String], of text: String) throws(JSONError) -> [String: JSON] {
    var parser = JSONParser(bytes: Array(text.utf8))
    return try parser.parseMembers(names.map { (name: $0, bytes: Array($0.utf8)) })
  }
}

/// Recursive descent over the grammar of RFC 8259, sections 2 to 7.
private struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  var depth = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func parseDocument() throws(JSONError) -> JSON {
    skipSpace()
    if position == bytes.count { throw failure("is empty; a JSON value is expected") }
    let value = try parseValue()
    skipSpace()
    if position < bytes.count { throw failure("nothing may follow the value, found \(found)") }
    return value
  }

  mutating func parseMembers(
    _ names: [(name: String, bytes: [UInt8])]
  ) throws(JSONError) -> [String: JSON] {
    var found: [String: JSON] = [:]
    skipSpace()
    if !take("{") { throw failure("an object is expected, found \(self.found)") }
    depth += 1
    try skipMembers { parser, start, end throws(JSONError) in
      var key = parser.bytes[start..<end]
      if key.contains(UInt8(ascii: "\\")) {
        var again = parser
        again.position = start - 1
        key = Array(try again.parseString().utf8)[...]
      }
      guard let name = names.first(where: { $0.bytes.elementsEqual(key) })?.name else { return false }
      if found[name] != nil { throw parser.failure("the key \"\(name)\" stands twice in one object") }
      found[name] = try parser.parseValue()
      return true
    }
    depth -= 1
    skipSpace()
    if position < bytes.count { throw failure("nothing may follow the value, found \(self.found)") }
    return found
  }

  /// Goes over the members of an object, behind its brace.
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
    var members: [String: JSON] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      if peek != UInt8(ascii: "\"") { throw failure("a key in quotes is expected, found \(found)") }
      let start = position
      let key = try parseString()
      if members[key] != nil {
        position = start
        throw failure("the key \"\(key)\" stands twice in one object")
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

  private mutating func parseString() throws(JSONError) -> String {
    let opening = position
    position += 1
    let start = position
    var decoded: [UInt8]?
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        let content = decoded ?? Array(bytes[start..<position])
        guard let text = String(validating: content, as: UTF8.self) else {
          position = opening
          throw failure("the string is not valid UTF-8")
        }
        position += 1
        return text
      case UInt8(ascii: "\\"):
        if decoded == nil { decoded = Array(bytes[start..<position]) }
        position += 1
        decoded?.append(contentsOf: try parseEscape())
      case 0..<0x20:
        throw failure("a control character in a string must be escaped")
      default:
        decoded?.append(byte)
        position += 1
      }
    }
    position = opening
    throw failure("the string has no end")
  }

  /// What follows a backslash (section 7), as UTF-8.
  private mutating func parseEscape() throws(JSONError) -> [UInt8] {
    let escape = peek
    position += 1
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [bytes[position - 1]]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var units = [try parseHexadecimal()]
      if UTF16.isLeadSurrogate(units[0]), position + 1 < bytes.count,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        units.append(try parseHexadecimal())
      }
      guard let text = String(validating: units, as: UTF16.self) else {
        throw failure("half of a surrogate pair is no character")
      }
      return Array(text.utf8)
    default:
      position -= 1
      throw failure("no escape begins with a backslash and \(found)")
    }
  }

  private mutating func parseHexadecimal() throws(JSONError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = peek.flatMap({ Character(UnicodeScalar($0)).hexDigitValue }) else {
        throw failure("four hexadecimal digits are expected, found \(found)")
      }
      value = value << 4 | UInt16(digit)
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
    return scalar.value < 0x20 ? "a control character" : "\"\(scalar)\""
  }

  private func failure(_ message: String) -> JSONError {
    var line = 1
    var column = 1
    for byte in bytes[..<min(position, bytes.count)] {
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
