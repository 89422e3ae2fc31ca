/// Which numbers a field takes.
package enum NumberRange: Sendable {
  /// Both ends belong to it.
  case closed(Double, Double)
  /// The upper end does not belong to it.
  case halfOpen(Double, Double)
  /// Above 0, up to and with the limit.
  case positive(Double)

  /// A share or probability.
  package static let fraction = NumberRange.closed(0, 1)

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
