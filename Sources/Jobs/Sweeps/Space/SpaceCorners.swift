extension SearchSpace {
  /// Configurations at the ends of the space: all of them if they are few, else some in which every parameter
  /// has each of its ends or choices at least once, where it is active, and some of their combinations.
  package func corners(max: Int) -> [Configuration] {
    let values = zip(parameters, namedValues).map { Self.ends(of: $0, named: $1) }
    var seen: Set<Configuration> = []
    var result: [Configuration] = []
    func add(_ places: [Int]) {
      let corner = configuration { index, _, _ in values[index][places[index] % values[index].count] }
      if seen.insert(corner).inserted { result.append(corner) }
    }
    var places = Array(repeating: 0, count: values.count)
    let (count, overflow) = values.reduce((1, false)) { product, ends in
      let (next, isOver) = product.0.multipliedReportingOverflow(by: ends.count)
      return (next, product.1 || isOver)
    }
    if !overflow, count <= max {
      for place in 0..<count {
        var rest = place
        for index in values.indices.reversed() {
          places[index] = rest % values[index].count
          rest /= values[index].count
        }
        add(places)
      }
      return result
    }
    for (index, ends) in values.enumerated() {
      for place in ends.indices where result.count < max {
        places = Array(repeating: 0, count: values.count)
        open(index, &places, values)
        places[index] = place
        add(places)
      }
    }
    var random = SweepRandom(seed: 0, number: 0, purpose: .configuration)
    for _ in 0..<max where result.count < max { add(values.map { random.below($0.count) }) }
    return result
  }

  /// Sets what the conditions of a parameter name, so that it is active.
  private func open(_ index: Int, _ places: inout [Int], _ values: [[Scalar]]) {
    for condition in parameters[index].conditions {
      guard let other = parameters.firstIndex(where: { $0.pointer == condition.pointer }) else { continue }
      open(other, &places, values)
      places[other] = values[other].firstIndex { condition.values.contains($0) } ?? places[other]
    }
  }

  /// The ends of a parameter's domain and those of its values that conditions name; all values of a choice.
  private static func ends(of parameter: Parameter, named: Set<Scalar>) -> [Scalar] {
    switch parameter.domain {
    case .choice(let values): return values
    case .uniform(let low, let high), .logUniform(let low, let high): return [.number(low), .number(high)]
    case .int(let low, let high, let step):
      let last = low + (high - low) / step * step
      let ends: [Scalar] = low == last ? [.integer(low)] : [.integer(low), .integer(last)]
      return ends + named.filter { !ends.contains($0) }.sorted { $0.key < $1.key }
    }
  }
}
