import JSONText
import Testing
import Text

/// A record with every kind of rule that a field can have.
private struct Shape: JSONRecord, Equatable {
  enum Kind: String, Sendable, CaseIterable { case circle, square, ring }
  struct Hole: JSONRecord, Equatable {
    var size = 1
    static let fields = Fields<Self> { Field("size", \.size, .integer(1...9), "Its size.") }
  }
  var kind = Kind.circle
  var radius = 2.0
  var side = 3
  var ringSize = 5
  var hole: Hole?
  var id: ByteString = "x"

  static let fields = Fields<Self> {
    Field("kind", \.kind, .choice, "What it is.").then { $0.ringSize = $0.kind == .ring ? 7 : 5 }
    Field("radius", \.radius, .number(.positive(10)), "Its radius.")
      .when("kind is \"circle\"") { $0.kind == .circle }
    Field("size", \.side, .integer(1...8), "Length of a side.")
      .check("must be odd") { $0.side % 2 == 1 }.when("kind is \"square\"") { $0.kind == .square }
    Field("size", \.ringSize, .integer(5...9), "Width of the ring.")
      .when("kind is \"ring\"") { $0.kind == .ring }
    Field("hole", \.hole, .recordOrNull(Hole(size: 4)), "What it lacks.")
    Field("id", \.id, .line(charactersMax: 3), "Its name.").required("must be a name").withoutDefault()
  }
}

@Suite struct `Fields of a record` {
  /// What is made of an object that also has an `id`, and what is said of it.
  private func read(_ members: [ByteString: JSON]) -> (shape: Shape, problems: [String]) {
    let problems = ProblemList()
    var shape = Shape()
    let reader = ObjectReader(.object(members.merging(["id": "x"]) { given, _ in given }), at: "", problems)
    shape.read(reader)
    reader.finish()
    return (shape, problems.problems.map { "\($0.pointer) \($0.message)" })
  }

  @Test func `a member that belongs to another kind is refused with the kind that it belongs to`() {
    #expect(
      read(["kind": "square", "radius": 1]).problems
        == ["/radius is allowed only where kind is \"circle\", got 1"])
    #expect(
      read(["size": 3]).problems
        == ["/size is allowed only where kind is \"square\" or kind is \"ring\", got 3"])
    #expect(read(["kind": "square", "size": 5]).shape.side == 5)
    #expect(read(["kind": "square", "size": 4]).problems == ["/size must be odd, got 4"])
    #expect(
      read(["kind": "ring", "size": 3]).problems == ["/size must be a whole number from 5 to 9, got 3"])
    #expect(
      read(["kind": "ring", "radios": 3]).problems == [
        "/radios unknown key \"radios\"; known here: hole, id, kind, size"
      ])
  }

  @Test func `a consequence comes before the members after it, and only where the member is given`() {
    #expect(read(["kind": "ring"]).shape.ringSize == 7)
    #expect(read(["kind": "ring", "size": 9]).shape.ringSize == 9)
    #expect(read([:]).shape.ringSize == 5)
  }

  @Test func `an object or null begins with the template where there was none`() {
    #expect(read(["hole": [:]]).shape.hole == Shape.Hole(size: 4))
    #expect(read(["hole": ["size": 2]]).shape.hole == Shape.Hole(size: 2))
    #expect(read(["hole": nil]).shape.hole == nil)
    #expect(read(["hole": ["size": 0]]).problems.count == 1)
    #expect(read(["hole": 3]).problems == ["/hole must be an object, got 3"])
  }

  @Test func `what must be given is missed`() {
    let problems = ProblemList()
    var shape = Shape()
    shape.read(ObjectReader([:], at: "/a", problems))
    #expect(problems.problems.map(\.pointer) == ["/a/id"])
    #expect(problems.problems.first?.message == "must be a name; it is missing")
  }

  @Test(arguments: ["circle", "square", "ring"]) func `what it writes reads back equal`(kind: String) {
    for hole: JSON in [nil, [:]] {
      let shape = read(["kind": .string(kind), "hole": hole]).shape
      #expect(shape.jsonText == shape.json.text)
      #expect(read(shape.json.object ?? [:]).shape == shape)
    }
    #expect(read(["kind": "square"]).shape.jsonText == #"{"hole":null,"id":"x","kind":"square","size":3}"#)
  }

  @Test func `the schema has meaning, limits, alternatives and the defaults that always hold`() {
    let properties = Shape.fields.properties(defaults: Shape())
    #expect(
      properties["radius"] == [
        "type": "number", "exclusiveMinimum": 0, "maximum": 10, "default": 2,
        "description": "Its radius. Only where kind is \"circle\".",
      ])
    #expect(properties["size"]?["anyOf"]?.array?.count == 2)
    #expect(properties["id"]?["default"] == nil)
    #expect(properties["hole"]?["default"] == .some(.null))
    #expect(properties["kind"]?["default"] == "circle")
    #expect(Shape.fields.properties(defaults: nil)["kind"]?["default"] == nil)
  }
}
