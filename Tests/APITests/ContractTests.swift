import HTTP
import Platform
import Recipe
import Support
import Testing

@testable import API

@Suite struct `Contract` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func post(_ body: String, key: String, _ more: (String, String)...) -> Response {
    fixture.send(.post, "/jobs", body, headers: [("Idempotency-Key", key)] + more)
  }

  @Test func `the same key and body give the first answer again`() throws {
    let first = post(#"{"kind":"train"}"#, key: "a")
    #expect(first.status == 201)
    #expect(first.headers["Idempotency-Replayed"] == nil)
    let id = try #require(first.json["id"]?.string)
    // What has become of the job meanwhile does not matter.
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    let again = post(#"{"kind":"train"}"#, key: "\"a\"")
    #expect(again.status == 201)
    #expect(again.text == first.text)
    #expect(again.headers["Location"] == first.headers["Location"])
    #expect(again.headers["Idempotency-Replayed"] == "true")
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.count == 1)
    #expect(post(#"{"kind":"train","name":"x"}"#, key: "a").status == 422)
    #expect(post(#"{"kind":"train"}"#, key: "b").json["id"]?.string != id)
  }

  @Test func `a batch under a key is queued once, and a wrong one leaves the key free`() throws {
    #expect(post(#"{"jobs":[{"kind":"train"},{"kind":"nothing"}]}"#, key: "k").status == 422)
    let body = #"{"jobs":[{"kind":"train","ref":"t"},{"kind":"evaluate","spec":{"checkpoint":{"job":"t"}}}]}"#
    let first = post(body, key: "k")
    #expect(first.status == 201)
    #expect(post(body, key: "k").text == first.text)
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.count == 2)
  }

  @Test(arguments: ["", "\"\"", "a b", "é", String(repeating: "a", count: 256), "a\"b"])
  func `what is no key is refused`(key: String) {
    #expect(post(#"{"kind":"train"}"#, key: key).status == 400)
  }

  @Test func `changes and removals are held to what the client knows`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let tag = try #require(fixture.send(.get, "/jobs/\(id)").headers["ETag"]).string
    func patch(_ tag: String) -> Int {
      fixture.send(.patch, "/jobs/\(id)", #"{"name":"x"}"#, headers: [("If-Match", tag)]).status
    }
    #expect(patch("\"other\"") == 412)
    #expect(patch(tag) == 200)
    #expect(patch(tag) == 412)
    #expect(patch("*") == 200)
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    #expect(fixture.send(.delete, "/jobs/\(id)", headers: [("If-Match", tag)]).status == 412)
    #expect(fixture.send(.get, "/jobs/\(id)").status == 200)
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 204)
  }

  private func pending(_ id: JobID, _ fields: (String, String)...) throws -> any PendingAnswer {
    let response = fixture.send(.get, "/jobs/\(id)", headers: fields)
    guard case .pending(let pending) = response.body else {
      throw Problem(status: 500, detail: "answered at once")
    }
    return pending
  }

  private func answer(_ step: PendingStep) -> Response? {
    if case .answer(let response) = step { response } else { nil }
  }

  @Test func `a client may wait for the end of a job`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let wait = try pending(id, ("Prefer", "respond-async, wait=30"))
    let woken = Inbox<Void>()
    wait.attach { woken.send(()) }
    #expect(answer(try wait.next(mustAnswer: false)) == nil)
    _ = fixture.send(.patch, "/jobs/\(id)", #"{"name":"x"}"#)
    #expect(!woken.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
    #expect(answer(try wait.next(mustAnswer: false)) == nil)
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    var last: Response?
    while last == nil {
      try #require(!woken.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
      last = answer(try wait.next(mustAnswer: false))
    }
    #expect(last?.json["state"] == "cancelled")
    #expect(last?.headers["Preference-Applied"] == "wait=30")
    wait.close()
    // What has ended is not waited for.
    #expect(fixture.send(.get, "/jobs/\(id)", headers: [("Prefer", "wait=30")]).status == 200)
  }

  @Test func `a client that knows the job waits for a change`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let tag = try #require(fixture.send(.get, "/jobs/\(id)").headers["ETag"]).string
    let wait = try pending(id, ("Prefer", "wait=30"), ("If-None-Match", tag))
    #expect(answer(try wait.next(mustAnswer: false)) == nil)
    _ = fixture.send(.patch, "/jobs/\(id)", #"{"name":"x"}"#)
    #expect(answer(try wait.next(mustAnswer: false))?.json["name"] == "x")
    wait.close()
  }

  @Test func `a client that waits is answered when the server stops, and when the job goes`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let wait = try pending(id, ("Prefer", "wait=30"))
    #expect(answer(try wait.next(mustAnswer: true))?.json["state"] == "queued")
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    _ = fixture.send(.delete, "/jobs/\(id)")
    #expect(answer(try wait.next(mustAnswer: false))?.status == 404)
    wait.close()
  }

  @Test(arguments: ["wait=0", "wait=x", "wait", "wait=-1", "return=minimal"])
  func `what asks for no waiting is answered at once`(preference: String) throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    #expect(fixture.send(.get, "/jobs/\(id)", headers: [("Prefer", preference)]).status == 200)
  }
}

@Suite struct `Jobs in memory` {
  private let fixture: APIFixture

  /// Time stands still: what time changes is told apart in `EstimateTests`.
  init() throws { fixture = try APIFixture { 1_790_000_000_000 } }

  private func inMemory(_ target: String, _ fields: (String, String)...) -> InstantResponse? {
    fixture.instant(target, headers: fields)
  }

  @Test func `are given as they are until anything is written`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    #expect(inMemory("/jobs/\(id)") == nil)
    let whole = fixture.send(.get, "/jobs/\(id)")
    let kept = try #require(inMemory("/jobs/\(id)"))
    #expect(kept.response.text == whole.text)
    #expect(kept.response.headers["ETag"] == whole.headers["ETag"])
    #expect(kept.isCurrent())
    _ = try fixture.post(#"{"kind":"train"}"#)
    #expect(!kept.isCurrent())
    #expect(inMemory("/jobs/\(id)") == nil)
    // A look at the job shows that it is still the same.
    _ = fixture.send(.get, "/jobs/\(id)")
    #expect(inMemory("/jobs/\(id)")?.response.text == whole.text)
    for (method, target, body) in [
      (Method.patch, "/jobs/\(id)", #"{"name":"new"}"#), (.post, "/jobs/\(id)/cancel", ""),
    ] {
      _ = fixture.send(method, target, body)
      #expect(inMemory("/jobs/\(id)") == nil)
      let changed = fixture.send(.get, "/jobs/\(id)").text
      #expect(inMemory("/jobs/\(id)")?.response.text == changed)
    }
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 204)
    #expect(inMemory("/jobs/\(id)") == nil)
    #expect(fixture.send(.get, "/jobs/\(id)").status == 404)
  }

  @Test func `are not given to who asks for something else`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    _ = fixture.send(.get, "/jobs/\(id)")
    #expect(inMemory("/jobs/\(id)?x=1") == nil)
    #expect(inMemory("/jobs/\(id)", ("Prefer", "wait=1")) == nil)
    #expect(inMemory("/jobs/\(id)/metrics") == nil)
    #expect(inMemory("/jobs") == nil)
    #expect(inMemory("/jobs/nothing") == nil)
    #expect(inMemory("/jobs/\(id)") != nil)
  }

  @Test func `are forgotten when there are many, and read anew`() throws {
    let first = try fixture.post(#"{"kind":"train"}"#)
    let jobs = (0..<999).map { _ in #"{"kind":"train"}"# }.joined(separator: ",")
    let ids = fixture.send(.post, "/jobs", #"{"jobs":[\#(jobs)]}"#).json["jobs"]?.array ?? []
    let all = [first.text] + ids.compactMap { $0["id"]?.string?.string }
    #expect(all.count == 1_000)
    for id in all { #expect(fixture.send(.get, "/jobs/\(id)").json["id"]?.string?.string == id) }
    for id in all { #expect(inMemory("/jobs/\(id)") != nil) }
    let more = try fixture.post(#"{"kind":"train"}"#)
    _ = fixture.send(.get, "/jobs/\(more)")
    #expect(inMemory("/jobs/\(first)") == nil)
    #expect(inMemory("/jobs/\(more)") != nil)
  }
}
