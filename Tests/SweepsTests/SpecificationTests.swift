import JSONText
import Sweeps
import Testing
import Text

@Suite struct `The specification of a sweep` {
  private func problems(_ text: String) throws -> [String: String] {
    let list = ProblemList()
    let reader = ObjectReader(try JSON.parse(text), at: "", list)
    _ = SweepSpecification.read(reader)
    reader.finish()
    return Dictionary(list.problems.map { ($0.pointer, $0.message) }, uniquingKeysWith: { "\($0); \($1)" })
  }

  private static let whole = """
    {"base": {"kind": "train", "spec": {"preset": "small"}}, "evaluate": {"protocol": "knn"},
     "space": {"/optimizer/lr": {"log_uniform": [1e-4, 1e-2]}, "/loss/cov": {"choice": [0.5, 1, 2]},
       "/batch_size": {"int": [64, 256], "step": 64}, "/method": {"choice": ["simclr", "vicreg"]},
       "/loss/temperature": {"uniform": [0.05, 0.5], "if": {"/method": "simclr"}}},
     "search": {"name": "sobol", "seed": 7},
     "early_stopping": {"name": "asha", "reduction_factor": 3, "min_epochs": 1, "max_epochs": 9},
     "seeds": 2, "max_trials": 50, "max_failed": 3, "max_duration_seconds": 60}
    """

  @Test func `is read whole, and its JSON reads as the same`() throws {
    let (specification, plan) = try SweepSpecification.parse(JSON.parse(Self.whole))
    #expect(plan.halving?.rungs == [1, 3, 9])
    #expect(plan.searcher == .sobol && plan.seed == 7 && plan.mode == .max && plan.maxFailed == 3)
    #expect(plan.space.parameters.count == 5 && plan.space.size == nil)
    #expect(specification.objective == .top1)
    let again = try SweepSpecification.parse(specification.json)
    #expect(again.specification.json == specification.json && again.plan == plan)
    #expect(specification.json["space"]?["/batch_size"] == ["int": [64, 256], "step": 64])
  }

  @Test func `a condition on a member that is no parameter is settled by the base`() throws {
    func parameters(_ base: String) throws -> [ByteString: Int] {
      let text = """
        {"base": {"kind": "train", "spec": \(base)}, "max_trials": 3, "space": {
          "/optimizer/lr": {"log_uniform": [1e-4, 1e-2]},
          "/loss/temperature": {"choice": [0.1, 0.2], "if": {"/method": "simclr"}},
          "/loss/cov": {"uniform": [0.5, 2], "if": {"/method": ["vicreg", "simclr"], "/batch_size": 64}},
          "/views": {"choice": [2, 3], "if": {"/loss/temperature": 0.1}}}}
        """
      let (specification, plan) = try SweepSpecification.parse(JSON.parse(text))
      #expect(specification.space.count == 4)
      return Dictionary(uniqueKeysWithValues: plan.space.parameters.map { ($0.pointer, $0.conditions.count) })
    }
    #expect(try parameters("{}") == ["/optimizer/lr": 0, "/loss/cov": 0])
    #expect(try parameters(#"{"batch_size": 128}"#) == ["/optimizer/lr": 0])
    #expect(
      try parameters(#"{"method": "simclr"}"#)
        == ["/optimizer/lr": 0, "/loss/temperature": 0, "/loss/cov": 0, "/views": 1])
    #expect(
      try problems(#"{"space": {"/seed": {"choice": [1, 2], "if": {"/metod": "simclr"}}}}"#)
        == ["/space/~1seed/if/~1metod": "is not a parameter of this space"])
  }

  @Test func `fills what is missing`() throws {
    let (specification, plan) = try SweepSpecification.parse(
      JSON.parse(#"{"space": {"/seed": {"int": [0, 3]}}}"#))
    #expect(specification.objective == .init(metric: "loss", mode: .min))
    #expect(specification.search == .init() && specification.base == ["kind": "train"])
    #expect(plan.trialsMax == 4 && plan.maxFailed == 5 && plan.halving == nil)
    #expect(specification.json["max_trials"] == .null && specification.json["evaluate"] == .null)
  }

  @Test func `takes the mode of an accuracy for granted, and no other's`() throws {
    func mode(_ objective: String) throws -> ObjectiveMode {
      let text = #"{"space": {"/seed": {"int": [0, 3]}}, "objective": \#(objective)}"#
      return try SweepSpecification.parse(JSON.parse(text)).specification.objective.mode
    }
    #expect(try mode(#"{"metric": "knn_top1"}"#) == .max)
    #expect(try mode(#"{"metric": "knn_top1.mean"}"#) == .max)
    #expect(try mode(#"{"metric": "loss.mean"}"#) == .min)
    #expect(try mode(#"{"metric": "rankme", "mode": "max"}"#) == .max)
  }

  @Test(arguments: [
    (#"{}"#, "/space"),
    (#"{"space": {}}"#, "/space"),
    (#"{"space": {"/a": {"uniform": [1, 1]}}, "max_trials": 3}"#, "/space/~1a/uniform"),
    (#"{"space": {"/a": {"log_uniform": [0, 1]}}, "max_trials": 3}"#, "/space/~1a/log_uniform"),
    (#"{"space": {"/a": {"uniform": [0, 1], "int": [0, 1]}}, "max_trials": 3}"#, "/space/~1a"),
    (#"{"space": {"/a": {}}, "max_trials": 3}"#, "/space/~1a"),
    (#"{"space": {"/a": {"choice": []}}}"#, "/space/~1a/choice"),
    (#"{"space": {"/a": {"choice": [[1]]}}}"#, "/space/~1a/choice"),
    (#"{"space": {"/a": {"int": [0, 1.5]}}}"#, "/space/~1a/int"),
    (#"{"space": {"/a": {"int": [0, 4], "step": 0}}}"#, "/space/~1a/step"),
    (#"{"space": {"/a": {"uniform": [0, 4], "step": 1}}, "max_trials": 3}"#, "/space/~1a/step"),
    (#"{"space": {"/a": {"choice": [1], "if": {"/b": 2}}}}"#, "/space/~1a/if/~1b"),
    (#"{"space": {"/a": {"choice": [1], "iff": {"/b": 2}}}}"#, "/space/~1a/iff"),
    (#"{"space": {"/a": {"uniform": [0, 1]}}}"#, "/max_trials"),
    (#"{"space": {"/a": {"uniform": [0, 1]}}, "search": {"name": "grid"}, "max_trials": 3}"#, "/space/~1a"),
    (#"{"space": {"/a": {"uniform": [0, 1]}}, "search": {"name": "gp"}, "max_trials": 301}"#, "/space"),
    (#"{"space": {"/a": {"uniform": [0, 1]}}, "search": {"name": "best"}, "max_trials": 3}"#, "/search/name"),
    (
      #"{"space": {"/a": {"int": [0, 1]}}, "early_stopping": {"min_epochs": 1}}"#,
      "/early_stopping/max_epochs"
    ),
    (
      #"{"space": {"/a": {"int": [0, 1]}}, "early_stopping": {"min_epochs": 10, "max_epochs": 9}}"#,
      "/early_stopping/min_epochs"
    ),
    (#"{"space": {"/a": {"int": [0, 1]}}, "seeds": 0}"#, "/seeds"),
    (#"{"space": {"/a": {"int": [0, 1]}}, "base": 3}"#, "/base"),
    (#"{"space": {"/a": {"int": [0, 1]}}, "trials": 3}"#, "/trials"),
  ]) func `is refused where it is wrong`(text: String, pointer: String) throws {
    let problems = try problems(text)
    #expect(problems.keys.sorted() == [pointer], "\(problems)")
  }

  @Test func `has its problems all at once`() throws {
    let text = #"{"space": {"/a": {"uniform": [1, 1]}, "/b": {"log_uniform": [0, 1]}}, "max_trials": 3}"#
    #expect(try problems(text).keys.sorted() == ["/space/~1a/uniform", "/space/~1b/log_uniform"])
  }
}

@Suite struct `A pointer into a specification` {
  private func set(_ pointer: ByteString, in text: String) throws -> (json: JSON, problem: String?) {
    var json = try JSON.parse(text)
    let problem = PointerPath(pointer).set(7, in: &json)
    return (json, problem)
  }

  @Test(arguments: [
    ("/a", "{}", #"{"a":7}"#), ("/a/b", "{}", #"{"a":{"b":7}}"#), ("/a/b", #"{"a":null}"#, #"{"a":{"b":7}}"#),
    ("/a/1", #"{"a":[1,2]}"#, #"{"a":[1,7]}"#), ("/a~1b/~0c", "{}", #"{"a/b":{"~c":7}}"#),
    ("/a", #"{"a":3,"b":4}"#, #"{"a":7,"b":4}"#),
  ]) func `puts a value where it belongs`(pointer: String, text: String, result: String) throws {
    let (json, problem) = try set(ByteString(pointer), in: text)
    #expect(problem == nil && json.text == result)
    #expect(PointerPath(ByteString(pointer)).value(in: json) == 7)
  }

  @Test(arguments: [("/a/b", #"{"a":"mirror"}"#), ("/a/2", #"{"a":[1,2]}"#), ("/a/b", #"{"a":[1,2]}"#)])
  func `says why there is no such place`(pointer: String, text: String) throws {
    #expect(try set(ByteString(pointer), in: text).problem != nil)
  }

  @Test func `names the first array that it leads into`() {
    #expect(PointerPath("/a/crop/0").array == PointerPath("/a/crop"))
    #expect(PointerPath("/a/crop").array == nil)
  }
}

@Suite struct `The corners of a space` {
  @Test func `are all combinations where there are few`() throws {
    let space = try SearchSpace([
      Parameter("/a", .uniform(low: 0, high: 1)), Parameter("/b", .choice(["x", "y", "z"])),
      Parameter("/c", .int(low: 1, high: 6, step: 2), if: [Condition("/b", in: ["x"])]),
    ])
    let corners = space.corners(max: 100)
    #expect(corners.count == 2 * (2 + 1 + 1) && Set(corners).count == corners.count)
    #expect(corners.allSatisfy(space.contains))
    #expect(Set(corners.compactMap { $0["/c"] }) == [1, 5])
  }

  @Test func `have every end where there are many, also of a parameter with a condition`() throws {
    var parameters = (0..<30).map { Parameter(ByteString("/p\($0)"), .uniform(low: 0, high: 1)) }
    parameters.append(Parameter("/m", .choice(["x", "y"])))
    parameters.append(Parameter("/t", .uniform(low: 2, high: 3), if: [Condition("/m", in: ["y"])]))
    let corners = try SearchSpace(parameters).corners(max: 128)
    #expect(corners.count <= 128)
    for index in 0..<30 {
      #expect(Set(corners.compactMap { $0[ByteString("/p\(index)")] }) == [0, 1])
    }
    #expect(Set(corners.compactMap { $0["/t"] }) == [2, 3])
  }
}
