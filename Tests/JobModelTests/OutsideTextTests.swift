import JSONText
import JobModel
import Recipe
import Support
import Testing
import Text

/// Issue 14: keys and strings from outside, and what is said of them.
@Suite struct `Text from outside` {
  @Test func `keys of other bytes are other keys`() throws {
    let value = try JSON.parse("{\"caf\u{E9}\":1,\"cafe\u{301}\":2}")
    #expect(value["caf\u{E9}"] == 1)
    #expect(value["cafe\u{301}"] == 2)
    #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
    #expect(try JSON.parse(value.text) == value)
  }

  @Test(arguments: [
    "{\"TEXT\":1,\"TEXTa\":2}", "{\"TEXT\":1,\"TEXT\":2}", "{\"spec\":{\"TEXT\":1}}", "\"TEXT\"", "[\"TEXT\"",
    "{\"kind\":\"TEXT\"}",
  ])
  func `costs as much with marks as with letters wherever it stands in JSON`(pattern: String) {
    let isCheap = Marks.costNoMore(bytes: 40_000, times: 2) { text in
      let value = try? JSON.parse(pattern.replacing("TEXT", with: text))
      _ = value?.text
      _ = try? JSON.members(["event", "step"], of: pattern.replacing("TEXT", with: text))
    }
    #expect(isCheap)
  }

  /// Every object and every member of the specifications.
  @Test(arguments: [TrainSpecification.schema, EvaluateSpecification.schema])
  func `costs as much with marks as with letters in every member of a specification`(schema: JSON) {
    func members(_ schema: JSON, _ path: [ByteString]) -> [[ByteString]] {
      let own = (schema["properties"]?.object ?? [:]).flatMap { members($1, path + [$0]) + [path + [$0]] }
      return own + (schema["anyOf"]?.array ?? []).flatMap { members($0, path) } + [path + ["?"]]
    }
    let paths = Set(members(schema, []))
    #expect(paths.count > 10)
    let isCheap = Marks.costNoMore(bytes: 8_000, rounds: 2, times: 1) { text in
      for path in paths {
        let leaf: JSON = path.last == "?" ? .object([ByteString(text): 1]) : .string(ByteString(text))
        let spec = path.filter { $0 != "?" }.reversed().reduce(leaf) { .object([$1: $0]) }
        _ = try? TrainSpecification.parse(spec)
        _ = try? EvaluateSpecification.parse(spec)
      }
    }
    #expect(isCheap)
  }

  private func labelling(_ json: JSON) throws -> JobLabelling {
    let problems = ProblemList()
    var labelling = JobLabelling()
    labelling.read(ObjectReader(json, at: "", problems))
    try problems.check()
    return labelling
  }

  @Test func `is plain in names, labels and notes`() throws {
    let fits = try labelling([
      "name": "a\u{301}", "notes": "a\n\tb", "labels": ["caf\u{E9}": "", "cafe\u{301}": "x"],
    ])
    #expect(fits.labels.count == 2)
    for wrong in [
      "\u{1B}[2J", "\u{85}", "\u{202E}", "\u{2066}x", "\u{200F}", "\u{61C}", "\u{FEFF}", "\u{2028}",
    ] {
      let text = ByteString(wrong)
      #expect(throws: SpecificationProblems.self) { try labelling(["name": .string(text)]) }
      #expect(throws: SpecificationProblems.self) { try labelling(["notes": .string(text)]) }
      #expect(throws: SpecificationProblems.self) { try labelling(["labels": .object([text: ""])]) }
      #expect(throws: SpecificationProblems.self) { try labelling(["labels": ["a": .string(text)]]) }
      let error = #expect(throws: SpecificationProblems.self) {
        try TrainSpecification.parse(["dataset": ["name": .string(text)], "x": .object([text: 1])])
      }
      #expect(error.map { "\($0)".unicodeScalars.allSatisfy { !$0.isHidden } } == true)
    }
  }
}

@Suite struct `Limits of JSON` {
  private func object(members: Int) -> String {
    "{" + (0..<members).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
  }

  @Test func `an object has at most a thousand members`() throws {
    #expect(try JSON.parse(object(members: 1_000)).object?.count == 1_000)
    let error = #expect(throws: JSONError.self) { try JSON.parse(object(members: 1_001)) }
    #expect(error?.message == "the object is over the limit json_members_max, which is 1000")
    #expect(try JSON.parse(object(members: 1_001), limits: .none).object?.count == 1_001)
  }

  @Test func `a text has at most a quarter of a million values`() throws {
    func array(_ count: Int) -> String { "[" + String(repeating: "0,", count: count - 2) + "0]" }
    #expect(throws: Never.self) { try JSON.parse(array(250_000)) }
    let error = #expect(throws: JSONError.self) { try JSON.parse(array(250_001)) }
    #expect(error?.message == "is over the limit json_values_max, which is 250000")
  }

  @Test(arguments: [(9_007_199_254_740_991, true), (9_007_199_254_740_992, false), (0, true), (-1, false)])
  func `a seed is a whole number that every reader keeps exactly`(seed: Int, fits: Bool) throws {
    let spec: JSON = ["seed": .integer(seed)]
    #expect((try? TrainSpecification.parse(spec).seed) == (fits ? UInt64(seed) : nil))
  }
}

@Suite struct `What is said of mistakes` {
  private func problems(_ spec: JSON) -> SpecificationProblems? {
    #expect(throws: SpecificationProblems.self) {
      try JobSpecification.parse(spec, kind: .train, at: "/spec")
    }
  }

  @Test func `is bounded, and says how many there are`() throws {
    let unknown = Dictionary(
      uniqueKeysWithValues: (0..<900).map {
        (ByteString("key\($0)" + String(repeating: "k", count: 200)), JSON.null)
      })
    let error = try #require(problems(.object(unknown)))
    #expect(error.problems.count == ProblemList.problemsMax)
    #expect(error.total == 900)
    #expect("\(error)".utf8.count < 40_000)
    #expect(error.problems.filter { $0.message.contains("nown here:") }.count == 1)
    #expect(error.problems.allSatisfy { !$0.message.contains("did you mean") })
  }

  @Test func `names a key that is too long by its beginning, and looks for no other`() throws {
    let long = ByteString(String(repeating: "x", count: 257))
    let message = try #require(problems(.object([long: 1]))?.problems.first?.message)
    #expect(message == "unknown key \"\(String(repeating: "x", count: 80))…\"; a key has at most 256 bytes")
  }

  @Test(
    arguments: [
      (["lr": 1], "/spec/lr", "did you mean \"optimizer.lr\"?"),
      (["encoder": ["lr": 1]], "/spec/encoder/lr", "did you mean \"optimizer.lr\"?"),
      (
        ["crop_scale": [0.1, 1]], "/spec/crop_scale",
        "did you mean \"augmentation.crop_scale\" or \"local_views.crop_scale\"?"
      ),
      (["priority": 3], "/spec/priority", "did you mean \"priority\" next to \"spec\"?"),
      (["limit": 3], "/spec/limit", "did you mean \"dataset.limit\"?"),
      (["bacth_size": 3], "/spec/bacth_size", "did you mean \"batch_size\"?"),
    ] as [(JSON, String, String)])
  func `knows where a key belongs`(spec: JSON, pointer: String, message: String) throws {
    let problem = try #require(problems(spec)?.problems.first { $0.pointer == pointer })
    #expect(problem.message.contains(message), "\(problem.message)")
  }

  @Test func `does not guess what is far`() throws {
    let message = try #require(problems(["zebra": 1])?.problems.first?.message)
    #expect(!message.contains("did you mean"))
    #expect(message.hasPrefix("unknown key \"zebra\"; known here: augmentation, batch_size, "))
  }

  @Test func `says one thing of each place`() throws {
    let problems = ProblemList()
    problems.add("/a", "must be one")
    problems.add("/a", "must be another")
    problems.add("/b", "must be one")
    #expect(problems.problems.map(\.pointer) == ["/a", "/b"])
    #expect(problems.total == 2)
  }
}
