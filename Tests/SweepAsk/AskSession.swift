import JSONText
import Sweeps
import Text

/// Why a message was refused.
enum AskError: Error {
  case message(String)
}

/// One sweep of the comparison.
struct AskSession {
  let space: SearchSpace
  let searcher: Searcher
  let seed: UInt64
  var trials: [Trial] = []

  /// Begins a sweep with a message's space, searcher and seed.
  init(_ message: JSON) throws {
    space = try SearchSpace(Self.parameters(message["space"]?.object ?? [:]))
    let name = message["searcher"]?.string
    guard let searcher = Searcher.allCases.first(where: { ByteString($0.rawValue) == name }) else {
      throw AskError.message("unknown searcher")
    }
    self.searcher = searcher
    seed = UInt64(message["seed"]?.int ?? 0)
  }

  /// The answer to a message; nil: there is none.
  mutating func answer(_ message: JSON) throws -> JSON? {
    if let number = message["ask"]?.int {
      let next = searcher.next(space, trials, mode: .min, seed: seed, number: number)
      guard let next else { return ["exhausted": true] }
      trials.append(Trial(number: number, configuration: next))
      return ["parameters": .object(next.values.mapValues(Self.json))]
    }
    if let number = message["tell"]?.int, let value = message["value"]?.double {
      let index = trials.firstIndex { $0.number == number }
      if let index { trials[index].state = .succeeded(value) }
      return nil
    }
    if let rows = message["rows"]?.array {
      trials = try rows.enumerated().map { index, row in
        let values = try (row["parameters"]?.object ?? [:]).mapValues(Self.scalar)
        return Trial(
          number: index, configuration: Configuration(values),
          state: row["value"]?.double.map { .succeeded($0) } ?? .unfinished)
      }
      let list = Importances(space, Observations(trials, mode: .min)).shares
      return ["importances": .object(Dictionary(list.map { ($0.pointer, .number($0.value)) }) { $1 })]
    }
    throw AskError.message("unknown message")
  }

  private static func parameters(_ members: [ByteString: JSON]) throws -> [Parameter] {
    try members.map { pointer, value in
      let conditions = try (value["if"]?.object ?? [:]).map { other, allowed in
        Condition(other, in: try (allowed.array ?? [allowed]).map(scalar))
      }
      return Parameter(pointer, try domain(value), if: conditions)
    }
  }

  private static func domain(_ value: JSON) throws -> Domain {
    if let choices = value["choice"]?.array { return .choice(try choices.map(scalar)) }
    if let bounds = value["int"]?.array?.compactMap(\.int), bounds.count == 2 {
      return .int(low: bounds[0], high: bounds[1], step: value["step"]?.int ?? 1)
    }
    if let bounds = value["uniform"]?.array?.compactMap(\.double), bounds.count == 2 {
      return .uniform(low: bounds[0], high: bounds[1])
    }
    if let bounds = value["log_uniform"]?.array?.compactMap(\.double), bounds.count == 2 {
      return .logUniform(low: bounds[0], high: bounds[1])
    }
    throw AskError.message("unknown domain")
  }

  private static func scalar(_ value: JSON) throws -> Scalar {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .text(value)
    case .array, .object: throw AskError.message("a value has no members")
    }
  }

  private static func json(_ value: Scalar) -> JSON {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .text(let value): .string(value)
    }
  }
}
