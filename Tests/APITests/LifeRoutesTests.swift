import HTTP
import JobStore
import Platform
import Testing

@Suite struct `Routes of a job's life` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  @Test func `pause, resume and retry answer with the job, and may be asked twice`() throws {
    let job = try fixture.post(#"{"kind":"train"}"#)
    for _ in 0..<2 {
      let response = fixture.send(.post, "/jobs/\(job)/pause")
      #expect(response.status == 202 && response.json["state"] == "paused", "\(response.text)")
    }
    for _ in 0..<2 {
      let response = fixture.send(.post, "/jobs/\(job)/resume", "{}")
      #expect(response.status == 202 && response.json["state"] == "queued", "\(response.text)")
    }
    try fixture.finish(.failed, reason: .badInput)
    for _ in 0..<2 {
      let response = fixture.send(.post, "/jobs/\(job)/retry")
      #expect(response.status == 202 && response.json["state"] == "queued", "\(response.text)")
      #expect(response.json["finished_at"] == .some(nil))
    }
    #expect(fixture.control.wakes == 7)
  }

  @Test(arguments: ["pause", "resume", "retry"])
  func `a request that does not fit is refused by what is there`(what: String) throws {
    #expect(fixture.send(.post, "/jobs/0000000000000000/\(what)").status == 404)
    let job = try fixture.post(#"{"kind":"train"}"#)
    #expect(fixture.send(.post, "/jobs/\(job)/\(what)", #"{"now":true}"#).errors.keys.contains("/now"))
    #expect(fixture.send(.post, "/jobs/\(job)/\(what)?now=true").status == 422)
    try fixture.finish(.succeeded)
    let response = fixture.send(.post, "/jobs/\(job)/\(what)")
    #expect(response.status == 409)
    #expect(
      response.json["detail"]?.string?.string.contains("has already succeeded") == true, "\(response.text)")
  }

  @Test func `the events of a job tell its life`() throws {
    let job = try fixture.post(#"{"kind":"train"}"#)
    _ = fixture.send(.post, "/jobs/\(job)/cancel")
    let events = try #require(fixture.send(.get, "/jobs/\(job)/transitions").json["transitions"]?.array)
    #expect(events.map { $0["to"] } == ["queued", "cancelled"])
    #expect(events.map { $0["from"] } == [.some(nil), "queued"])
    #expect(events.map { $0["actor"] } == ["user", "user"])
    #expect(events[1]["reason"] == "user_cancelled")
    let first = try #require(events[0]["id"]?.int)
    let rest = fixture.send(.get, "/jobs/\(job)/transitions?after=\(first)&limit=1")
    #expect(rest.json["transitions"]?.array == [events[1]])
  }

  @Test func `limits and dependencies are read, shown, and kept`() throws {
    let response = fixture.send(
      .post, "/jobs",
      #"""
      {"jobs":[{"ref":"a","kind":"train"},
      {"kind":"train","needs":["a"],"on_dependency_failure":"run","max_duration":60,"max_attempts":3},
      {"kind":"evaluate","on_dependency_failure":"run","spec":{"checkpoint":{"job":"a"}}}]}
      """#)
    #expect(response.status == 201, "\(response.text)")
    let jobs = try #require(response.json["jobs"]?.array)
    #expect(jobs.map { $0["state"] } == ["queued", "blocked", "blocked"])
    let first = try #require(jobs[0]["id"])
    #expect(jobs.map { $0["needs"] } == [[], [first], [first]])
    #expect(jobs[1]["on_dependency_failure"] == "run")
    #expect(
      jobs[1]["max_duration_seconds"] == 60 && jobs[1]["max_duration"] == 60 && jobs[1]["max_attempts"] == 3)
    #expect(jobs[0]["max_duration"] == .some(nil) && jobs[0]["max_attempts"] == 1)
    try fixture.finish(.failed, reason: .diverged)
    let states = fixture.send(.get, "/jobs").json["jobs"]?.array?.map { $0["state"] }
    #expect(states == ["queued", "queued", "failed"])
  }

  @Test(arguments: [
    (#""max_duration":0"#, "/max_duration"), (#""max_duration_seconds":0"#, "/max_duration_seconds"),
    (#""max_duration_seconds":1,"max_duration":2"#, "/max_duration"), (#""max_attempts":0"#, "/max_attempts"),
    (#""on_dependency_failure":"wait""#, "/on_dependency_failure"), (#""needs":"a""#, "/needs"),
    (#""needs":["0000000000000000"]"#, "/needs/0"),
  ])
  func `a wrong limit or dependency is named`(member: String, pointer: String) {
    let response = fixture.send(.post, "/jobs", #"{"kind":"train",\#(member)}"#)
    #expect(response.status == 422)
    #expect(Array(response.errors.keys) == [pointer], "\(response.text)")
  }

  @Test func `a job that needs a failed one is refused unless it runs anyway`() throws {
    let failed = try fixture.post(#"{"kind":"train"}"#)
    try fixture.finish(.failed, reason: .diverged)
    let body = #"{"kind":"train","needs":["\#(failed)"]"#
    #expect(fixture.send(.post, "/jobs", body + "}").errors.keys.contains("/needs/0"))
    let taken = fixture.send(.post, "/jobs", body + #","on_dependency_failure":"run"}"#)
    #expect(taken.json["state"] == "queued", "\(taken.text)")
  }

  @Test func `new jobs are refused with 507 when the daemon says why, dry runs are not`() throws {
    fixture.control.refuse("only 3 MiB are left")
    let refused = fixture.send(.post, "/jobs", #"{"kind":"train"}"#)
    #expect(refused.status == 507)
    #expect(refused.json["detail"]?.string?.string.contains("only 3 MiB are left") == true)
    #expect(fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train"}"#).status == 200)
    fixture.control.refuse(nil)
    _ = try fixture.post(#"{"kind":"train"}"#)
  }

  @Test func `what the machine has not the memory for is refused, and told before`() throws {
    let dry = fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train"}"#)
    #expect(dry.json["memory_bytes"] == .integer(64 << 20), "\(dry.text)")
    let body = #"{"kind":"train","spec":{"batch_size":2000}}"#
    let refused = fixture.send(.post, "/jobs", body)
    #expect(refused.status == 422)
    #expect(
      refused.errors["/spec/batch_size"]
        == "must be ≤ 1000, or the network narrower: the training needs 2000 MiB of memory, this machine has "
        + "1000, got 2000")
  }

  @Test func `where the batch is not the reason, the refusal names the dataset's limit or the network`() {
    let large = fixture.send(.post, "/jobs", #"{"kind":"train","spec":{"dataset":{"limit":5000000}}}"#)
    #expect(
      large.errors["/spec/dataset/limit"]
        == "must be ≤ 998999, with a batch_size of 2: the training needs 5064 MiB of memory, this machine "
        + "has 1000, got 5000000", "\(large.text)")
    let wide = fixture.send(.post, "/jobs", #"{"kind":"train","spec":{"projector":{"widths":[4096]}}}"#)
    #expect(
      wide.errors["/spec/encoder/width"]
        == "must be smaller, or projector.widths or image_size, as no batch_size and no dataset.limit are "
        + "small enough: the training needs 1064 MiB of memory, this machine has 1000, got 16", "\(wide.text)"
    )
  }

  @Test(arguments: [
    (#""batch_size":500,"views":6"#, 333, ", or views ≤ 4"),
    (#""batch_size":400,"local_views":{"count":8}"#, 200, ", or local_views.count ≤ 3"),
    (#""batch_size":500,"views":4,"local_views":{"count":8}"#, 166, ", or views ≤ 3 with one local view"),
    (#""batch_size":900,"views":3,"local_views":{"count":8}"#, 181, ""),
  ])
  func `a refusal for many views says how many fit`(members: String, batchSize: Int, hint: String) {
    let refused = fixture.send(.post, "/jobs", #"{"kind":"train","spec":{\#(members)}}"#)
    let message = refused.errors["/spec/batch_size"] ?? refused.text
    #expect(
      message.hasPrefix("must be ≤ \(batchSize), or the network narrower\(hint): the training"), "\(message)")
  }

  @Test func `an evaluation that fine-tunes names the batch that fits, and then the limit`() throws {
    func refusal(_ spec: String) -> [String: String] {
      fixture.send(
        .post, "/jobs",
        #"{"jobs":[{"ref":"a","kind":"train"},{"kind":"evaluate","spec":{"checkpoint":{"job":"a"},"#
          + #""protocol":"finetune",\#(spec)}}]}"#
      ).errors
    }
    let batch = refusal(#""dataset":{"limit":2}"#)["/jobs/1/spec/finetune/batch_size"]
    #expect(batch?.hasPrefix("must be ≤ 117: the evaluation needs 2112 MiB") == true, "\(batch ?? "")")
    let limit = refusal(#""dataset":{"limit":2000000}"#)["/jobs/1/spec/dataset/limit"]
    #expect(limit?.hasPrefix("must be ≤ 920999, with a batch_size of 2: ") == true, "\(limit ?? "")")
  }

  @Test func `an evaluation that the machine has not the memory for names the limit that fits`() throws {
    let body = #"""
      {"jobs":[{"ref":"a","kind":"train"},
      {"kind":"evaluate","spec":{"checkpoint":{"job":"a"},"dataset":{"limit":2000000}}}]}
      """#
    let refused = fixture.send(.post, "/jobs", body)
    #expect(
      refused.errors["/jobs/1/spec/dataset/limit"]
        == "must be ≤ 936999: the evaluation needs 2064 MiB of memory, this machine has 1000, got 2000000",
      "\(refused.text)")
  }

  @Test func `a deletion takes rows and files`() throws {
    let job = try fixture.post(#"{"kind":"train"}"#)
    try fixture.finish(.succeeded)
    _ = try fixture.checkpoint(job, step: 1, "x")
    #expect(fixture.send(.delete, "/jobs/\(job)").status == 204)
    #expect(!FileSystem.exists("\(fixture.data)/runs/\(job)"))
    #expect(try fixture.store.unfinishedDeletions().isEmpty)
  }
}
