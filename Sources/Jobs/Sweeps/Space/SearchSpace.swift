import Text

/// The parameters of a sweep, checked and put in order.
///
///     let space = try SearchSpace([
///       Parameter("/method", .choice(["vicreg", "simclr"])),
///       Parameter("/loss/temperature", .uniform(low: 0.05, high: 0.5),
///         if: [Condition("/method", in: ["simclr"])]),
///     ])
package struct SearchSpace: Sendable, Equatable {
  /// In the order of their pointers' bytes, but each after those that its conditions name.
  package let parameters: [Parameter]
  /// How many configurations there are; nil: infinitely many, or more than `countedMax`.
  package let size: Int?
  /// For each parameter, its values that conditions name: all others are alike to the rest of the space.
  let namedValues: [Set<Scalar>]

  package static let parametersMax = SobolSequence.dimensionsMax
  package static let choicesMax = 1_000
  /// Beyond this many configurations they are not counted.
  package static let countedMax = 1_000_000
  /// The largest magnitude of a bound of `int`: 2^53, which every reader of JSON keeps exactly.
  package static let integerMax = 1 << 53

  /// Checks and orders parameters; throws everything that is wrong with them.
  package init(_ parameters: [Parameter]) throws(InvalidSpace) {
    let problems = SpaceCheck(parameters).problems
    guard problems.isEmpty else { throw InvalidSpace(problems: problems) }
    let (ordered, _) = Self.ordered(parameters)
    self.parameters = ordered
    var named: [ByteString: Set<Scalar>] = [:]
    for condition in ordered.flatMap(\.conditions) {
      named[condition.pointer, default: []].formUnion(condition.values)
    }
    namedValues = ordered.map { named[$0.pointer] ?? [] }
    let counter = SpaceCounter(parameters: ordered, namedValues: namedValues)
    let isDiscrete = ordered.allSatisfy { $0.domain.count != nil }
    let count = isDiscrete ? counter.count(from: 0, Configuration()) : .max
    size = count > Self.countedMax ? nil : count
  }

  /// Whether all of a parameter's conditions hold.
  package static func isActive(_ parameter: Parameter, in configuration: Configuration) -> Bool {
    parameter.conditions.allSatisfy { condition in
      configuration[condition.pointer].map(condition.values.contains) ?? false
    }
  }

  /// Sets every active parameter, in order, to what `value` says of it: its place among `parameters`, itself
  /// and what was set before it.
  func configuration(_ value: (Int, Parameter, Configuration) -> Scalar) -> Configuration {
    var result = Configuration()
    for (index, parameter) in parameters.enumerated() where Self.isActive(parameter, in: result) {
      result[parameter.pointer] = value(index, parameter, result)
    }
    return result
  }

  /// The configuration at a point of the unit cube that has one coordinate per parameter; coordinates of
  /// parameters that are not active have no effect.
  package func configuration(atUnits units: [Double]) -> Configuration {
    configuration { index, parameter, _ in parameter.domain.value(atUnit: units[index]) }
  }

  /// Where a configuration stands in the unit cube; nil for a parameter that is not active.
  package func units(of configuration: Configuration) -> [Double?] {
    parameters.map { parameter in configuration[parameter.pointer].map(parameter.domain.unit) }
  }

  /// Configuration `index` of `size`, the last parameter changing fastest. Of a space with a `size`.
  package func configuration(at index: Int) -> Configuration {
    precondition(
      size.map { (0..<$0).contains(index) } ?? false, "the space has a configuration of this index")
    return SpaceCounter(parameters: parameters, namedValues: namedValues).configuration(at: index)
  }

  /// Whether a configuration has a value of its domain for every active parameter, and no other value.
  package func contains(_ configuration: Configuration) -> Bool {
    var active = 0
    for parameter in parameters where Self.isActive(parameter, in: configuration) {
      guard let value = configuration[parameter.pointer], parameter.domain.contains(value) else {
        return false
      }
      active += 1
    }
    return active == configuration.values.count
  }

  /// Parameters in their final order, and the pointers of those that cannot be ordered because their
  /// conditions lead back to themselves.
  static func ordered(_ parameters: [Parameter]) -> (ordered: [Parameter], cyclic: [ByteString]) {
    var waiting = parameters.sorted { $0.pointer < $1.pointer }
    var placed: Set<ByteString> = []
    var result: [Parameter] = []
    while let next = waiting.firstIndex(where: { $0.conditions.allSatisfy { placed.contains($0.pointer) } }) {
      let parameter = waiting.remove(at: next)
      placed.insert(parameter.pointer)
      result.append(parameter)
    }
    return (result, waiting.map(\.pointer))
  }
}
