import Text

/// An argument of a statement, or a column of a row.
package enum Value: Sendable, Equatable {
  case null
  case integer(Int)
  case real(Double)
  case text(String)
  /// A blob of 64-bit words, each with its lowest byte first.
  case words([UInt64])

  /// The bytes of a text from outside.
  package static func text(_ value: ByteString) -> Value { .text(value.string) }

  /// `.text`, or `.null` for `nil`.
  package static func optional(_ value: ByteString?) -> Value { .optional(value?.string) }

  /// `.text`, or `.null` for `nil`.
  package static func optional(_ value: String?) -> Value { value.map { .text($0) } ?? .null }

  /// `.integer`, or `.null` for `nil`.
  package static func optional(_ value: Int?) -> Value { value.map(Value.integer) ?? .null }

  /// `.real`, or `.null` for `nil` and what is not finite.
  package static func optional(_ value: Double?) -> Value {
    value.flatMap { $0.isFinite ? .real($0) : nil } ?? .null
  }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(stringLiteral value: String) { self = .text(value) }
}

extension Value {
  /// The integer, if it is one.
  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  /// The number, if it is one. SQLite keeps a whole number as an integer, and hands it out as one by
  /// RETURNING.
  var real: Double? {
    switch self {
    case .real(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }
  /// The text, if it is one.
  var text: String? { if case .text(let value) = self { value } else { nil } }
  /// The words of the blob, if it is one.
  var words: [UInt64]? { if case .words(let value) = self { value } else { nil } }
}
