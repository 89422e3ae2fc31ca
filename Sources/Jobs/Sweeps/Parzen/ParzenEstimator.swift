import Platform
import Text

/// A density over the configurations of a space: a mixture of one kernel per observed configuration and of a
/// prior that spreads over the whole space.
///
/// A kernel is a product over the parameters: a normal distribution, truncated to the parameter's range, for
/// numbers (of the logarithm, for `log_uniform`; over the step's width, for `int`), and for a choice mostly
/// the observed value. Where the observed configuration lacks a parameter, its kernel has the prior's factor.
/// Source: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011; the widths and weights
/// are those of Optuna 5 (Watanabe, "Tree-structured Parzen estimator", arXiv 2304.11127, describes them).
package struct ParzenEstimator: Sendable {
  private let space: SearchSpace
  /// ln of each kernel's weight; the prior's last.
  private let logWeights: [Double]
  private let factors: [Factor]

  /// The kernels of one parameter, one per observation and the prior's.
  private enum Factor: Sendable {
    /// `logChances[kernel][value]`.
    case categorical(logChances: [[Double]])
    case numerical(TruncatedNormals)
  }

  /// Observations, oldest first.
  package init(_ space: SearchSpace, _ observations: [Configuration]) {
    self.space = space
    let weights = Self.ageWeights(observations.count) + [1]
    let total = weights.reduce(0, +)
    logWeights = weights.map { Mathematics.logarithm($0 / total) }
    factors = space.parameters.map { parameter in
      let values = observations.map { $0[parameter.pointer] }
      if case .choice(let choices) = parameter.domain {
        return .categorical(logChances: Self.logChances(values, choices: choices))
      }
      return .numerical(TruncatedNormals(parameter.domain, values))
    }
  }

  /// The newest 25 observations weigh 1, older ones down to 1/n.
  private static func ageWeights(_ count: Int) -> [Double] {
    let full = 25
    let old = max(0, count - full)
    let least = 1 / Double(max(1, count))
    return (0..<old).map { index in
      old == 1 ? least : least + (1 - least) * Double(index) / Double(old - 1)
    } + Array(repeating: 1, count: count - old)
  }

  private static func logChances(_ values: [Scalar?], choices: [Scalar]) -> [[Double]] {
    let places = values.map { value in value.flatMap { choices.firstIndex(of: $0) } }
    let count = Double(choices.count)
    let seen = places.count { $0 != nil }
    let spread = 1 / Double(seen + 1)
    let even = Array(repeating: -Mathematics.logarithm(count), count: choices.count)
    return places.map { place in
      guard let place else { return even }
      return choices.indices.map { index in
        Mathematics.logarithm((spread + (index == place ? 1 : 0)) / (1 + spread * count))
      }
    } + [even]
  }

  /// ln of the density at a configuration; its active parameters count.
  package func logDensity(_ configuration: Configuration) -> Double {
    var terms = logWeights
    for (parameter, factor) in zip(space.parameters, factors) {
      guard let value = configuration[parameter.pointer] else { continue }
      switch factor {
      case .categorical(let logChances):
        guard let index = parameter.domain.index(of: value) else { return -.infinity }
        for kernel in terms.indices { terms[kernel] += logChances[kernel][index] }
      case .numerical(let normals): normals.addLogDensities(at: value, to: &terms)
      }
    }
    return logSum(terms)
  }

  /// A configuration drawn from the density: from one kernel, parameter by parameter.
  package func draw(_ random: inout SweepRandom) -> Configuration {
    let kernel = random.place(weights: logWeights.map(Mathematics.exponential))
    return space.configuration { index, parameter, _ in
      switch factors[index] {
      case .categorical(let logChances):
        let place = random.place(weights: logChances[kernel].map(Mathematics.exponential))
        return parameter.domain.value(at: place)
      case .numerical(let normals): return normals.draw(kernel, &random)
      }
    }
  }
}

/// ln Σ exp(terms), without overflow.
func logSum(_ terms: [Double]) -> Double {
  guard let largest = terms.max(), largest.isFinite else { return -.infinity }
  return largest + Mathematics.logarithm(terms.reduce(0) { $0 + Mathematics.exponential($1 - largest) })
}
