import HTTP
import JSONText
import Support
import Testing
import Text

/// Issue 14: text from outside on its way through routes and store.
@Suite struct `Text of requests` {
  let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func ids(_ query: String) -> [String] {
    fixture.send(.get, "/jobs?\(query)").json["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
  }

  @Test func `labels and names of other bytes are stored and filtered apart`() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let one = try fixture.post(#"{"kind":"train","name":"\#(composed)","labels":{"\#(composed)":"1"}}"#)
    let other = try fixture.post(#"{"kind":"train","name":"\#(decomposed)","labels":{"\#(decomposed)":"1"}}"#)
    let both = try fixture.post(
      #"{"kind":"train","labels":{"\#(composed)":"x","\#(decomposed)":"y","k":"\#(composed)"}}"#)
    #expect(ids("label=\(composed)") == [both.text, one.text])
    #expect(ids("label=\(decomposed)") == [both.text, other.text])
    #expect(ids("label=\(composed)=x") == [both.text])
    #expect(ids("label=\(decomposed)=x").isEmpty)
    #expect(ids("label=k=\(decomposed)").isEmpty)
    #expect(fixture.send(.get, "/jobs/\(one)").json["name"] == .string(ByteString(composed)))
    #expect(fixture.send(.get, "/jobs/\(both)").json["labels"]?.object?.count == 3)
    // A change of form is a change.
    let before = fixture.send(.get, "/jobs/\(one)").headers["ETag"]
    _ = fixture.send(.patch, "/jobs/\(one)", #"{"name":"\#(decomposed)"}"#)
    #expect(fixture.send(.get, "/jobs/\(one)").headers["ETag"] != before)
    #expect(fixture.send(.get, "/jobs/\(one)").json["name"] == .string(ByteString(decomposed)))
  }

  @Test(arguments: [
    #"{"kind":"TEXT"}"#, #"{"kind":"train","name":"TEXT"}"#, #"{"kind":"train","notes":"TEXT"}"#,
    #"{"kind":"train","labels":{"TEXT":"a"}}"#, #"{"kind":"train","labels":{"a":"TEXT"}}"#,
    #"{"kind":"train","TEXT":1}"#, #"{"kind":"train","needs":["TEXT"]}"#,
    #"{"kind":"train","spec":{"dataset":{"name":"TEXT"}}}"#,
    #"{"kind":"evaluate","spec":{"checkpoint":{"job":"TEXT","which":"TEXT"}}}"#,
    #"{"jobs":[{"kind":"train","ref":"TEXT"},{"kind":"train","ref":"TEXTa","needs":["TEXT"]}]}"#,
    "{\"TEXT\"", "TEXT",
  ])
  func `costs as much with marks as with letters in every member of a job`(pattern: String) {
    let isCheap = Marks.costNoMore(bytes: 40_000, times: 2) { text in
      _ = fixture.send(.post, "/jobs?dry_run=true", pattern.replacing("TEXT", with: text))
    }
    #expect(isCheap)
  }

  @Test(arguments: [
    "/jobs?TEXT=1", "/jobs?state=TEXT", "/jobs?state=TEXT,TEXT", "/jobs?kind=TEXT", "/jobs?label=TEXT",
    "/jobs?label=a=TEXT", "/jobs?limit=TEXT", "/jobs?cursor=TEXT", "/jobs?dry_run=TEXT", "/jobs/TEXT",
    "/datasets/TEXT", "/jobs/ID/metrics?keys=TEXT", "/jobs/ID/metrics?points=TEXT",
    "/jobs/ID/metrics?follow=TEXT", "/jobs/ID/checkpoints/TEXT", "/jobs/ID/events?after=TEXT",
    "/jobs/ID/log?tail=TEXT", "/events?after=TEXT", "/jobs/ID/transitions?after=TEXT",
  ])
  func `costs as much with marks as with letters in every target`(pattern: String) throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let isCheap = Marks.costNoMore(bytes: 8_000, times: 2) { text in
      let target = pattern.replacing("ID", with: id.text).replacing("TEXT", with: text)
      _ = fixture.send(.get, target)
      _ = fixture.instant(target, headers: [])
    }
    #expect(isCheap)
  }

  @Test(arguments: [
    "Content-Type", "Idempotency-Key", "Prefer", "If-Match", "If-None-Match", "Last-Event-ID", "Range",
  ])
  func `costs as much with marks as with letters in every field that routes read`(name: String) throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let isCheap = Marks.costNoMore(bytes: 15_600, times: 2) { text in
      for value in [text, "wait=\(text)", "\"\(text)\"", "\(text),\(text)"] {
        _ = fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train"}"#, headers: [(name, value)])
        _ = fixture.send(.patch, "/jobs/\(id)", #"{"name":"x"}"#, headers: [(name, value)])
        _ = fixture.send(.get, "/jobs/\(id)", headers: [(name, value)])
        _ = fixture.send(.get, "/events", headers: [(name, value)])
      }
    }
    #expect(isCheap)
  }

  /// A JSON array of so many equal elements.
  private static func array(_ element: String, _ count: Int) -> String {
    "[\([String](repeating: element, count: count).joined(separator: ","))]"
  }

  private static var unknownKeys: String {
    let members = (0..<990).map { "\"unknown\($0)\":1" }
    return "{\"kind\":\"train\",\(members.joined(separator: ","))}"
  }

  private static var wrongJobs: String { "{\"jobs\":\(array(#"{"kind":"x","a":1,"b":[]}"#, 1_000))}" }

  private static var wrongNeeds: String {
    "{\"jobs\":\(array("{\"kind\":\"train\",\"needs\":\(array("\"x\"", 100))}", 100))}"
  }

  private static var long: String { String(repeating: "x", count: 1_000_000) }

  /// Requests full of mistakes, and the bytes that an answer may have.
  @Test(arguments: [unknownKeys, wrongJobs, wrongNeeds, "{\"kind\":\"\(long)\"}", "{\"\(long)\":1}"])
  func `an answer to mistakes has a size that no request exceeds`(body: String) {
    let response = fixture.send(.post, "/jobs", body)
    #expect(response.status == 422)
    #expect(response.text.utf8.count < 60_000)
    #expect((response.json["errors"]?.array?.count ?? 0) <= ProblemList.problemsMax)
  }

  @Test(arguments: [
    ("json_members_max", #"{"a":1,"b":2,"c":3}"#), ("json_values_max", "[1,2,3,4,5,6,7,8,9]"),
  ])
  func `the limits of JSON are settings, which the answer names`(name: String, body: String) throws {
    let fixture = try APIFixture(limits: ["json_members_max": 2, "json_values_max": 8])
    let id = try fixture.post(#"{"kind":"train"}"#)
    for (method, target) in [
      (HTTP.Method.post, "/jobs"), (.patch, "/jobs/\(id)"), (.post, "/jobs/\(id)/pause"),
    ] {
      let response = fixture.send(method, target, body)
      #expect(response.status == 400)
      #expect(response.text.contains("the limit \(name), which is"), "\(response.text)")
    }
    #expect(fixture.send(.get, "/openapi.json").json["x-limits"]?[ByteString(name)] != nil)
  }

  @Test func `says how many mistakes there are`() {
    let jobs = [String](repeating: #"{"kind":"x"}"#, count: 300).joined(separator: ",")
    let detail = fixture.send(.post, "/jobs", #"{"jobs":[\#(jobs)]}"#).json["detail"]?.string
    #expect(detail?.hasPrefix("300 errors, of which 100 are listed; the first: /jobs/0/kind must be") == true)
  }

  private static var unknownParameters: String { (0..<800).map { "p\($0)" }.joined(separator: "&") }
  private static var wrongStates: String { "state=\(String(repeating: "x,", count: 3_000))" }
  private static var repeated: String { String(repeating: "limit=x&", count: 800) }

  @Test(arguments: [unknownParameters, wrongStates, repeated, "x=1&x=2&x=3"])
  func `an answer to a wrong query says each thing once`(query: String) throws {
    let response = fixture.send(.get, "/jobs?\(query)")
    #expect(response.status == 422)
    let detail = try #require(response.json["detail"]?.string?.string)
    #expect(detail.utf8.count < 8_000)
    #expect(detail.split(separator: "known here:").count <= 2)
  }

  @Test func `text that is repeated is shown, not sent on`() {
    for (method, target, body) in [
      (HTTP.Method.get, "/jobs?\u{202E}x=1", ""), (.get, "/jobs?state=\u{1B}[2J", ""),
      (.get, "/jobs/\u{202E}", ""), (.post, "/jobs", "{\"kind\":\"\u{202E}\",\"\u{85}\":1}"),
      (.post, "/jobs", "{\"kind\":\u{202E}}"),
    ] {
      let response = fixture.send(method, target, body)
      #expect(response.status >= 400)
      #expect(response.text.unicodeScalars.allSatisfy { !$0.isHidden || $0 == "\n" }, "\(response.text)")
    }
  }
}
