import Text

extension Form where Value == Int {
  /// A whole number, `1.0` included.
  package static func integer(_ range: ClosedRange<Int>, multipleOf unit: Int = 1) -> Form {
    let what = unit == 1 ? "a whole number" : "a multiple of \(unit)"
    return Form(
      schema: .integerSchema(range, multipleOf: unit),
      requirement: { _ in "must be \(what) from \(range.lowerBound) to \(range.upperBound)" },
      parse: { $0.int.flatMap { range.contains($0) && $0 % unit == 0 ? $0 : nil } }, json: JSON.integer)
  }

  /// An odd number.
  package static func odd(_ range: ClosedRange<Int>) -> Form {
    let numbers = range.filter { $0 % 2 == 1 }
    return Form(
      schema: ["enum": .array(numbers.map(JSON.integer))],
      requirement: { value in
        value.int.map(range.contains) == true
          ? "must be odd" : "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
      },
      parse: { $0.int.flatMap { numbers.contains($0) ? $0 : nil } }, json: JSON.integer)
  }
}

extension Form where Value == Int? {
  /// A whole number or `null`.
  package static func integerOrNull(_ range: ClosedRange<Int>) -> Form {
    Form(
      schema: ["anyOf": [["type": "null"], .integerSchema(range)]],
      requirement: { _ in "must be null or a whole number from \(range.lowerBound) to \(range.upperBound)" },
      parse: { $0.orNull { $0.int(in: range) } }, json: { .optional($0) })
  }
}

extension Form where Value == UInt64 {
  /// A whole number that every reader of JSON keeps apart from its neighbours: 0 to 2^53 − 1 (RFC 8259,
  /// section 6).
  package static var seed: Form {
    let range = 0...9_007_199_254_740_991
    return Form(
      schema: .integerSchema(range),
      requirement: { _ in "must be a whole number from \(range.lowerBound) to \(range.upperBound)" },
      parse: { $0.int.flatMap { range.contains($0) ? UInt64($0) : nil } }, json: { .integer(Int($0)) })
  }
}

extension Form where Value == Double {
  /// A number.
  package static func number(_ range: NumberRange) -> Form {
    Form(
      schema: range.schema,
      requirement: { value in
        value.double.map { "must be \(range.phrase(against: $0))" } ?? "must be a number \(range.phrase)"
      },
      parse: { $0.double.flatMap { range.contains($0) ? $0 : nil } }, json: JSON.number)
  }
}

extension Form where Value == Double? {
  /// A number or `null`.
  package static func numberOrNull(_ range: NumberRange) -> Form {
    Form(
      schema: ["anyOf": [["type": "null"], range.schema]],
      requirement: { _ in "must be null or a number \(range.phrase)" },
      parse: { $0.orNull { $0.double.flatMap { range.contains($0) ? $0 : nil } } },
      json: { $0.map(JSON.number) ?? .null })
  }
}

extension Form where Value == ClosedRange<Double> {
  /// Two numbers, the first not above the second.
  package static func interval(_ range: NumberRange) -> Form {
    Form(
      schema: .arraySchema(of: range.schema, count: 2...2, description: "[low, high] with low ≤ high."),
      requirement: { _ in "must be [low, high] with low ≤ high, both \(range.phrase)" },
      parse: { value in
        range.numbers(value, count: 2).flatMap { $0[0] <= $0[1] ? $0[0]...$0[1] : nil }
      }, json: { [.number($0.lowerBound), .number($0.upperBound)] })
  }
}

extension Form where Value == [Double] {
  /// One number for both views, or an array of one per view; becomes two numbers.
  package static func perView(_ range: NumberRange) -> Form {
    let list = JSON.arraySchema(of: range.schema, count: 2...2, description: "One number per view.")
    return Form(
      schema: ["anyOf": [range.schema, list]],
      requirement: { _ in
        "must be a number \(range.phrase), or an array of two such numbers, one per view"
      },
      parse: { value in
        range.numbers(value.array == nil ? .array([value, value]) : value, count: 2)
      }, json: array)
  }

  /// Exactly `count` numbers.
  package static func numbers(count: Int, _ range: NumberRange) -> Form {
    Form(
      schema: .arraySchema(of: range.schema, count: count...count),
      requirement: { _ in "must be an array of \(count) numbers \(range.phrase)" },
      parse: { range.numbers($0, count: count) }, json: array)
  }

  @Sendable private static func array(_ numbers: [Double]) -> JSON { .array(numbers.map(JSON.number)) }
}

extension NumberRange {
  /// The numbers of an array of that many, all in the range; nil for anything else.
  fileprivate func numbers(_ value: JSON, count: Int) -> [Double]? {
    guard let elements = value.array, elements.count == count else { return nil }
    let numbers = elements.compactMap(\.double)
    return numbers.count == count && numbers.allSatisfy(contains) ? numbers : nil
  }
}

extension Form where Value == [Int] {
  /// An array of whole numbers.
  package static func integers(_ range: ClosedRange<Int>, count: ClosedRange<Int>) -> Form {
    Form(
      schema: .arraySchema(of: .integerSchema(range), count: count),
      requirement: { _ in
        "must be an array of \(count.lowerBound) to \(count.upperBound) whole numbers from "
          + "\(range.lowerBound) to \(range.upperBound)"
      },
      parse: { value in
        guard let elements = value.array, count.contains(elements.count) else { return nil }
        let numbers = elements.compactMap(\.int)
        return numbers.count == elements.count && numbers.allSatisfy(range.contains) ? numbers : nil
      }, json: { .array($0.map(JSON.integer)) })
  }
}

extension Form where Value == Bool {
  /// `true` or `false`.
  package static var boolean: Form {
    Form(
      schema: ["type": "boolean"], requirement: { _ in "must be true or false" }, parse: \.bool,
      json: JSON.bool)
  }
}

extension Form where Value: RawRepresentable<String> & CaseIterable {
  /// One of the raw values of an enumeration.
  package static var choice: Form {
    let names = Value.allCases.map(\.rawValue)
    return Form(
      schema: .choiceSchema(among: names), requirement: { _ in JSON.requirement(among: names) },
      parse: { $0.string.flatMap(Value.init(bytes:)) }, json: { .string($0.rawValue) })
  }
}

extension Form {
  /// One of the raw values of an enumeration, or `null`.
  package static func choiceOrNull<Choice: RawRepresentable<String> & CaseIterable>() -> Form
  where Value == Choice? {
    let names = Choice.allCases.map(\.rawValue)
    return Form(
      schema: ["enum": .array(names.map { .string($0) } + [.null])],
      requirement: { _ in "\(JSON.requirement(among: names)), null" },
      parse: { $0.orNull { $0.string.flatMap(Choice.init(bytes:)) } }, json: { .optional($0?.rawValue) })
  }
}

extension Form where Value == ByteString {
  /// A plain text of one line and 1 to `charactersMax` characters.
  package static func line(charactersMax: Int) -> Form {
    Form(
      schema: .lineSchema(charactersMax: charactersMax),
      requirement: { _ in JSON.lineRequirement(charactersMax: charactersMax) },
      parse: { $0.string.flatMap { $0.isLine(charactersMax: charactersMax) ? $0 : nil } },
      json: { .string($0) })
  }
}

extension Form where Value == ByteString? {
  /// A text as `line`, or `null`.
  package static func lineOrNull(charactersMax: Int) -> Form {
    Form(
      schema: ["anyOf": [["type": "null"], .lineSchema(charactersMax: charactersMax)]],
      requirement: { _ in
        "must be null or a string of 1 to \(charactersMax) characters \(ByteString.plainPhrase)"
      },
      parse: { $0.orNull { $0.string.flatMap { $0.isLine(charactersMax: charactersMax) ? $0 : nil } } },
      json: { .optional($0) })
  }
}

extension JSON {
  /// What a form makes of `null`, and of any other value by `parse`; the outer optional is nil where the
  /// value is refused.
  package func orNull<Value>(_ parse: (JSON) -> Value?) -> Value?? {
    if isNull { return .some(.none) }
    guard let value = parse(self) else { return .none }
    return .some(value)
  }

  /// What a member must be that is one of some names.
  package static func requirement(among names: [String]) -> String {
    "must be \(names.count > 1 ? "one of " : "")\(names.map { "\"\($0)\"" }.joined(separator: ", "))"
  }

  /// What a text must be that `isLine` takes.
  package static func lineRequirement(charactersMax: Int) -> String {
    "must be a string of 1 to \(charactersMax) characters \(ByteString.plainPhrase)"
  }

  /// How a value is shown in a message: `got -1`, cut to 80 characters.
  package var phrase: String {
    switch self {
    case .object: "got an object"
    case .array(let elements) where elements.count > 16: "got an array of \(elements.count)"
    case .string(let text): "got \"\(text.shown)\""
    default: "got \(ByteString(text).shown)"
    }
  }
}

extension ByteString {
  /// Whether the text has 1 to `charactersMax` characters (Unicode scalars, as JSON Schema counts them), none
  /// of them hidden.
  package func isLine(charactersMax: Int) -> Bool {
    (1...charactersMax).contains(charactersCount) && isPlain()
  }
}
