import JSONText
import Recipe
import Testing

@Suite struct ImportSpecificationTests {
  @Test func `name and path are enough, and what it writes reads back equal`() throws {
    let standard = try ImportSpecification.parse(["name": "pets", "path": "/data/pets.zip"])
    #expect(standard == ImportSpecification(name: "pets", path: "/data/pets.zip"))
    #expect(standard.side == 64 && standard.fit == .cover && standard.testShare == nil)
    let chosen = ImportSpecification(
      name: "a.b-c_1", path: "/x y", side: 96, fit: .contain, testShare: 0.25, seed: (1 << 53) - 1,
      onBadImage: .skip, limits: ImportLimits(bytes: 5, entries: 4, pixels: 3, nesting: 2, ratio: 1))
    for one in [standard, chosen] {
      #expect(try ImportSpecification.parse(JSON.parse(one.json.text)) == one)
    }
  }

  @Test(
    arguments: [
      ("name", "a/b", "must be 1 to 64 letters"), ("name", "", "must be 1 to 64 letters"),
      ("name", "-a", "must be 1 to 64 letters"), ("name", "é", "must be 1 to 64 letters"),
      ("path", 7, "must be a string"), ("side", 15, "must be a whole number from 16 to 256"),
      ("side", 257, "must be a whole number from 16 to 256"), ("fit", "crop", "must be one of \"cover\""),
      ("test_share", 0.91, "must be null or a number from 0 to 0.9"),
      ("test_share", -0.1, "must be null or a number from 0 to 0.9"),
      ("seed", -1, "must be a whole number"), ("on_bad_image", "ignore", "must be one of \"fail\", \"skip\""),
      ("limits", ["entries": 0], "must be a whole number from 1"), ("sid", 64, "did you mean \"side\"?"),
    ] as [(String, JSON, String)])
  func `a wrong member is refused by its pointer`(key: String, value: JSON, message: String) throws {
    var spec: [String: JSON] = ["name": "pets", "path": "/data"]
    spec[key] = value
    let error = #expect(throws: SpecificationProblems.self) {
      try ImportSpecification.parse(.object(spec), at: "/spec")
    }
    let problem = try #require(error?.problems.first)
    #expect(problem.pointer.hasPrefix("/spec/\(key)"))
    #expect(problem.message.contains(message), "\(problem.message)")
  }

  @Test func `name and path must be there`() {
    let error = #expect(throws: SpecificationProblems.self) { try ImportSpecification.parse([:]) }
    #expect(error?.problems.map(\.pointer) == ["/name", "/path"])
  }
}
