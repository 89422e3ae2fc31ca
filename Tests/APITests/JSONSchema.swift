import JSONText
import Text

/// A JSON Schema (draft 2020-12) as far as the API's description uses it, written from the specification and
/// apart from what makes the description.
struct JSONSchema {
  let root: JSON
  private let schemas: JSON

  /// - Parameter schemas: what `#/components/schemas/…` refers to.
  init(_ root: JSON, in schemas: JSON) {
    self.root = root
    self.schemas = schemas
  }

  /// What of a value the schema does not allow, each with the place.
  func problems(with value: JSON) -> [String] { problems(value, root, "") }

  /// The schema that a reference names, or the schema itself.
  static func resolve(_ schema: JSON, in schemas: JSON) -> JSON {
    guard let name = schema["$ref"]?.string else { return schema }
    return schemas[name.dropFirst("#/components/schemas/".count)] ?? .null
  }

  private func problems(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
    let schema = JSONSchema.resolve(schema, in: schemas)
    guard schema.object != nil else { return ["\(place): no schema"] }
    var found: [String] = []
    func check(_ holds: Bool, _ what: String) { if !holds { found.append("\(place): \(what)") } }
    if let type = schema["type"] {
      let types = type.string.map { [$0] } ?? type.array?.compactMap(\.string) ?? []
      check(types.contains { JSONSchema.value(value, isOf: $0) }, "is not \(type.text): \(value.text)")
    }
    if let choices = schema["enum"]?.array { check(choices.contains(value), "is none of the enum") }
    if let constant = schema["const"] { check(constant == value, "is not \(constant.text)") }
    for key: ByteString in ["anyOf", "oneOf"] {
      guard let options = schema[key]?.array else { continue }
      let fitting = options.count { problems(value, $0, place).isEmpty }
      check(key == "anyOf" ? fitting > 0 : fitting == 1, "fits \(fitting) of \(key)")
    }
    if let number = value.double, !value.isNull {
      if let least = schema["minimum"]?.double { check(number >= least, "is under \(least)") }
      if let most = schema["maximum"]?.double { check(number <= most, "is over \(most)") }
    }
    if let elements = value.array, let items = schema["items"] {
      for (index, element) in elements.enumerated() { found += problems(element, items, "\(place)/\(index)") }
    }
    return found + memberProblems(value, schema, place)
  }

  private func memberProblems(_ value: JSON, _ schema: JSON, _ place: String) -> [String] {
    guard let members = value.object else { return [] }
    let names = (schema["required"]?.array ?? []).compactMap(\.string)
    var found = names.filter { members[$0] == nil }.map { "\(place): \($0) is missing" }
    for (name, member) in members {
      if let known = schema["properties"]?[name] {
        found += problems(member, known, "\(place)/\(name)")
      } else if schema["additionalProperties"] == false {
        found.append("\(place): \(name) is not described")
      } else if let rest = schema["additionalProperties"], rest.object != nil {
        found += problems(member, rest, "\(place)/\(name)")
      }
    }
    return found
  }

  private static func value(_ value: JSON, isOf type: ByteString) -> Bool {
    switch type {
    case "null": value.isNull
    case "boolean": if case .bool = value { true } else { false }
    case "integer": value.int != nil
    case "number": if case .integer = value { true } else if case .number = value { true } else { false }
    case "string": value.string != nil
    case "array": value.array != nil
    case "object": value.object != nil
    default: false
    }
  }
}
