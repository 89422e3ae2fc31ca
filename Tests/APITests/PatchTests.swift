import HTTP
import JSONText
import Recipe
import Testing
import Text

/// Issue 15: `PATCH /jobs/{id}` as a merge patch (RFC 7396), and what it is conditioned by.
@Suite struct `Changes of a job` {
  private let fixture: APIFixture
  private let id: JobID

  init() throws {
    fixture = try APIFixture()
    id = try fixture.post(
      #"{"kind":"train","name":"n","notes":"x","priority":7,"labels":{"a":"1","b":"2"}}"#)
  }

  private func patch(_ body: String, _ fields: (String, String)...) -> Response {
    fixture.send(.patch, "/jobs/\(id)", body, headers: fields)
  }

  private var tag: String { fixture.send(.get, "/jobs/\(id)").headers["ETag"]?.string ?? "" }

  @Test(
    arguments: [
      (#"{"labels":{"c":"3"}}"#, ["labels": ["a": "1", "b": "2", "c": "3"]]),
      (#"{"labels":{"a":null}}"#, ["labels": ["b": "2"]]),
      (#"{"labels":{"a":"x","b":null,"none":null}}"#, ["labels": ["a": "x"]]),
      (#"{"labels":{}}"#, ["labels": ["a": "1", "b": "2"]]),
      (#"{"labels":null}"#, ["labels": [:]]),
      (#"{"notes":null,"name":null}"#, ["notes": nil, "name": nil, "priority": 7]),
      (#"{"priority":null}"#, ["priority": 50, "name": "n"]),
      ("{}", ["labels": ["a": "1", "b": "2"], "name": "n", "notes": "x", "priority": 7]),
    ] as [(String, JSON)])
  func `merge objects, and null removes`(body: String, expected: JSON) {
    let response = patch(body)
    #expect(response.status == 200)
    for (name, value) in expected.object ?? [:] { #expect(response.json[name] == value, "\(name)") }
    #expect(fixture.send(.get, "/jobs/\(id)").json == response.json)
  }

  @Test func `one that changes nothing leaves the entity tag`() {
    let before = tag
    for body in ["{}", #"{"name":"n"}"#, #"{"labels":{"a":"1","z":null}}"#] {
      #expect(patch(body).headers["ETag"]?.string == before)
    }
    #expect(patch(#"{"labels":{"a":"2"}}"#).headers["ETag"]?.string != before)
  }

  @Test(arguments: [
    (#"{"labels":{"a":5}}"#, "/labels/a", "the label \"a\" must be null or a string"),
    (#"{"labels":{"":"x"}}"#, "/labels/", "the label's key must be a string of 1 to 64 characters"),
    (#"{"labels":["a"]}"#, "/labels", "must be an object of strings, or null"),
    (#"{"state":"failed"}"#, "/state", "unknown key"), ("[]", "", "must be an object"),
  ])
  func `what is wrong is named with its place`(body: String, pointer: String, message: String) {
    let response = patch(body)
    #expect(response.status == 422)
    #expect(response.errors[pointer]?.contains(message) == true, "\(response.text)")
  }

  @Test func `a job never has more labels than it may`() {
    let many = (0..<31).map { "\"k\($0)\":\"\"" }.joined(separator: ",")
    #expect(patch("{\"labels\":{\(many)}}").errors["/labels"] == "must be at most 32 labels, got 33")
    #expect(patch("{\"labels\":{\"a\":null,\(many)}}").json["labels"]?.object?.count == 32)
  }

  @Test func `come as merge patch or JSON, not as JSON Patch`() {
    for type in ["application/merge-patch+json", "application/json; charset=utf-8", "Application/JSON"] {
      #expect(patch("{}", ("Content-Type", type)).status == 200, "\(type)")
    }
    let refused = patch("[]", ("Content-Type", "application/json-patch+json"))
    #expect(refused.status == 415)
    #expect(refused.headers["Accept-Patch"] == "application/merge-patch+json, application/json")
  }

  @Test func `whatever tag an answer had works in If-Match`() throws {
    let plain = try #require(EntityTag(text: ByteString(tag)))
    for text in [plain.text, plain.gzipped.text, "\"other\", \(plain.gzipped.text)", "*"] {
      #expect(patch("{}", ("If-Match", text)).status == 200, "\(text)")
    }
    for text in ["\"other\"", "W/\(plain.text)", "W/\(plain.gzipped.text)", plain.text.dropLast() + "x\""] {
      #expect(patch(#"{"name":"m"}"#, ("If-Match", String(text))).status == 412, "\(text)")
    }
    // What a change and a cancel hand out is the tag of the job as it is then.
    let changed = try #require(patch(#"{"name":"m"}"#, ("If-Match", plain.gzipped.text)).headers["ETag"])
      .string
    #expect(patch("{}", ("If-Match", plain.text)).status == 412)
    let cancelled = fixture.send(.post, "/jobs/\(id)/cancel", headers: [("If-Match", changed)])
    #expect(cancelled.status == 202)
    let last = try #require(cancelled.headers["ETag"]).string
    #expect(fixture.send(.delete, "/jobs/\(id)", headers: [("If-Match", changed)]).status == 412)
    #expect(fixture.send(.delete, "/jobs/\(id)", headers: [("If-Match", last)]).status == 204)
  }

  @Test(arguments: ["cancel", "pause", "resume", "retry"])
  func `no wish is granted for another version`(wish: String) {
    let before = fixture.send(.get, "/jobs/\(id)").text
    let refused = fixture.send(.post, "/jobs/\(id)/\(wish)", headers: [("If-Match", "\"other\"")])
    #expect(refused.status == 412)
    #expect(fixture.send(.get, "/jobs/\(id)").text == before)
  }
}
