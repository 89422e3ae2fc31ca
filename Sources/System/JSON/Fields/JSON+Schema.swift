import Text

// The JSON Schemas (draft 2020-12) of simple values.

extension JSON {
  /// A whole number in a range.
  package static func integerSchema(_ range: ClosedRange<Int>, multipleOf unit: Int = 1) -> JSON {
    var members: [ByteString: JSON] = [
      "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
    ]
    if unit > 1 { members["multipleOf"] = .integer(unit) }
    return .object(members)
  }

  /// An array of some number of elements.
  package static func arraySchema(
    of element: JSON, count: ClosedRange<Int>, description: String? = nil
  ) -> JSON {
    var members: [ByteString: JSON] = [
      "type": "array", "items": element, "minItems": .integer(count.lowerBound),
      "maxItems": .integer(count.upperBound),
    ]
    if let description { members["description"] = .string(description) }
    return .object(members)
  }

  /// A text that is one of some names.
  package static func choiceSchema(among names: [String]) -> JSON {
    ["enum": .array(names.map { .string($0) })]
  }

  /// A plain text of one line and 1 to `charactersMax` characters.
  package static func lineSchema(charactersMax: Int) -> JSON {
    [
      "type": "string", "minLength": 1, "maxLength": .integer(charactersMax),
      "pattern": .string(ByteString.plainPattern()),
    ]
  }

  /// The schema with a description before its own.
  package func described(by description: String) -> JSON {
    guard case .object(var members) = self else { return self }
    let own = members["description"]?.string.map { " \($0)" } ?? ""
    members["description"] = .string("\(description)\(own)")
    return .object(members)
  }

  /// The schema with the value that holds where none is given.
  package func withDefault(_ value: JSON) -> JSON {
    guard case .object(var members) = self else { return self }
    members["default"] = value
    return .object(members)
  }
}
