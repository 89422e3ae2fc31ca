import JSONText
import Recipe
import Text

extension SweepSpecification {
  /// The parameters that some trial can have. A condition on a member that is no parameter is settled by the
  /// base, with every field resolved: where it holds it is left out, and where it does not its parameter is,
  /// with those that need that one. A condition on a member that the base does not have stays as it is.
  var reachableSpace: [Parameter] {
    let own = Set(space.map(\.pointer))
    guard space.contains(where: { $0.conditions.contains { !own.contains($0.pointer) } }),
      // What is wrong with the base is noted where its corners are tried.
      let resolved = try? TrainSpecification.parse(base["spec"] ?? [:]).json
    else { return space }
    func settled(_ condition: Condition) -> Bool? {
      if own.contains(condition.pointer) { return nil }
      let value = PointerPath(condition.pointer).value(in: resolved).flatMap(Scalar.init)
      return value.map(condition.values.contains)
    }
    var reachable = space
    var absent: Set<ByteString> = []
    while let index = reachable.firstIndex(where: { parameter in
      parameter.conditions.contains { absent.contains($0.pointer) || settled($0) == false }
    }) {
      absent.insert(reachable.remove(at: index).pointer)
    }
    for index in reachable.indices {
      reachable[index].conditions.removeAll { settled($0) == true }
    }
    return reachable
  }
}
