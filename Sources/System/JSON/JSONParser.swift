import Text

/// Recursive descent over the grammar of RFC 8259, sections 2 to 7: documents, arrays and objects.
///
/// Each part stops at the first byte that is not its own.
struct JSONParser {
  /// The text, in UTF-8.
  let bytes: [UInt8]
  /// The index in `bytes` of the next one to read.
  var position = 0
  /// Arrays and objects around the position.
  var depth = 0
  /// What the text may have.
  let limits: JSONLimits
  /// Values begun so far.
  var values = 0
  /// Where the text begins, after a byte order mark.
  let begin: Int

  /// A parser at the start of a text.
  init(bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
    begin = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    position = begin
  }

  /// Reads one value with nothing but white space around it.
  mutating func parseDocument() throws(JSONError) -> JSON {
    skipSpace()
    if position == bytes.count { throw failure("is empty; a JSON value is expected") }
    let value = try parseValue()
    skipSpace()
    if position < bytes.count { throw failure("nothing may follow the value, found \(found)") }
    return value
  }

  /// Reads the value at the position.
  mutating func parseValue() throws(JSONError) -> JSON {
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

  /// Goes over white space (section 2).
  mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  /// Goes over `character` if it comes next; whether it did.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// The byte at the position; `nil` at the end.
  var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Whether a byte is one of `0` to `9`.
  func isDigit(_ byte: UInt8?) -> Bool {
    byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
  }

  /// The character at the position, for messages.
  var found: String {
    guard position < bytes.count else { return "the end" }
    let rest = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
    let scalar = rest.unicodeScalars.first ?? "\u{FFFD}"
    return scalar.value < 0x20 ? "a control character" : "\"\(ByteString("\(scalar)").shown)\""
  }

  /// An error at the position.
  func failure(_ message: String) -> JSONError {
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
