import Sweeps
import Testing
import Text

@Suite struct `Search spaces` {
  private func messages(_ parameters: [Parameter]) -> [String] {
    do throws(InvalidSpace) {
      _ = try SearchSpace(parameters)
      return []
    } catch {
      return error.problems.map { "\($0.path.map(\.string).joined(separator: " ")): \($0.message)" }
    }
  }

  @Test func `refuse ranges without values`() {
    #expect(
      messages([Parameter("/a", .uniform(low: 2, high: 2))]) == [
        "/a uniform: is an empty range: 2.0 is not below 2.0"
      ])
    #expect(
      messages([Parameter("/a", .int(low: 3, high: 2, step: 1))]) == [
        "/a int: is an empty range: 3 is above 2"
      ])
    #expect(
      messages([Parameter("/a", .int(low: 1, high: 2, step: 0))]) == ["/a step: must be at least 1, got 0"])
    #expect(messages([Parameter("/a", .choice([]))]) == ["/a choice: must have at least one value"])
    #expect(messages([Parameter("/a", .uniform(low: 0, high: .infinity))]) == ["/a uniform: must be finite"])
    #expect(messages([]) == [": must have at least one parameter"])
  }

  @Test func `refuse the logarithm of zero`() {
    let expected = ["/a log_uniform: must be above 0, which has no logarithm; got 0.0"]
    #expect(messages([Parameter("/a", .logUniform(low: 0, high: 1))]) == expected)
  }

  @Test func `refuse one value twice, however it is written`() {
    #expect(messages([Parameter("/a", .choice([1, 2, 1.0]))]) == ["/a choice: has 1 more than once"])
    #expect(messages([Parameter("/a", .choice([1, true, "1", 1.5]))]).isEmpty)
  }

  @Test func `refuse a parameter twice or inside another`() {
    let one = Parameter("/a", .choice([1]))
    #expect(messages([one, one]).first == "/a: may be given only once")
    #expect(messages([one, Parameter("/a/b", .choice([1]))]) == ["/a/b: lies inside another parameter, /a"])
    #expect(messages([Parameter("a", .choice([1]))]) == ["a: must be a JSON pointer, which begins with /"])
  }

  @Test func `refuse conditions that cannot hold`() {
    let method = Parameter("/method", .choice(["a", "b"]))
    func conditioned(_ condition: Condition) -> [String] {
      messages([method, Parameter("/x", .uniform(low: 0, high: 1), if: [condition])])
    }
    #expect(
      conditioned(Condition("/metod", in: ["a"]))
        == ["/x if /metod: is not a parameter of this space; did you mean /method?"])
    #expect(
      conditioned(Condition("/method", in: ["c"])) == [#"/x if /method: "c" is not a value of /method"#])
    #expect(conditioned(Condition("/x", in: [0])) == ["/x if /x: is the parameter itself"])
    #expect(conditioned(Condition("/method", in: [])) == ["/x if /method: must have at least one value"])
    let rate = Parameter("/rate", .uniform(low: 0, high: 1))
    #expect(
      messages([rate, Parameter("/x", .choice([1]), if: [Condition("/rate", in: [0.5])])])
        == ["/x if /rate: must name a parameter with single values: choice or int"])
  }

  @Test func `refuse conditions that lead back to themselves`() {
    let cycle = [
      Parameter("/a", .choice([1, 2]), if: [Condition("/c", in: [1])]),
      Parameter("/b", .choice([1, 2]), if: [Condition("/a", in: [1])]),
      Parameter("/c", .choice([1, 2]), if: [Condition("/b", in: [1])]),
      Parameter("/d", .choice([1, 2]), if: [Condition("/c", in: [1])]),
    ]
    #expect(messages(cycle) == ["/a if: conditions lead back to themselves: /a → /c → /b → /a"])
  }

  @Test func `put a parameter after those that its conditions name`() throws {
    let space = try SearchSpace([
      Parameter("/a", .choice([1, 2]), if: [Condition("/z", in: ["x"])]), Parameter("/b", .choice([1])),
      Parameter("/z", .choice(["x", "y"])),
    ])
    #expect(space.parameters.map(\.pointer) == ["/b", "/z", "/a"])
    #expect(space.size == 3)
    let all = (0..<3).map { space.configuration(at: $0).key }
    #expect(all == [#"{"/a":1,"/b":1,"/z":"x"}"#, #"{"/a":2,"/b":1,"/z":"x"}"#, #"{"/b":1,"/z":"y"}"#])
  }

  @Test func `count and number their configurations alike`() throws {
    let space = try SearchSpace([
      Parameter("/a", .choice(["p", "q", "r", "s"])), Parameter("/b", .int(low: 1, high: 10, step: 4)),
      Parameter("/c", .choice([1, 2]), if: [Condition("/a", in: ["p", "s"])]),
      Parameter("/d", .choice([1, 2, 3]), if: [Condition("/c", in: [2]), Condition("/b", in: [5, 9])]),
    ])
    // b has 1, 5, 9. Of p and s each: b = 1 gives 2, b = 5 and b = 9 give 1 + 3; of q and r each 3.
    #expect(space.size == 2 * (2 + 4 + 4) + 2 * 3)
    let all = (0..<(space.size ?? 0)).map { space.configuration(at: $0) }
    #expect(Set(all.map(\.key)).count == space.size)
    #expect(all.allSatisfy(space.contains))
  }

  @Test func `are without a size where numbers are continuous or too many`() throws {
    #expect(try SearchSpace([Parameter("/a", .uniform(low: 0, high: 1))]).size == nil)
    let wide = (0..<40).map { Parameter(ByteString("/p\($0)"), .choice([1, 2, 3])) }
    #expect(try SearchSpace(wide).size == nil)
  }

  @Test func `keep values in their ranges and find their places again`() throws {
    let domains: [Domain] = [
      .uniform(low: -1, high: 3), .logUniform(low: 1e-4, high: 1e-2), .int(low: 2, high: 11, step: 3),
      .choice(["a", 1, true, .null]),
    ]
    for domain in domains {
      for unit in [0, 0.25, 0.5, 0.999_999, 1] {
        let value = domain.value(atUnit: unit)
        #expect(domain.contains(value))
        let place = domain.unit(of: value)
        if let count = domain.count {
          #expect(abs(place - unit) <= 0.5 / Double(count) + 1e-12)
        } else {
          #expect(agree(place, unit, within: 1e-12))
        }
      }
    }
    #expect(Domain.int(low: 2, high: 12, step: 3).count == 4)
  }

  @Test func `give configurations a key that says every value`() {
    let one = Configuration(["/b": 1.0, "/a": "x\"y", "/c": 0.1])
    #expect(one.key == #"{"/a":"x\"y","/b":1,"/c":0.1}"#)
    #expect(one == Configuration(["/a": "x\"y", "/b": 1, "/c": 0.1]))
    #expect(Configuration(["/a": "é"]).key != Configuration(["/a": "e\u{301}"]).key)
  }
}
