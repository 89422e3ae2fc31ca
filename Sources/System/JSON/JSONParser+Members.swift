import Text

/// Some members of a long object, the others only gone over.
extension JSONParser {
  /// Reads some members of an object with nothing but white space around it, each by its name and that name's
  /// bytes.
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
}
