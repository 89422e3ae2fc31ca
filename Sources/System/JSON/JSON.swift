import Text

/// A JSON value (RFC 8259).
///
/// Numbers that are written without fraction and exponent and fit `Int` are kept exactly; all others are
/// doubles. Two numbers are equal if they have the same value, however they were written.
package enum JSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(ByteString)
  case array([JSON])
  case object([ByteString: JSON])

  /// The member of that name; `nil` if there is none or this is no object.
  package subscript(key: ByteString) -> JSON? { object?[key] }

  package var isNull: Bool { if case .null = self { true } else { false } }

  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  package var string: ByteString? { if case .string(let value) = self { value } else { nil } }

  package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }

  package var object: [ByteString: JSON]? { if case .object(let value) = self { value } else { nil } }

  /// The value of a number that is whole, `1.0` included, and fits `Int`.
  package var int: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The value of a whole number in a range.
  package func int(in range: ClosedRange<Int>) -> Int? { int.flatMap { range.contains($0) ? $0 : nil } }

  /// The largest integer that every reader of JSON keeps exactly (RFC 8259, section 6): 2^53.
  package static let exactIntegerMax = 1 << 53

  /// The value of any number; an integer beyond 2^53 is rounded.
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// A string that was made here.
  package static func string(_ value: String) -> JSON { .string(ByteString(value)) }

  /// An object whose keys were named here.
  package static func object(_ members: [String: JSON]) -> JSON {
    .object(Dictionary(members.map { (ByteString($0.key), $0.value) }, uniquingKeysWith: { $1 }))
  }

  /// `.string`, or `.null` for `nil`.
  package static func optional(_ value: ByteString?) -> JSON { value.map { .string($0) } ?? .null }

  /// `.string`, or `.null` for `nil`.
  package static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }

  /// `.integer`, or `.null` for `nil`.
  package static func optional(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }

  /// What this is, with its article, as error messages name it: `a string`.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSON: Equatable {
  package static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Int(exactly: b) == a
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)): a == b
    default: false
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(ByteString(value)) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (ByteString, JSON)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
  package init(nilLiteral: ()) { self = .null }
}
