import Text

/// Finds everything that is wrong with the parameters of a search space.
struct SpaceCheck {
  private let parameters: [Parameter]
  private let byPointer: [ByteString: Parameter]

  init(_ parameters: [Parameter]) {
    self.parameters = parameters.sorted { $0.pointer < $1.pointer }
    byPointer = Dictionary(parameters.map { ($0.pointer, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// All problems, in the order of the pointers.
  var problems: [SpaceProblem] {
    if parameters.isEmpty { return [SpaceProblem([], "must have at least one parameter")] }
    if parameters.count > SearchSpace.parametersMax {
      let most = SearchSpace.parametersMax
      return [SpaceProblem([], "must have at most \(most) parameters, got \(parameters.count)")]
    }
    return parameters.flatMap { pointerProblems($0) + domainProblems($0) + conditionProblems($0) } + cycles
  }

  private func pointerProblems(_ parameter: Parameter) -> [SpaceProblem] {
    let pointer = parameter.pointer
    guard pointer.hasPrefix("/") else {
      return [SpaceProblem([pointer], "must be a JSON pointer, which begins with /")]
    }
    if parameters.filter({ $0.pointer == pointer }).count > 1, byPointer[pointer] == parameter {
      return [SpaceProblem([pointer], "may be given only once")]
    }
    let inside = parameters.first { $0.pointer != pointer && pointer.hasPrefix(ByteString("\($0.pointer)/")) }
    return inside.map { [SpaceProblem([pointer], "lies inside another parameter, \($0.pointer)")] } ?? []
  }

  private func domainProblems(_ parameter: Parameter) -> [SpaceProblem] {
    let message: String?
    let member: ByteString
    switch parameter.domain {
    case .choice(let values): (member, message) = ("choice", Self.problem(choices: values))
    case .uniform(let low, let high): (member, message) = ("uniform", Self.problem(low, high))
    case .logUniform(let low, let high):
      let isPositive = low > 0 || !low.isFinite
      (member, message) = (
        "log_uniform",
        isPositive ? Self.problem(low, high) : "must be above 0, which has no logarithm; got \(low)"
      )
    case .int(let low, let high, let step):
      if step < 1 { return [SpaceProblem([parameter.pointer, "step"], "must be at least 1, got \(step)")] }
      (member, message) = ("int", Self.problem(low, high))
    }
    return message.map { [SpaceProblem([parameter.pointer, member], $0)] } ?? []
  }

  private static func problem(choices: [Scalar]) -> String? {
    if choices.isEmpty { return "must have at least one value" }
    if choices.count > SearchSpace.choicesMax {
      return "must have at most \(SearchSpace.choicesMax) values, got \(choices.count)"
    }
    if choices.contains(where: { $0.double.map { !$0.isFinite } ?? false }) { return "must be finite" }
    var seen: Set<Scalar> = []
    let twice = choices.first { !seen.insert($0).inserted }
    return twice.map { "has \($0.key) more than once" }
  }

  private static func problem(_ low: Double, _ high: Double) -> String? {
    guard low.isFinite, high.isFinite, (high - low).isFinite else { return "must be finite" }
    return low < high ? nil : "is an empty range: \(low) is not below \(high)"
  }

  private static func problem(_ low: Int, _ high: Int) -> String? {
    let most = SearchSpace.integerMax
    guard (-most...most).contains(low), (-most...most).contains(high) else {
      return "must lie within ±\(most)"
    }
    return low <= high ? nil : "is an empty range: \(low) is above \(high)"
  }

  private func conditionProblems(_ parameter: Parameter) -> [SpaceProblem] {
    parameter.conditions.compactMap { condition in
      problem(of: condition, in: parameter).map {
        SpaceProblem([parameter.pointer, "if", condition.pointer], $0)
      }
    }
  }

  private func problem(of condition: Condition, in parameter: Parameter) -> String? {
    if condition.pointer == parameter.pointer { return "is the parameter itself" }
    guard let other = byPointer[condition.pointer] else {
      let near = nearestWord(to: condition.pointer, in: parameters.map(\.pointer))
      return "is not a parameter of this space" + (near.map { "; did you mean \($0)?" } ?? "")
    }
    if condition.values.isEmpty { return "must have at least one value" }
    switch other.domain {
    case .uniform, .logUniform: return "must name a parameter with single values: choice or int"
    case .int(let low, let high, let step) where low > high || step < 1: return nil
    case .choice, .int:
      let stranger = condition.values.first { other.domain.index(of: $0) == nil }
      return stranger.map { "\($0.key) is not a value of \(condition.pointer)" }
    }
  }

  private var cycles: [SpaceProblem] {
    // A condition on a parameter that does not exist is reported as such.
    let known = parameters.map { parameter in
      var kept = parameter
      kept.conditions.removeAll { byPointer[$0.pointer] == nil || $0.pointer == parameter.pointer }
      return kept
    }
    let cyclic = Set(SearchSpace.ordered(known).cyclic)
    guard let start = cyclic.min() else { return [] }
    var path = [start]
    while let last = path.last,
      let next = byPointer[last]?.conditions.map(\.pointer).filter(cyclic.contains).min()
    {
      path.append(next)
      if let first = path.firstIndex(of: next), first < path.count - 1 {
        let loop = path[first...].map(\.string).joined(separator: " → ")
        return [SpaceProblem([path[first], "if"], "conditions lead back to themselves: \(loop)")]
      }
    }
    return []
  }
}
