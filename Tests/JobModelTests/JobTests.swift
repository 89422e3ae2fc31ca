import JSONText
import JobModel
import Recipe
import Testing
import Text

@Suite struct JobTests {
  @Test func `ids sort by age and read back`() throws {
    let ids = [(1, 9), (2, 0), (2, 1), (1_790_000_000_000, 0)].map {
      JobID(unixMilliseconds: UInt64($0.0), random: UInt32($0.1))
    }
    #expect(ids == ids.sorted())
    for id in ids { #expect(JobID(id.text) == id) }
    #expect(ids.map(\.unixMilliseconds) == [1, 2, 2, 1_790_000_000_000])
    for text in ["", "abc", "01KCZ0000000000A", "01kcz0000000000u", "01kcz0000000000a0", "../../etc/passwd"] {
      #expect(JobID(text) == nil)
    }
  }

  @Test func `a finished job has no way on, every other one can end`() {
    let finished = JobState.allCases.filter(\.isFinished)
    #expect(finished == [.succeeded, .failed, .cancelled])
    for state in JobState.allCases where !state.isFinished {
      var reached: Set<JobState> = [state]
      while let next = reached.flatMap({ Transition.table[$0, default: []] }).first(where: {
        !reached.contains($0)
      }) {
        reached.insert(next)
      }
      #expect(reached.contains(.cancelled), "\(state)")
      #expect(reached.contains(.succeeded), "\(state)")
    }
  }

  @Test func `labelling reads what is given and leaves the rest`() throws {
    var labelling = JobLabelling(name: "old", labels: ["a": "b"], notes: "n", priority: 7)
    let problems = ProblemList()
    labelling.read(ObjectReader(["name": nil, "priority": 100], at: "", problems))
    #expect(labelling == JobLabelling(name: nil, labels: ["a": "b"], notes: "n", priority: 100))
    try problems.check()
  }

  @Test(
    arguments: [
      ["name": ""], ["name": 1], ["name": "a\nb"], ["notes": 1], ["labels": []], ["labels": ["a": 1]],
      ["labels": ["": "x"]], ["priority": 101], ["priority": -1], ["priority": "high"],
    ] as [JSON])
  func `labelling refuses wrong values`(json: JSON) {
    var labelling = JobLabelling()
    let problems = ProblemList()
    labelling.read(ObjectReader(json, at: "", problems))
    #expect(problems.problems.count == 1)
    #expect(labelling == JobLabelling())
  }

  @Test(arguments: [
    ("lrr", "lr"), ("bacth_size", "batch_size"), ("epoch", "epochs"), ("epohcs", "epochs"),
    ("batch", "batch_size"), ("zzzzzz", nil), ("ba", nil), ("learning_rate", nil),
  ])
  func `finds the nearest word, if one is near`(word: String, nearest: String?) {
    #expect(nearestWord(to: ByteString(word), in: ["lr", "batch_size", "epochs"])?.string == nearest)
  }
}
