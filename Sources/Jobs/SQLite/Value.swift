/// An argument of a statement, or a column of a row.
package enum Value: Sendable, Equatable {
  case null
  case integer(Int)
  case real(Double)
  case text(String)
  /// A blob of 64-bit words, each with its lowest byte first.
  case words([UInt64])

  /// `.text`, or `.null` for `nil`.
  package static func optional(_ value: String?) -> Value { value.map(Value.text) ?? .null }

  /// `.integer`, or `.null` for `nil`.
  package static func optional(_ value: Int?) -> Value { value.map(Value.integer) ?? .null }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(stringLiteral value: String) { self = .text(value) }
}
