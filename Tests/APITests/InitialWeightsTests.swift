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

  @Test func `is refused with everything that does not fit`() throws {
    let source = try fixture.post(#"{"kind":"train"}"#)
    let evaluation = try fixture.post(#"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(source)"}}}"#)
    let refused = [
      ("\"init_from\":{\"job\":\"0000000000000000\"}", "/spec/init_from/job"),
      ("\"init_from\":{\"job\":\"\(evaluation)\"}", "/spec/init_from/job"),
      ("\"init_from\":{\"job\":\"\(source)\",\"which\":\"best\"}", "/spec/init_from/which"),
      ("\"init_from\":{\"job\":\"\(source)\"},\"encoder\":{\"width\":48}", "/spec/encoder/width"),
      ("\"init_from\":{\"job\":\"\(source)\",\"optimizer\":true},\"seed\":7", "/spec/seed"),
    ]
    for (spec, pointer) in refused {
      let answer = submit(spec)
      #expect(answer.status == 422 && answer.errors.keys.map { $0 } == [pointer], "\(answer.text)")
    }
    #expect(fixture.send(.get, "/jobs").json["total"] == 2)
  }
}
