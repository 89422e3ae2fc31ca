import JSONText
import Text

/// Which numbers a field takes.
package enum NumberRange: Sendable {
  /// Both ends belong to it.
  case closed(Double, Double)
  /// The upper end does not belong to it.
  case halfOpen(Double, Double)
  /// Above 0, up to and with the limit.
  case positive(Double)

  /// Whether the value is allowed.
  package func contains(_ value: Double) -> Bool {
    switch self {
    case .closed(let low, let high): low <= value && value <= high
    case .halfOpen(let low, let high): low <= value && value < high
    case .positive(let high): 0 < value && value <= high
    }
  }

  /// The range as a JSON Schema.
  package var schema: JSON {
    switch self {
    case .closed(let low, let high): ["type": "number", "minimum": .number(low), "maximum": .number(high)]
    case .halfOpen(let low, let high):
      ["type": "number", "minimum": .number(low), "exclusiveMaximum": .number(high)]
    case .positive(let high): ["type": "number", "exclusiveMinimum": 0, "maximum": .number(high)]
    }
  }

  /// `> 0`, `from 0 to 1`: as it goes on after "must be".
  package var phrase: String {
    switch self {
    case .closed(let low, let high): "from \(JSON.number(low).text) to \(JSON.number(high).text)"
    case .halfOpen(let low, let high): "≥ \(JSON.number(low).text) and < \(JSON.number(high).text)"
    case .positive(let high): "> 0 and ≤ \(JSON.number(high).text)"
    }
  }

  /// The part of the phrase that a value offends.
  package func phrase(against value: Double) -> String {
    if case .positive = self, value <= 0 { return "> 0" }
    return phrase
  }
}

extension ObjectReader {
  /// A whole number, `1.0` included.
  package func integer(
    _ key: ByteString, _ range: ClosedRange<Int>, multipleOf unit: Int = 1, into field: inout Int,
    _ description: String
  ) {
    describe(key, description, Self.schema(range, multipleOf: unit))
    guard let value = value(key) else { return }
    if let number = value.int, range.contains(number), number % unit == 0 {
      field = number
    } else {
      let what = unit == 1 ? "a whole number" : "a multiple of \(unit)"
      refuse(key, "must be \(what) from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// A whole number or `null`.
  package func integer(
    _ key: ByteString, orNullIn range: ClosedRange<Int>, into field: inout Int?, _ description: String
  ) {
    describe(key, description, ["anyOf": [["type": "null"], Self.schema(range)]])
    guard let value = value(key) else { return }
    if value.isNull {
      field = nil
    } else if let number = value.int, range.contains(number) {
      field = number
    } else {
      refuse(key, "must be null or a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// A whole number that every reader of JSON keeps apart from its neighbours: 0 to 2^53 − 1 (RFC 8259,
  /// section 6).
  package func seed(_ key: ByteString, into field: inout UInt64, _ description: String) {
    var value = Int(field)
    integer(key, 0...9_007_199_254_740_991, into: &value, description)
    field = UInt64(value)
  }

  /// A number.
  package func number(
    _ key: ByteString, _ range: NumberRange, into field: inout Double, _ description: String
  ) {
    describe(key, description, range.schema)
    guard let value = value(key) else { return }
    guard let number = value.double else { return refuse(key, "must be a number \(range.phrase)") }
    if range.contains(number) {
      field = number
    } else {
      refuse(key, "must be \(range.phrase(against: number))")
    }
  }

  /// Two numbers, the first not above the second.
  package func interval(
    _ key: ByteString, _ range: NumberRange, into field: inout [Double], _ description: String
  ) {
    describe(
      key, description, Self.schema(arrayOf: range.schema, 2...2, "[low, high] with low ≤ high."))
    guard let value = value(key) else { return }
    let numbers = value.array?.compactMap(\.double) ?? []
    if value.array?.count == 2, numbers.count == 2, numbers.allSatisfy(range.contains),
      numbers[0] <= numbers[1]
    {
      field = numbers
    } else {
      refuse(key, "must be [low, high] with low ≤ high, both \(range.phrase)")
    }
  }

  /// One number for both views, or an array of one per view; becomes two numbers.
  package func perView(
    _ key: ByteString, _ range: NumberRange, into field: inout [Double], _ description: String
  ) {
    describe(
      key, description,
      ["anyOf": [range.schema, Self.schema(arrayOf: range.schema, 2...2, "One number per view.")]])
    guard let value = value(key) else { return }
    let elements = value.array ?? [value, value]
    let numbers = elements.compactMap(\.double)
    if elements.count == 2, numbers.count == 2, numbers.allSatisfy(range.contains) {
      field = numbers
    } else {
      refuse(key, "must be a number \(range.phrase), or an array of two such numbers, one per view")
    }
  }

  /// Exactly `count` numbers.
  package func numbers(
    _ key: ByteString, count: Int, _ range: NumberRange, into field: inout [Double], _ description: String
  ) {
    describe(key, description, Self.schema(arrayOf: range.schema, count...count))
    guard let value = value(key) else { return }
    let numbers = value.array?.compactMap(\.double) ?? []
    if value.array?.count == count, numbers.count == count, numbers.allSatisfy(range.contains) {
      field = numbers
    } else {
      refuse(key, "must be an array of \(count) numbers \(range.phrase)")
    }
  }

  /// An array of whole numbers.
  package func integers(
    _ key: ByteString, count: ClosedRange<Int>, _ range: ClosedRange<Int>, into field: inout [Int],
    _ description: String
  ) {
    describe(key, description, Self.schema(arrayOf: Self.schema(range), count))
    guard let value = value(key) else { return }
    let numbers = value.array?.compactMap(\.int) ?? []
    if numbers.count == value.array?.count, count.contains(numbers.count), numbers.allSatisfy(range.contains)
    {
      field = numbers
    } else {
      refuse(
        key,
        "must be an array of \(count.lowerBound) to \(count.upperBound) whole numbers from "
          + "\(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// `true` or `false`.
  package func boolean(_ key: ByteString, into field: inout Bool, _ description: String) {
    describe(key, description, ["type": "boolean"])
    guard let value = value(key) else { return }
    if let boolean = value.bool { field = boolean } else { refuse(key, "must be true or false") }
  }

  /// One of the raw values of an enumeration.
  package func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: ByteString, into field: inout Choice, _ description: String
  ) {
    let names = Choice.allCases.map(\.rawValue)
    describe(key, description, Self.schema(among: names))
    guard let value = value(key) else { return }
    if let choice = value.string.flatMap(Choice.init(bytes:)) {
      field = choice
    } else {
      refuse(key, Self.requirement(among: names))
    }
  }

  /// What a member must be that is one of some names.
  package static func requirement(among names: [String]) -> String {
    "must be \(names.count > 1 ? "one of " : "")\(names.map { "\"\($0)\"" }.joined(separator: ", "))"
  }

  /// A text that is one of some names.
  static func schema(among names: [String]) -> JSON { ["enum": .array(names.map(JSON.string))] }

  /// A plain text of one line and 1 to `charactersMax` characters.
  package func line(
    _ key: ByteString, charactersMax: Int, into field: inout ByteString, _ description: String
  ) {
    describe(key, description, Self.lineSchema(charactersMax: charactersMax))
    guard let value = value(key) else { return }
    if let text = value.string, ObjectReader.isLine(text, charactersMax: charactersMax) {
      field = text
    } else {
      refuse(key, Self.lineRequirement(charactersMax: charactersMax))
    }
  }

  /// What a text must be that `isLine` takes.
  package static func lineRequirement(charactersMax: Int) -> String {
    "must be a string of 1 to \(charactersMax) characters \(ByteString.plainPhrase)"
  }

  /// The members of an object one level down; `read` is not called if there is none.
  package func object(_ key: ByteString, _ description: String, _ read: (ObjectReader) -> Void) {
    describe(key, description, ObjectReader.schema(read))
    guard let value = value(key) else { return }
    let reader = ObjectReader(value, at: pointer(to: key), problems, places: places)
    if value.object == nil { return }
    read(reader)
    reader.finish()
  }

  /// A whole number in a range.
  package static func schema(_ range: ClosedRange<Int>, multipleOf unit: Int = 1) -> JSON {
    var members: [ByteString: JSON] = [
      "type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
    ]
    if unit > 1 { members["multipleOf"] = .integer(unit) }
    return .object(members)
  }

  /// So many elements.
  private static func schema(
    arrayOf element: JSON, _ count: ClosedRange<Int>, _ description: String? = nil
  ) -> JSON {
    var members: [ByteString: JSON] = [
      "type": "array", "items": element, "minItems": .integer(count.lowerBound),
      "maxItems": .integer(count.upperBound),
    ]
    if let description { members["description"] = .string(description) }
    return .object(members)
  }

  /// A text as `isLine` takes it.
  package static func lineSchema(charactersMax: Int) -> JSON {
    [
      "type": "string", "minLength": 1, "maxLength": .integer(charactersMax),
      "pattern": .string(ByteString.plainPattern()),
    ]
  }

  /// Whether a text has 1 to `charactersMax` characters (Unicode scalars, as JSON Schema counts them), none
  /// of them hidden.
  package static func isLine(_ text: ByteString, charactersMax: Int) -> Bool {
    (1...charactersMax).contains(text.charactersCount) && text.isPlain()
  }
}
