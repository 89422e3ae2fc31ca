import Text

/// Counts the configurations of a discrete space, and finds one by its place among them.
///
/// Only values that conditions name change which parameters follow, so that all other values of a parameter
/// are counted once. Counts stop just above `SearchSpace.countedMax`.
struct SpaceCounter {
  let parameters: [Parameter]
  let namedValues: [Set<Scalar>]

  private static let stop = SearchSpace.countedMax + 1

  /// How many ways there are to set the parameters from place `index` on, after what is set already.
  func count(from index: Int, _ configuration: Configuration) -> Int {
    guard index < parameters.count else { return 1 }
    let parameter = parameters[index]
    guard SearchSpace.isActive(parameter, in: configuration) else {
      return count(from: index + 1, configuration)
    }
    let values = parameter.domain.count ?? 1
    let named = namedValues[index].filter { parameter.domain.index(of: $0) != nil }
    var total = 0
    if values > named.count {
      // What follows does not depend on this value: no condition names it, as if the parameter were not
      // there.
      total = Self.product(values - named.count, count(from: index + 1, configuration))
    }
    for value in named where total < Self.stop {
      var branch = configuration
      branch[parameter.pointer] = value
      total = min(Self.stop, total + count(from: index + 1, branch))
    }
    return total
  }

  /// The configuration at a place among all, the last parameter changing fastest.
  func configuration(at place: Int) -> Configuration {
    var rest = place
    var result = Configuration()
    for (index, parameter) in parameters.enumerated() where SearchSpace.isActive(parameter, in: result) {
      let domain = parameter.domain
      guard !namedValues[index].isEmpty else {
        let following = count(from: index + 1, result)
        result[parameter.pointer] = domain.value(at: rest / following)
        rest %= following
        continue
      }
      let unnamed = count(from: index + 1, result)
      for candidate in 0..<(domain.count ?? 1) {
        let value = domain.value(at: candidate)
        var branch = result
        branch[parameter.pointer] = value
        let following = namedValues[index].contains(value) ? count(from: index + 1, branch) : unnamed
        if rest < following {
          result = branch
          break
        }
        rest -= following
      }
    }
    return result
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? stop : min(stop, result)
  }
}
