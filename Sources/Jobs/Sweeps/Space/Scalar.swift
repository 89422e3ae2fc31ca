import Text

/// A value that a parameter can have: a JSON value without members.
///
/// Two numbers are equal if they have the same value, however they were written: `1` and `1.0` are one
/// choice.
package enum Scalar: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(ByteString)

  /// The value of a number; nil for everything else. An integer beyond 2^53 is rounded.
  package var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// The same value in the one form in which equal values have the same text: a number that is whole and
  /// fits `Int` as an integer.
  var canonical: Scalar {
    guard case .number(let value) = self, let whole = Int(exactly: value) else { return self }
    return .integer(whole)
  }

  /// A text that equal values share and different values do not. Strings are quoted, with `\` before `"` and
  /// before `\`; nothing else is escaped.
  package var key: String {
    switch canonical {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "\"\(Self.escaped(value.string))\""
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
      result.unicodeScalars.append(scalar)
    }
    return result
  }
}

extension Scalar: Hashable {
  package static func == (one: Scalar, other: Scalar) -> Bool {
    switch (one.canonical, other.canonical) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.text(let a), .text(let b)): a == b
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch canonical {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value)
    case .text(let value): hasher.combine(value)
    }
  }
}

extension Scalar: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral
{
  package init(stringLiteral value: String) { self = .text(ByteString(value)) }
  package init(integerLiteral value: Int) { self = .integer(value) }
  package init(floatLiteral value: Double) { self = .number(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
}
