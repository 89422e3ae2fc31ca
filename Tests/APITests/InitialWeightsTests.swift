import HTTP
import JSONText
import JobModel
import Recipe
import Testing

@testable import API

@Suite struct `A training that names a checkpoint` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func submit(_ spec: String) -> Response {
    fixture.send(.post, "/jobs", "{\"kind\":\"train\",\"spec\":{\(spec)}}")
  }

  @Test func `waits for the training that it begins with`() throws {
    let source = try fixture.post(#"{"kind":"train"}"#)
    let answer = submit("\"init_from\":{\"job\":\"\(source)\"}")
    #expect(answer.status == 201 && answer.json["state"] == "blocked", "\(answer.text)")
    #expect(answer.json["spec"]?["init_from"]?["which"] == "last")
    #expect(fixture.send(.delete, "/jobs/\(source)").status == 409)
  }

  @Test func `may name one of the same request`() throws {
    let answer = fixture.send(
      .post, "/jobs",
      #"{"jobs":[{"kind":"train","ref":"a"},{"kind":"train","spec":{"init_from":{"job":"a"}}}]}"#)
    let jobs = answer.json["jobs"]?.array ?? []
    #expect(answer.status == 201 && jobs.count == 2, "\(answer.text)")
    #expect(jobs.last?["spec"]?["init_from"]?["job"] == jobs.first?["id"])
    #expect(jobs.last?["state"] == "blocked")
  }

  @Test func `pins a checkpoint that it names, which must exist`() throws {
    let source = try fixture.post(#"{"kind":"train"}"#)
    let wrong = submit("\"init_from\":{\"job\":\"\(source)\",\"which\":\"step-9\"}")
    #expect(wrong.status == 422 && wrong.errors.keys.contains("/spec/init_from/which"), "\(wrong.text)")
    let manifest = try fixture.checkpoint(source, step: 8, "content")
    let answer = submit("\"init_from\":{\"job\":\"\(source)\",\"which\":\"\(manifest.name)\"}")
    #expect(answer.status == 201 && answer.json["state"] == "queued", "\(answer.text)")
    let id = try #require(JobID(answer.json["id"]?.string ?? ""))
    #expect(try fixture.pins.pinned(for: id)?.manifest == manifest)
  }

  @Test func `is estimated by the steps that are left, and refused where none is`() throws {
    let source = try fixture.post(#"{"kind":"train","spec":{"epochs":2}}"#)
    let dry = fixture.send(.post, "/jobs?dry_run=1", #"{"kind":"train","spec":{"epochs":2}}"#)
    let steps = try #require(dry.json["steps"]?.int)
    let claimed = try #require(try fixture.store.claimNext(bootID: "boot"))
    let host = #""cpu":"C","threads":2,"isa":"avx2""#
    try fixture.tell(
      source, attempt: claimed.attempt,
      [
        #"{"event":"started","step":0,"steps":\#(steps),"time":"2026-01-01T00:00:00.000Z",\#(host)}"#,
        #"{"event":"metric","step":\#(steps),"time":"2026-01-01T00:00:10.000Z"}"#,
      ])
    let manifest = try fixture.checkpoint(source, step: steps / 2, "content")
    func seconds(_ spec: String) throws -> Double {
      let answer = fixture.send(.post, "/jobs?dry_run=1", "{\"kind\":\"train\",\"spec\":{\(spec)}}")
      return try #require(answer.json["estimate"]?["seconds"]?.double, "\(answer.text)")
    }
    let whole = try seconds(#""epochs":4"#)
    let half = try seconds("\"epochs\":4,\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true}")
    #expect(abs(half / whole - 0.5) < 1e-9, "\(half) of \(whole)")
    let named = "\"init_from\":{\"job\":\"\(source)\",\"which\":\"\(manifest.name)\",\"optimizer\":true}"
    #expect(abs(try seconds("\"epochs\":4,\(named)") / whole - 0.75) < 1e-9)
    #expect(abs(try seconds("\"epochs\":4,\"init_from\":{\"job\":\"\(source)\"}") / whole - 1) < 1e-9)
    #expect(submit("\"epochs\":1,\(named)").errors.keys.map { $0 } == ["/spec/epochs"])
    #expect(submit("\"epochs\":2,\(named)").status == 201)
    // One that is not to end before it is over may leave an earlier checkpoint.
    let lenient = "{\"kind\":\"train\",\"on_dependency_failure\":\"run\",\"spec\":{\"epochs\":2,"
    let last = "\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true}}}"
    #expect(fixture.send(.post, "/jobs", lenient + last).status == 201)
  }

  @Test func `is refused where the best checkpoint leaves no step, once that is known`() throws {
    let keep = #""checkpoint":{"keep_best":{"metric":"loss"}}"#
    let source = try fixture.post("{\"kind\":\"train\",\"spec\":{\"epochs\":3,\(keep)}}")
    let steps = try #require(
      fixture.send(.post, "/jobs?dry_run=1", #"{"kind":"train","spec":{"epochs":1}}"#).json["steps"]?.int)
    let best = "\"init_from\":{\"job\":\"\(source)\",\"which\":\"best\",\"optimizer\":true}"
    func goingOn(_ epochs: Int) -> Response { submit("\"epochs\":\(epochs),\(keep),\(best)") }
    // Which one is the best is not known before the training has ended.
    let early = goingOn(2)
    #expect(early.status == 201, "\(early.text)")
    _ = try fixture.checkpoint(source, step: steps, metric: 2, "first")
    _ = try fixture.checkpoint(source, step: 2 * steps, metric: 1, "best")
    _ = try fixture.checkpoint(source, step: 3 * steps, metric: 3, "last")
    try fixture.finish(.succeeded)
    let late = goingOn(2)
    #expect(late.status == 422 && late.errors.keys.map { $0 } == ["/spec/epochs"], "\(late.text)")
    #expect(late.text.contains("more steps than the \(2 * steps)"), "\(late.text)")
    #expect(goingOn(3).status == 201)
    // The early one is refused when it is tried again, after its worker has found the same.
    let id = try #require(early.json["id"]?.string)
    #expect(try fixture.finish(.failed) == JobID(id))
    let retried = fixture.send(.post, "/jobs/\(id)/retry")
    #expect(retried.status == 409 && retried.text.contains("at step \(2 * steps)"), "\(retried.text)")
  }

  @Test func `goes on after a failure without what it began with, once it has a checkpoint`() throws {
    let source = try fixture.post(#"{"kind":"train"}"#)
    try fixture.finish(.succeeded)
    let manifest = try fixture.checkpoint(source, step: 8, "content")
    let ids = try ["last", manifest.name].map { which in
      try fixture.post(
        #"{"kind":"train","spec":{"init_from":{"job":"\#(source)","which":"\#(which)"}}}"#)
    }
    for _ in ids { try fixture.finish(.failed) }
    #expect(fixture.send(.delete, "/jobs/\(source)").status == 204)
    for id in ids {
      #expect((400..<500).contains(fixture.send(.post, "/jobs/\(id)/retry").status))
      _ = try fixture.checkpoint(id, step: 4, "content")
      let retried = fixture.send(.post, "/jobs/\(id)/retry")
      #expect(retried.status == 202 && retried.json["state"] == "queued", "\(retried.text)")
    }
  }

  @Test func `is refused with everything that does not fit`() throws {
    let source = try fixture.post(#"{"kind":"train"}"#)
    let evaluation = try fixture.post(#"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(source)"}}}"#)
    let refused = [
      ("\"init_from\":{\"job\":\"0000000000000000\"}", "/spec/init_from/job"),
      ("\"init_from\":{\"job\":\"\(evaluation)\"}", "/spec/init_from/job"),
      ("\"init_from\":{\"job\":\"\(source)\",\"which\":\"best\"}", "/spec/init_from/which"),
      ("\"init_from\":{\"job\":\"\(source)\"},\"encoder\":{\"width\":48}", "/spec/encoder/width"),
      (
        "\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true},\"seed\":7,\"epochs\":99", "/spec/seed"
      ),
      ("\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true}", "/spec/epochs"),
      (
        "\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true},\"epochs\":99,\"max_steps\":3",
        "/spec/max_steps"
      ),
    ]
    for (spec, pointer) in refused {
      let answer = submit(spec)
      #expect(answer.status == 422 && answer.errors.keys.map { $0 } == [pointer], "\(answer.text)")
    }
    #expect(fixture.send(.get, "/jobs").json["total"] == 2)
  }
}
