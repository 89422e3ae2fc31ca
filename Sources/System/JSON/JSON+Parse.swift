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
