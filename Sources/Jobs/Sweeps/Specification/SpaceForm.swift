import JSONText
import Text

// How a search space is written in JSON: `{"/optimizer/lr": {"log_uniform": [1e-4, 1e-2]}, …}`.

extension Form where Value == [Parameter] {
  /// Parameters by their pointers; whether they make a space is checked by `SearchSpace`.
  static var space: Form {
    Form(
      schema: { _ in
        [
          "type": "object", "minProperties": 1, "maxProperties": .integer(SearchSpace.parametersMax),
          "propertyNames": ["pattern": "^/"], "additionalProperties": ParameterForm.schema,
        ]
      },
      read: { value, key, reader, parameters in
        guard let members = value.object else { return reader.refuse(key, "must be an object") }
        parameters = members.sorted { $0.key < $1.key }.compactMap { pointer, member in
          ParameterForm.read(member, pointer, at: reader.pointer(to: key), reader.problems)
        }
      },
      json: ParameterForm.json, write: { ParameterForm.json($0).write(to: &$1) })
  }
}

/// One parameter of a space in JSON.
private enum ParameterForm {
  static let domains: [ByteString] = ["choice", "uniform", "log_uniform", "int"]

  static let schema: JSON = [
    "type": "object", "additionalProperties": false,
    "oneOf": .array(domains.map { ["required": [.string($0)]] }),
    "properties": [
      "choice": [
        "description": "One of these values, in no order.", "type": "array", "minItems": 1,
        "maxItems": .integer(SearchSpace.choicesMax), "items": scalar,
      ],
      "uniform": interval("Any number from the first to the second.", "number"),
      "log_uniform": interval(
        "Any number from the first to the second, both above 0; each power of ten is equally likely.",
        "number"
      ),
      "int": interval("Any whole number from the first to the second.", "integer"),
      "step": [
        "description": "Of int: the distance between neighbouring values.", "type": "integer", "minimum": 1,
        "default": 1,
      ],
      "if": [
        "description": "The parameter is there only where each of these has this value, or one of these.",
        "type": "object", "minProperties": 1,
        "additionalProperties": ["anyOf": [scalar, ["type": "array", "minItems": 1, "items": scalar]]],
      ],
    ],
  ]

  private static let scalar: JSON = ["type": ["string", "number", "boolean", "null"]]

  private static func interval(_ description: String, _ type: String) -> JSON {
    .arraySchema(of: ["type": .string(type)], count: 2...2, description: description)
  }

  /// nil: something of it is wrong, which has been noted.
  static func read(
    _ value: JSON, _ pointer: ByteString, at space: String, _ problems: ProblemList
  ) -> Parameter? {
    let before = problems.total
    let reader = ObjectReader(value, at: ObjectReader.pointer(to: pointer, in: space), problems)
    guard reader.isObject else { return nil }
    let given = domains.filter { reader.value($0) != nil }
    let step = reader.value("step")
    let conditions = readConditions(reader)
    reader.finish()
    guard let name = given.first, given.count == 1 else {
      problems.add(
        reader.pointer, "must have one of choice, uniform, log_uniform and int, got \(given.count)")
      return nil
    }
    let domain = readDomain(name, step: step, reader)
    guard let domain, problems.total == before else { return nil }
    return Parameter(pointer, domain, if: conditions)
  }

  private static func readDomain(_ name: ByteString, step: JSON?, _ reader: ObjectReader) -> Domain? {
    let value = reader.value(name) ?? .null
    if step != nil, name != "int" { reader.refuse("step", "is allowed only with int") }
    switch name {
    case "choice":
      let values = value.array?.compactMap(Scalar.init) ?? []
      if value.array?.count == values.count, !values.isEmpty { return .choice(values) }
      reader.refuse(name, "must be an array of strings, numbers, booleans and nulls, at least one")
    case "int":
      let bounds = value.array?.compactMap(\.int) ?? []
      let distance = step.map(\.int) ?? 1
      if distance == nil { reader.refuse("step", "must be a whole number of at least 1") }
      if let distance, value.array?.count == 2, bounds.count == 2 {
        return .int(low: bounds[0], high: bounds[1], step: distance)
      }
      if distance != nil { reader.refuse(name, "must be an array of two whole numbers") }
    default:
      let bounds = value.array?.compactMap(\.double) ?? []
      if value.array?.count == 2, bounds.count == 2 {
        return name == "uniform"
          ? .uniform(low: bounds[0], high: bounds[1]) : .logUniform(low: bounds[0], high: bounds[1])
      }
      reader.refuse(name, "must be an array of two numbers")
    }
    return nil
  }

  private static func readConditions(_ reader: ObjectReader) -> [Condition] {
    guard let value = reader.value("if") else { return [] }
    guard let members = value.object, !members.isEmpty else {
      reader.refuse("if", "must be an object of at least one parameter and its values")
      return []
    }
    return members.sorted { $0.key < $1.key }.compactMap { pointer, value in
      let elements = value.array ?? [value]
      let values = elements.compactMap(Scalar.init)
      if values.count == elements.count { return Condition(pointer, in: values) }
      reader.problems.add(
        ObjectReader.pointer(to: pointer, in: reader.pointer(to: "if")),
        "must be a string, number, boolean or null, or an array of such values, \(value.phrase)")
      return nil
    }
  }

  static func json(_ parameters: [Parameter]) -> JSON {
    .object(Dictionary(parameters.map { ($0.pointer, json($0)) }, uniquingKeysWith: { $1 }))
  }

  private static func json(_ parameter: Parameter) -> JSON {
    var members: [ByteString: JSON] = [:]
    switch parameter.domain {
    case .choice(let values): members["choice"] = .array(values.map(\.json))
    case .uniform(let low, let high): members["uniform"] = [.number(low), .number(high)]
    case .logUniform(let low, let high): members["log_uniform"] = [.number(low), .number(high)]
    case .int(let low, let high, let step):
      members["int"] = [.integer(low), .integer(high)]
      if step != 1 { members["step"] = .integer(step) }
    }
    let conditions = parameter.conditions.map { condition in
      let values = condition.values.map(\.json)
      return (condition.pointer, values.count == 1 ? values[0] : .array(values))
    }
    if !conditions.isEmpty {
      members["if"] = .object(Dictionary(conditions, uniquingKeysWith: { $1 }))
    }
    return .object(members)
  }
}

extension Scalar {
  /// The value of JSON without members; nil for an array or object.
  package init?(_ json: JSON) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .string(let value): self = .text(value)
    case .array, .object: return nil
    }
  }

  /// The value as JSON.
  package var json: JSON {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .text(let value): .string(value)
    }
  }
}

extension Configuration {
  /// Values by pointer.
  package var json: JSON { .object(values.mapValues(\.json)) }

  /// Reads what `json` has made; nil for anything else.
  package init?(_ json: JSON) {
    guard let members = json.object else { return nil }
    let values = members.compactMapValues(Scalar.init)
    guard values.count == members.count else { return nil }
    self.init(values)
  }
}
