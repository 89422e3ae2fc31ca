import Platform

/// The values that a parameter may take.
package enum Domain: Sendable, Hashable {
  /// One of some values, in no order.
  case choice([Scalar])
  /// Any number in `low...high`, each equally likely.
  case uniform(low: Double, high: Double)
  /// Any number in `low...high`, above zero, each power of ten equally likely.
  case logUniform(low: Double, high: Double)
  /// `low`, `low + step`, `low + 2 · step`, … up to `high`.
  case int(low: Int, high: Int, step: Int)

  /// How many values there are; nil: infinitely many. Of a valid domain.
  package var count: Int? {
    switch self {
    case .choice(let values): values.count
    case .int(let low, let high, let step): (high - low) / step + 1
    case .uniform, .logUniform: nil
    }
  }

  /// Value `index` of `count`. Of a domain with a count.
  package func value(at index: Int) -> Scalar {
    switch self {
    case .choice(let values): values[index]
    case .int(let low, _, let step): .integer(low + index * step)
    case .uniform, .logUniform: preconditionFailure("only a domain with a count has places")
    }
  }

  /// The place of a value among `count`; nil if it is not one of them, or if there are infinitely many.
  package func index(of value: Scalar) -> Int? {
    switch self {
    case .choice(let values): return values.firstIndex(of: value)
    case .int(let low, let high, let step):
      guard case .integer(let whole) = value.canonical, (low...high).contains(whole) else { return nil }
      return (whole - low) % step == 0 ? (whole - low) / step : nil
    case .uniform, .logUniform: return nil
    }
  }

  /// Whether a value belongs to the domain.
  package func contains(_ value: Scalar) -> Bool {
    switch self {
    case .choice, .int: index(of: value) != nil
    case .uniform(let low, let high), .logUniform(let low, let high):
      value.double.map { (low...high).contains($0) } ?? false
    }
  }

  /// The value at a place in [0, 1): equal parts of the unit interval are equally likely.
  package func value(atUnit unit: Double) -> Scalar {
    switch self {
    case .choice, .int:
      let count = self.count ?? 1
      return value(at: max(0, min(count - 1, Int(unit * Double(count)))))
    case .uniform(let low, let high):
      return .number(min(high, max(low, low + unit * (high - low))))
    case .logUniform(let low, let high):
      let (bottom, top) = (Mathematics.logarithm(low), Mathematics.logarithm(high))
      return .number(min(high, max(low, Mathematics.exponential(bottom + unit * (top - bottom)))))
    }
  }

  /// Where a value stands in [0, 1]: the middle of its part for one of `count` values. 0.5 for a value that
  /// the domain does not have.
  package func unit(of value: Scalar) -> Double {
    switch self {
    case .choice, .int:
      guard let count, let index = index(of: value) else { return 0.5 }
      return (Double(index) + 0.5) / Double(count)
    case .uniform(let low, let high):
      guard let number = value.double else { return 0.5 }
      return (number - low) / (high - low)
    case .logUniform(let low, let high):
      guard let number = value.double, number > 0 else { return 0.5 }
      let bottom = Mathematics.logarithm(low)
      return (Mathematics.logarithm(number) - bottom) / (Mathematics.logarithm(high) - bottom)
    }
  }
}
