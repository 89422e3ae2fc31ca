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
    _ key: ByteString, _ range: ClosedRange<Int>, multipleOf unit: Int = 1, into field: inout Int
  ) {
    describe(key, Self.schema(range, multipleOf: unit))
    guard let value = value(key) else { return }
    if let number = value.int, range.contains(number), number % unit == 0 {
      field = number
    } else {
      let what = unit == 1 ? "a whole number" : "a multiple of \(unit)"
      refuse(key, "must be \(what) from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  /// A whole number or `null`.
  package func integer(_ key: ByteString, orNullIn range: ClosedRange<Int>, into field: inout Int?) {
    describe(key, ["anyOf": [["type": "null"], Self.schema(range)]])
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
  package func seed(_ key: ByteString, into field: inout UInt64) {
    var value = Int(field)
    integer(key, 0...9_007_199_254_740_991, into: &value)
    field = UInt64(value)
  }

  /// A number.
  package func number(_ key: ByteString, _ range: NumberRange, into field: inout Double) {
    describe(key, range.schema)
    guard let value = value(key) else { return }
    guard let number = value.double else { return refuse(key, "must be a number \(range.phrase)") }
    if range.contains(number) {
      field = number
    } else {
      refuse(key, "must be \(range.phrase(against: number))")
    }
  }

  /// Two numbers, the first not above the second.
  package func interval(_ key: ByteString, _ range: NumberRange, into field: inout [Double]) {
    describe(key, Self.schema(arrayOf: range.schema, 2...2, "[low, high] with low ≤ high"))
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

  /// One number for both views, or an array of one a view; becomes two numbers.
  package func perView(_ key: ByteString, _ range: NumberRange, into field: inout [Double]) {
    describe(
      key, ["anyOf": [range.schema, Self.schema(arrayOf: range.schema, 2...2, "one number a view")]])
    guard let value = value(key) else { return }
    let elements = value.array ?? [value, value]
    let numbers = elements.compactMap(\.double)
    if elements.count == 2, numbers.count == 2, numbers.allSatisfy(range.contains) {
      field = numbers
    } else {
      refuse(key, "must be a number \(range.phrase), or an array of two such numbers, one a view")
    }
  }

  /// Exactly `count` numbers.
  package func numbers(_ key: ByteString, count: Int, _ range: NumberRange, into field: inout [Double]) {
    describe(key, Self.schema(arrayOf: range.schema, count...count))
    guard let value = value(key) else { return }
    let numbers = value.array?.compactMap(\.double) ?? []
    if value.array?.count == count, numbers.count == count, numbers.allSatisfy(range.contains) {
      field = numbers
    } else {
      refuse(key, "must be an array of \(count) numbers \(range.phrase)")
    }
  }

  /// So many whole numbers.
  package func integers(
    _ key: ByteString, count: ClosedRange<Int>, _ range: ClosedRange<Int>, into field: inout [Int]
  ) {
    describe(key, Self.schema(arrayOf: Self.schema(range), count))
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
  package func boolean(_ key: ByteString, into field: inout Bool) {
    describe(key, ["type": "boolean"])
    guard let value = value(key) else { return }
    if let boolean = value.bool { field = boolean } else { refuse(key, "must be true or false") }
  }

  /// One of the raw values of an enumeration.
  package func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: ByteString, into field: inout Choice
  ) {
    describe(key, ["enum": .array(Choice.allCases.map { .string($0.rawValue) })])
    guard let value = value(key) else { return }
    if let choice = value.string.flatMap(Choice.init(bytes:)) {
      field = choice
    } else {
      let allowed = Choice.allCases.map { "\"\($0.rawValue)\"" }
      refuse(key, "must be \(allowed.count > 1 ? "one of " : "")\(allowed.joined(separator: ", "))")
    }
  }

  /// A plain text of one line and 1 to `bytesMax` bytes.
  package func line(_ key: ByteString, bytesMax: Int, into field: inout ByteString) {
    describe(key, Self.lineSchema(bytesMax: bytesMax))
    guard let value = value(key) else { return }
    if let text = value.string, ObjectReader.isLine(text, bytesMax: bytesMax) {
      field = text
    } else {
      refuse(key, "must be a string of 1 to \(bytesMax) bytes \(ByteString.plainPhrase)")
    }
  }

  /// The members of an object one level down; `read` is not called if there is none.
  package func object(_ key: ByteString, _ read: (ObjectReader) -> Void) {
    describe(key, ObjectReader.schema(read))
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

  /// A text as `isLine` takes it. JSON Schema counts characters, so a text of others than ASCII may meet its
  /// limit earlier.
  package static func lineSchema(bytesMax: Int) -> JSON {
    [
      "type": "string", "minLength": 1, "maxLength": .integer(bytesMax),
      "pattern": .string(ByteString.plainPattern()),
      "description": .string("at most \(bytesMax) bytes of UTF-8"),
    ]
  }

  /// Whether a text has 1 to `bytesMax` bytes of UTF-8 and no hidden character.
  package static func isLine(_ text: ByteString, bytesMax: Int) -> Bool {
    (1...bytesMax).contains(text.count) && text.isPlain()
  }
}
