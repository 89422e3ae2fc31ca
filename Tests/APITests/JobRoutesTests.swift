import API
import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import RunFolder
import Testing

@Suite struct JobRoutesTests {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func train() throws -> JobID { try fixture.post(#"{"kind":"train"}"#) }

  @Test func `lists the newest first, in pages that a link joins`() throws {
    let ids = try (0..<5).map { _ in try train().text }
    var target = "/jobs?limit=2&state=queued"
    var seen: [String] = []
    while true {
      let response = fixture.send(.get, target)
      #expect(response.status == 200)
      seen += response.json["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
      guard let cursor = response.json["next_cursor"]?.string else {
        #expect(response.headers["Link"] == nil)
        break
      }
      #expect(
        response.headers["Link"]?.string == "</jobs?limit=2&state=queued&cursor=\(cursor)>; rel=\"next\"")
      target = "/jobs?limit=2&state=queued&cursor=\(cursor)"
    }
    #expect(seen == Array(ids.reversed()))
  }

  @Test(arguments: [
    ("9223372036854775807", "9223372036854775807"), ("9007199254740992", "0"), ("40", "-9223372036854775808"),
    ("9007199254740992", "9007199254740992"),
  ])
  func `a job whose worker tells of far steps is shown`(steps: String, step: String) throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let claimed = try #require(try fixture.store.claimNext(bootID: "boot"))
    try fixture.tell(
      id, attempt: claimed.attempt,
      [
        #"{"event":"started","attempt":1,"step":0,"steps":\#(steps),"epochs":1,"threads":1,"isa":"a"}"#,
        #"{"event":"metric","step":\#(step),"epoch":0,"images_per_second":1e-300,"loss":1}"#,
      ])
    for target in ["/jobs", "/jobs/\(id)", "/jobs/\(id)/metrics?points=4&keys=loss"] {
      #expect(fixture.send(.get, target).status == 200, "\(target)")
    }
  }

  @Test func `lists each job as it answers for it alone, also after a change`() throws {
    let ids = try (0..<3).map { _ in try train() }
    func listed() throws -> [String] {
      let list = try #require(fixture.send(.get, "/jobs").json["jobs"]?.array)
      return list.map(\.text)
    }
    func alone() -> [String] { ids.reversed().map { fixture.send(.get, "/jobs/\($0)").json.text } }
    #expect(try listed() == alone())
    _ = fixture.send(.patch, "/jobs/\(ids[1])", #"{"name":"other \"name\""}"#)
    let changed = try listed()
    #expect(changed == alone() && changed[1].contains(#""name":"other \"name\"""#))
    try fixture.finish(.succeeded)
    #expect(try listed() == alone())
    #expect(fixture.send(.delete, "/jobs/\(ids[0])").status == 204)
    #expect(try listed().count == 2)
  }

  @Test func `filters by state, kind and label`() throws {
    let labelled = try fixture.post(#"{"kind":"train","labels":{"team":"a","x":"1=2"}}"#)
    let other = try train()
    try fixture.finish(.succeeded)
    func ids(_ query: String) -> [String] {
      fixture.send(.get, "/jobs?\(query)").json["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
    }
    #expect(ids("state=succeeded") == [labelled.text])
    #expect(ids("state=queued,succeeded") == [other.text, labelled.text])
    #expect(ids("state=queued&state=succeeded").count == 2)
    #expect(ids("kind=evaluate").isEmpty)
    #expect(ids("label=team") == [labelled.text])
    #expect(ids("label=team=b").isEmpty)
    #expect(ids("label=x=1=2") == [labelled.text])
  }

  @Test(arguments: [
    ("/jobs?limit=0", "limit"), ("/jobs?limit=x", "limit"), ("/jobs?limit=501", "limit"),
    ("/jobs?cursor=a", "cursor"),
    ("/jobs?state=resting", "resting"), ("/jobs?kind=x", "evaluate"),
    ("/jobs?stat=queued", "did you mean \"state\""),
    ("/jobs?limit=1&limit=2", "once"), ("/healthz?x", ""), ("/datasets?x=1", "x"),
  ])
  func `a wrong query is a 422 that says what is allowed`(target: String, hint: String) {
    let response = fixture.send(.get, target)
    #expect(response.status == (hint.isEmpty ? 200 : 422))
    #expect(
      hint.isEmpty || response.json["detail"]?.string?.string.contains(hint) == true, "\(response.text)")
  }

  @Test(arguments: [
    "/jobs/01kcz0000000000a", "/jobs/x", "/jobs/..", "/jobs/01kcz0000000000a/metrics", "/jobs/x/log",
    "/jobs/01kcz0000000000a/checkpoints", "/jobs/01kcz0000000000a/checkpoints/x", "/datasets/nope",
    "/nothing",
  ])
  func `what is not there is a 404`(target: String) {
    let response = fixture.send(.get, target)
    #expect(response.status == 404)
    #expect(response.headers["Content-Type"] == "application/problem+json")
  }

  @Test func `a wrong method is a 405 with what is allowed`() throws {
    let response = fixture.send(.put, "/jobs/\(try train())")
    #expect(response.status == 405)
    #expect(response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH")
  }

  @Test func `an unchanged job is a 304, a changed one is not`() throws {
    let id = try train()
    let tag = try #require(fixture.send(.get, "/jobs/\(id)").headers["ETag"]).string
    #expect(fixture.send(.get, "/jobs/\(id)", headers: [("If-None-Match", tag)]).status == 304)
    let claimed = try #require(try fixture.store.claimNext(bootID: "b"))
    let running = fixture.send(.get, "/jobs/\(id)", headers: [("If-None-Match", tag)])
    #expect(running.status == 200)
    try fixture.tell(id, attempt: claimed.attempt, [#"{"event":"metric","step":1,"epoch":0}"#])
    #expect(fixture.send(.get, "/jobs/\(id)").headers["ETag"] != running.headers["ETag"])
  }

  @Test func `a running job shows how far it is`() throws {
    let id = try train()
    let job = try #require(try fixture.store.claimNext(bootID: "b"))
    let begun = fixture.store.clock()
    func time(_ seconds: Int) -> String { SystemClock.rfc3339(unixMilliseconds: begun + seconds * 1000) }
    let start =
      #"{"event":"started","time":"\#(time(0))","step":0,"steps":300,"epochs":3,"threads":2,"isa":"a"}"#
    let line =
      #"{"event":"metric","step":100,"epoch":1,"time":"\#(time(50))","inv":null,"images_per_second":9}"#
    try fixture.tell(id, attempt: job.attempt, [start, line])
    let json = fixture.send(.get, "/jobs/\(id)").json
    let progress = try #require(json["progress"]?.object)
    #expect(progress["epoch"] == 1 && progress["epochs"] == 3)
    #expect(progress["step"] == 100 && progress["steps"] == 300)
    // 100 steps of 64 images in 50 seconds; what the line says of itself does not count.
    #expect(abs((progress["images_per_second"]?.double ?? 0) - 128) < 1e-6)
    #expect(progress["finish_at"]?.string?.string == time(150))
    let left = try #require(progress["seconds_left"]?.double)
    #expect(left <= 150 && left == left.rounded(), "\(left)")
    #expect(json["latest"] == (try JSON.parse(line)))
    #expect(json["started_at"]?.string?.hasSuffix("Z") == true)
  }

  @Test func `changes name, labels, notes and priority, nothing else`() throws {
    let id = try train()
    let response = fixture.send(
      .patch, "/jobs/\(id)", #"{"name":"n","labels":{"a":"b"},"notes":"x","priority":1}"#)
    #expect(response.status == 200)
    #expect(response.json["name"] == "n")
    #expect(response.json["notes"] == "x")
    let wrong = fixture.send(.patch, "/jobs/\(id)", #"{"name":"","priority":101,"state":"failed","spec":{}}"#)
    #expect(wrong.status == 422)
    #expect(wrong.errors.keys.sorted() == ["/name", "/priority", "/spec", "/state"])
    #expect(fixture.send(.get, "/jobs/\(id)").text == response.text)
    #expect(fixture.send(.patch, "/jobs/01kcz0000000000a", "{}").status == 404)
    #expect(fixture.send(.patch, "/jobs/\(id)", "x").status == 400)
  }

  @Test func `a finished job is deleted with its files, another is a 409`() throws {
    let id = try train()
    let refused = fixture.send(.delete, "/jobs/\(id)")
    #expect(refused.status == 409)
    #expect(refused.json["detail"]?.string?.string.contains("it is queued") == true)
    _ = try fixture.checkpoint(id, step: 1, "x")
    try fixture.finish(.succeeded)
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 204)
    #expect(!FileSystem.exists(RunFolder(data: fixture.data, job: id).path))
    #expect(fixture.send(.get, "/jobs/\(id)").status == 404)
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 404)
  }

  @Test func `a job that an unfinished one needs is not deleted`() throws {
    let id = try train()
    _ = try fixture.checkpoint(id, step: 1, "x")
    try fixture.finish(.succeeded)
    let evaluation = try fixture.post("{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(id)\"}}}")
    let refused = fixture.send(.delete, "/jobs/\(id)")
    #expect(refused.status == 409)
    #expect(refused.json["detail"]?.string?.string.contains(evaluation.text) == true)
  }

  @Test func `cancelling is a 202, and harmless when asked again`() throws {
    let waiting = try train()
    for _ in 0..<2 {
      let response = fixture.send(.post, "/jobs/\(waiting)/cancel")
      #expect(response.status == 202)
      #expect(response.json["state"] == "cancelled")
      #expect(response.json["reason"] == "user_cancelled")
    }
    let running = try train()
    _ = try fixture.store.claimNext(bootID: "b")
    for mode in ["graceful", "now", "graceful"] {
      let response = fixture.send(.post, "/jobs/\(running)/cancel", "{\"mode\":\"\(mode)\"}")
      #expect(response.status == 202)
      #expect(response.json["state"] == "cancelling")
    }
    #expect(try fixture.store.job(running)?.cancelMode == .now)
    #expect(fixture.control.wakes == 7)
    let wrong = fixture.send(.post, "/jobs/\(running)/cancel", #"{"mode":"soon","when":1}"#)
    #expect(wrong.status == 422)
    #expect(wrong.errors["/mode"] == #"must be one of "graceful", "now", got "soon""#)
    #expect(fixture.send(.post, "/jobs/01kcz0000000000a/cancel").status == 404)
  }

  @Test func `an evaluation shows its result`() throws {
    let training = try train()
    _ = try fixture.checkpoint(training, step: 1, "x")
    try fixture.finish(.succeeded)
    let spec = "{\"checkpoint\":{\"job\":\"\(training)\"},\"protocol\":\"linear\"}"
    let id = try fixture.post("{\"kind\":\"evaluate\",\"spec\":\(spec)}")
    try fixture.finish(
      .succeeded,
      lines: [
        #"{"event":"result","result":{"protocol":"linear","top1":0.5,"baselines":{"raw_pixels":0.25}}}"#
      ])
    let job = fixture.send(.get, "/jobs/\(id)").json
    #expect(
      job["result"] == [
        "protocol": "linear", "top1": 0.5, "baselines": ["raw_pixels": 0.25], "seconds": 0,
      ])
    #expect(job["progress"]?["epoch"] == 50)
  }

  @Test func `datasets are listed with what they lack`() {
    let list = fixture.send(.get, "/datasets").json["datasets"]?.array ?? []
    #expect(list.map { $0["name"] } == ["fashion-mnist", "synthetic", "absent"])
    #expect(list.map { $0["available"] } == [true, true, false])
    #expect(list.last?["problem"] == "absent.gz is not there: install it")
    #expect(
      fixture.send(.get, "/datasets/fashion-mnist").json == [
        "name": "fashion-mnist", "state": "ready", "job": .null, "message": .null, "source": "built in",
        "created_at": .null, "bytes": .null, "classes": ["a", "b"],
        "class_counts": ["train": ["a": 1000, "b": 25], "test": ["a": 60, "b": 40]],
        "counts": ["train": 60_000, "test": 10_000], "shape": [3, 32, 32], "channels": 1,
        "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "skipped": [], "skipped_count": 0,
        "digest": .string(FakeDatasets.fingerprint([.train: 60_000, .test: 10_000]).digest),
      ])
  }

  @Test func `says that it is alive, ready, and which`() throws {
    _ = try train()
    #expect(fixture.send(.get, "/healthz").json == ["status": "ok"])
    #expect(fixture.send(.get, "/readyz").json["jobs"]?["queued"] == 1)
    #expect(fixture.send(.get, "/version").json == ["name": "vicregd", "version": "1.2.3"])
  }

  @Test func `an unknown error is a 500 that gives nothing away`() {
    struct Secret: Error {}
    let problem = API.problem(for: Secret())
    #expect(problem.status == 500)
    #expect(!problem.jsonText.contains("Secret"))
    let full = API.problem(for: SystemError(operation: "write", subject: "x", errno: 28))
    #expect(full.status == 507)
  }
}
