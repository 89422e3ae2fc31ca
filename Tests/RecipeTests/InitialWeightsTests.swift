import JSONText
import Recipe
import Testing
import Text

@Suite struct `What a training begins with` {
  private static let job: JSON = "01m8f5zsg5cj8b9r"

  private static func problems(_ spec: JSON, beginningWith source: JSON) throws -> [String: String] {
    let problems = ProblemList()
    try TrainSpecification.parse(spec).check(
      beginningWith: TrainSpecification.parse(source), of: "job J", at: "/spec", problems)
    return Dictionary(
      problems.problems.map { ($0.pointer, $0.message) }, uniquingKeysWith: { "\($0); \($1)" })
  }

  @Test func `is new weights unless a checkpoint is named, and is written as it was read`() throws {
    #expect(try TrainSpecification.parse([:]).initFrom == nil)
    let specification = try TrainSpecification.parse(["init_from": ["job": Self.job, "optimizer": true]])
    #expect(specification.initFrom?.checkpoint.which == "last" && specification.initFrom?.optimizer == true)
    #expect(specification.checkpointUse?.job?.text == "01m8f5zsg5cj8b9r")
    #expect(try TrainSpecification.parse(specification.json) == specification)
  }

  @Test(
    arguments: [
      ([:], "/init_from/job"), (["job": "x"], "/init_from/job"),
      (["job": "01m8f5zsg5cj8b9r", "y": 1], "/init_from/y"),
      (["job": "01m8f5zsg5cj8b9r", "which": 3], "/init_from/which"),
      (["job": "01m8f5zsg5cj8b9r", "optimizer": "yes"], "/init_from/optimizer"), ("last", "/init_from"),
    ] as [(JSON, String)])
  func `is refused with the member that is wrong`(value: JSON, pointer: String) {
    let error = #expect(throws: SpecificationProblems.self) {
      try TrainSpecification.parse(["init_from": value])
    }
    #expect(error?.problems.map(\.pointer) == [pointer], "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `must have the encoder's shape, and may have another head, method and length`() throws {
    let source: JSON = ["encoder": ["width": 32, "stem": "cifar", "stem_padding": 1, "fc": 64]]
    #expect(
      try Self.problems(
        [
          "init_from": ["job": Self.job], "method": "simclr", "epochs": 3, "image_size": 64,
          "encoder": ["width": 32, "stem": "cifar", "stem_padding": 1, "fc": nil],
        ], beginningWith: source) == [:])
    let wrong = try Self.problems(
      ["init_from": ["job": Self.job], "encoder": ["arch": "resnet34", "width": 16, "stem_padding": 1]],
      beginningWith: source)
    #expect(
      wrong == [
        "/spec/encoder/width": "must be 32, as in job J, whose weights init_from takes, got 16",
        "/spec/encoder/arch":
          "must be \"resnet18\", as in job J, whose weights init_from takes, got \"resnet34\"",
      ])
  }

  @Test func `must be the same but for length and rates where a training goes on`() throws {
    let goingOn: JSON = ["job": Self.job, "optimizer": true]
    #expect(
      try Self.problems(
        [
          "init_from": goingOn, "epochs": 30, "log_every_steps": 3, "optimizer": ["lr": 1e-5],
          "schedule": ["name": "constant"], "checkpoint": ["keep_last": 9],
        ], beginningWith: ["epochs": 10]) == [:])
    let wrong = try Self.problems(
      ["init_from": goingOn, "seed": 1, "projector": ["widths": [64, 64]], "views": 3], beginningWith: [:])
    #expect(Set(wrong.keys) == ["/spec/seed", "/spec/projector/widths", "/spec/views"], "\(wrong)")
    #expect(wrong["/spec/seed"] == "must be 0, as in job J, which init_from goes on with, got 1")
  }
}
