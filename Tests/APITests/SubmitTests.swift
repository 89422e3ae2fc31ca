import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Testing

@Suite struct SubmitTests {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  /// The queue has nothing, and nobody was told to look.
  private func expectNoTrace() throws {
    #expect(try fixture.store.list(limit: 10).isEmpty)
    #expect(fixture.control.wakes == 0)
  }

  @Test func `a job is queued, found under its location, and shows its whole specification`() throws {
    let body = #"{"kind":"train","name":"first try","labels":{"team":"a"},"priority":60,"spec":{"epochs":2}}"#
    let response = fixture.send(.post, "/jobs", body, headers: [("Content-Type", "application/json")])
    #expect(response.status == 201)
    #expect(response.headers["Content-Type"] == "application/json")
    let job = response.json
    #expect(response.headers["Location"]?.string == "/jobs/\(job["id"]?.string ?? "")")
    #expect(job["kind"] == "train")
    #expect(job["name"] == "first try")
    #expect(job["labels"] == ["team": "a"])
    #expect(job["priority"] == 60)
    #expect(job["state"] == "queued")
    #expect(job["reason"] == nil as JSON)
    #expect(job["attempt"] == 0)
    #expect(job["started_at"] == nil as JSON)
    #expect(job["latest"] == nil as JSON)
    #expect(job["result"] == nil)
    #expect(
      job["progress"] == [
        "epoch": 0, "epochs": 2, "step": 0, "steps": 1876, "images_per_second": nil, "seconds_left": nil,
        "finish_at": nil,
      ])
    var expected = TrainSpecification.preset(.small)
    expected.epochs = 2
    expected.imageSize = 32
    #expect(job["spec"] == expected.json)
    #expect(fixture.control.wakes == 1)
    let found = fixture.send(.get, response.headers["Location"]?.string ?? "")
    #expect(found.text == response.text)
  }

  @Test(arguments: [
    nil, "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded",
    "text/plain",
    "application/vnd.x+json", "Application/JSON",
  ])
  func `a body is taken as curl sends it`(type: String?) {
    let headers = type.map { [("Content-Type", $0)] } ?? []
    #expect(fixture.send(.post, "/jobs", #"{"kind":"train"}"#, headers: headers).status == 201)
  }

  @Test(arguments: ["multipart/form-data; boundary=x", "application/xml", "image/png"])
  func `another content type is refused`(type: String) throws {
    let response = fixture.send(.post, "/jobs", #"{"kind":"train"}"#, headers: [("Content-Type", type)])
    #expect(response.status == 415)
    try expectNoTrace()
  }

  @Test(arguments: [
    ("", "line 1, column 1"), ("{\n \"kind\": train}", "line 2, column 10"),
    ("kind=train", "line 1, column 1"),
    ("{\"kind\":\"train\",\"kind\":\"train\"}", "line 1, column 17"),
  ])
  func `a body that is no JSON is refused with the place`(body: String, place: String) throws {
    let response = fixture.send(.post, "/jobs", body)
    #expect(response.status == 400)
    #expect(response.headers["Content-Type"] == "application/problem+json")
    #expect(response.json["detail"]?.string?.string.hasPrefix(place) == true, "\(response.text)")
    try expectNoTrace()
  }

  /// What is wrong, where, and a part of what the answer has to say about it.
  @Test(arguments: [
    ("[]", "", "must be an object, got []"),
    ("{}", "/kind", "must be one of \"train\", \"evaluate\", \"embed\"; it is missing"),
    (#"{"kind":"sweep"}"#, "/kind", "must be one of \"train\", \"evaluate\", \"embed\", got \"sweep\""),
    (#"{"kind":"train","prio":1}"#, "/prio", "unknown key \"prio\"; did you mean \"priority\"?"),
    (#"{"kind":"train","name":7}"#, "/name", "got 7"),
    (
      #"{"kind":"train","priority":"high"}"#, "/priority",
      "must be a whole number from 0 to 100, got \"high\""
    ),
    (#"{"kind":"train","spec":[]}"#, "/spec", "must be an object, got []"),
    (
      #"{"kind":"train","spec":{"epoch":3}}"#, "/spec/epoch",
      "unknown key \"epoch\"; did you mean \"epochs\"?"
    ),
    (
      #"{"kind":"train","spec":{"epochs":"3"}}"#, "/spec/epochs",
      "must be a whole number from 1 to 1000000, got \"3\""
    ),
    (#"{"kind":"train","spec":{"optimizer":{"lr":-1}}}"#, "/spec/optimizer/lr", "must be > 0, got -1"),
    (
      #"{"kind":"train","spec":{"dataset":{"name":"nope"}}}"#, "/spec/dataset/name", "there are fashion-mnist"
    ),
    (#"{"kind":"train","spec":{"dataset":{"name":"absent"}}}"#, "/spec/dataset/name", "install it"),
    (
      #"{"kind":"train","spec":{"dataset":{"name":"synthetic"}}}"#, "/spec/batch_size",
      "must not leave a last batch of one image"
    ),
    (
      #"{"kind":"train","spec":{"dataset":{"name":"single"}}}"#, "/spec/dataset/name",
      "must have at least 2 images in split \"train\", got 1"
    ),
    (
      #"{"kind":"train","spec":{"dataset":{"name":"tiny"},"augmentation":{"blur_kernel":31}}}"#,
      "/spec/augmentation/blur_kernel", "must be < 16, twice the side of the images, got 31"
    ),
    (
      #"{"kind":"train","spec":{"method":"byol","local_views":{}}}"#, "/spec/local_views",
      #"must be null, as method is "byol" and only "vicreg", "barlow-twins", "sigreg" take local views"#
    ),
    (
      #"{"kind":"train","spec":{"checkpoint":{"keep_best":{"metric":"los"}}}}"#,
      "/spec/checkpoint/keep_best/metric",
      #"must be one of "inv", "var", "cov", "loss", "std_mean", "std_min", "corr", "rankme", "grad_norm", "#
        + #""lr", "images_per_second", got "los""#
    ),
    (#"{"kind":"train","ref":"a"}"#, "/ref", "unknown key"),
    (#"{"kind":"evaluate"}"#, "/spec/checkpoint", "is missing"),
    (
      #"{"kind":"evaluate","spec":{"checkpoint":{"job":"x"}}}"#, "/spec/checkpoint/job",
      "there is no job \"x\""
    ),
    (
      #"{"kind":"evaluate","spec":{"checkpoint":{"job":"01kcz0000000000a"}}}"#, "/spec/checkpoint/job",
      "there is no job \"01kcz0000000000a\""
    ),
    (#"{"kind":"evaluate","spec":{"checkpoint":{}}}"#, "/spec/checkpoint/job", "is missing"),
    (#"{"jobs":[]}"#, "/jobs", "must be an array of 1 to 1000 jobs, got []"),
    (#"{"jobs":[{"kind":"train"},{"kind":"train","spec":{"seed":-1}}]}"#, "/jobs/1/spec/seed", "got -1"),
    (#"{"jobs":[{"kind":"train"}],"dry":1}"#, "/dry", "unknown key"),
    (#"{"jobs":[{"kind":"train","ref":"a"},{"kind":"train","ref":"a"}]}"#, "/jobs/1/ref", "must be unique"),
    (
      #"{"jobs":[{"kind":"evaluate","spec":{"checkpoint":{"job":"a"}}},{"kind":"train","ref":"a"}]}"#,
      "/jobs/0/spec/checkpoint/job", "there is no job \"a\""
    ),
  ])
  func `bad input is a 422 that names field, value and what is allowed, and leaves no trace`(
    body: String, pointer: String, message: String
  ) throws {
    let response = fixture.send(.post, "/jobs", body)
    #expect(response.status == 422)
    #expect(response.headers["Content-Type"] == "application/problem+json")
    #expect(response.json["status"] == 422)
    #expect(response.errors[pointer]?.contains(message) == true, "\(response.text)")
    #expect(response.errors.count == 1, "\(response.text)")
    try expectNoTrace()
  }

  @Test func `every wrong field is named at once`() throws {
    let response = fixture.send(
      .post, "/jobs",
      #"{"kind":"train","nam":"x","priority":-1,"#
        + #""spec":{"epochs":0,"loss":{"inv":-1},"dataset":{"name":"nope"}}}"#
    )
    #expect(response.status == 422)
    #expect(
      Set(response.errors.keys) == [
        "/nam", "/priority", "/spec/epochs", "/spec/loss/inv", "/spec/dataset/name",
      ])
    try expectNoTrace()
  }

  @Test func `an evaluation of no job is refused with everything else that is wrong`() throws {
    for job in ["0000000000000000", "x", ""] {
      let spec = "{\"checkpoint\":{\"job\":\"\(job)\"},\"protocol\":\"log\",\"features\":\"x\",\"epoch\":1}"
      let response = fixture.send(.post, "/jobs", "{\"kind\":\"evaluate\",\"spec\":\(spec)}")
      #expect(response.status == 422)
      #expect(
        response.errors.keys.sorted() == [
          "/spec/checkpoint/job", "/spec/epoch", "/spec/features", "/spec/protocol",
        ])
    }
    try expectNoTrace()
  }

  @Test func `a dry run resolves and queues nothing`() throws {
    let response = fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train","spec":{"preset":"paper"}}"#)
    #expect(response.status == 200)
    var expected = TrainSpecification.preset(.paper)
    expected.imageSize = 32
    #expect(response.json["spec"] == expected.json)
    #expect(response.json["steps"] == .integer(500 * 235))
    #expect(fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"trial"}"#).status == 422)
    for value in ["1", "true"] {
      let resolved = fixture.send(.post, "/jobs?dry_run=\(value)", #"{"kind":"train"}"#)
      #expect(resolved.status == 200 && resolved.json["dry_run"] == true)
    }
    for value in ["", "yes", "TRUE", "2", "on"] {
      let refused = fixture.send(.post, "/jobs?dry_run=\(value)", #"{"kind":"train"}"#)
      #expect(refused.status == 422)
      #expect(refused.errors["/dry_run"] == "must be one of true, false, 1, 0, got \"\(value)\"")
    }
    #expect(fixture.send(.post, "/jobs?dry_run=perhaps", #"{"kind":"train"}"#).status == 422)
    #expect(fixture.send(.post, "/jobs?dryrun=true", #"{"kind":"train"}"#).status == 422)
    try expectNoTrace()
  }

  @Test func `jobs of one request may need each other`() throws {
    let response = fixture.send(
      .post, "/jobs",
      #"""
      {"jobs":[{"kind":"train","ref":"t","spec":{"dataset":{"name":"synthetic","limit":512}}},
        {"kind":"evaluate","spec":{"checkpoint":{"job":"t"},"baselines":true}}]}
      """#)
    #expect(response.status == 201, "\(response.text)")
    let jobs = try #require(response.json["jobs"]?.array)
    #expect(jobs.map { $0["state"] } == ["queued", "blocked"])
    #expect(jobs[1]["spec"]?["checkpoint"]?["job"] == jobs[0]["id"])
    #expect(jobs[1]["spec"]?["dataset"]?["name"] == "synthetic")
    #expect(jobs[1]["result"] == nil as JSON)
    let early =
      #"{"jobs":[{"kind":"train","ref":"t"},"#
      + #"{"kind":"evaluate","spec":{"checkpoint":{"job":"t","which":"x"}}}]}"#
    let refused = fixture.send(.post, "/jobs", early)
    #expect(refused.errors.keys.sorted() == ["/jobs/1/spec/checkpoint/which"])
    #expect(try fixture.store.list(limit: 10).count == 2)
  }

  @Test func `what a job shows can be submitted again`() throws {
    let first = fixture.send(
      .post, "/jobs", #"{"kind":"train","spec":{"preset":"solo-cifar","seed":9007199254740991}}"#)
    let spec = try #require(first.json["spec"])
    let again = fixture.send(.post, "/jobs", "{\"kind\":\"train\",\"spec\":\(spec.text)}")
    #expect(again.status == 201, "\(again.text)")
    #expect(again.json["spec"] == spec)
    #expect(spec["seed"]?.int == (1 << 53) - 1)
  }
}

@Suite struct SubmitEvaluationTests {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func evaluate(_ id: JobID, which: String? = nil) -> Response {
    let name = which.map { ",\"which\":\"\($0)\"" } ?? ""
    return fixture.send(
      .post, "/jobs", "{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(id)\"\(name)}}}")
  }

  @Test func `an evaluation is blocked until its training has succeeded`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let response = evaluate(training)
    #expect(response.status == 201)
    #expect(response.json["state"] == "blocked")
    _ = try fixture.checkpoint(training, step: 5, "x")
    try fixture.finish(.succeeded)
    let later = fixture.send(.get, "/jobs/\(response.json["id"]?.string ?? "")")
    #expect(later.json["state"] == "queued")
    #expect(evaluate(training).json["state"] == "queued")
  }

  @Test(arguments: [(JobState.failed, Reason.diverged), (.cancelled, .userCancelled)])
  func `an evaluation of a job that ended otherwise is refused`(state: JobState, reason: Reason) throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    try fixture.finish(state, reason: reason)
    let response = evaluate(training)
    #expect(response.status == 422)
    #expect(
      response.errors["/spec/checkpoint/job"]
        == "must be the id of a train job that has succeeded or still can, "
        + "\"\(training)\" is \(state.rawValue) (\(reason.rawValue))")
    #expect(try fixture.store.list(limit: 9).count == 1)
  }

  @Test func `an evaluation needs two images to train on and one to test on`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let response = fixture.send(
      .post, "/jobs",
      "{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(training)\"},"
        + #""dataset":{"name":"single"}}}"#)
    #expect(
      response.errors == ["/spec/dataset/name": "must have at least 2 images in split \"train\", got 1"])
  }

  @Test func `an evaluation of an evaluation is refused`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let id = try #require(JobID(evaluate(training).json["id"]?.string ?? ""))
    #expect(evaluate(id).errors["/spec/checkpoint/job"]?.hasSuffix("is an evaluate job") == true)
  }

  @Test func `a checkpoint must exist when it is named`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let first = try fixture.checkpoint(training, step: 5, "abc").name
    #expect(evaluate(training, which: first).status == 201)
    let refused = evaluate(training, which: "step-00000006.safetensors.gz")
    #expect(refused.status == 422)
    #expect(
      refused.errors["/spec/checkpoint/which"]
        == "must be one of \"last\", \"\(first)\", got \"step-00000006.safetensors.gz\"")
    #expect(evaluate(training, which: "../../x").status == 422)
  }

  private let keepingBest =
    #"{"kind":"train","spec":{"checkpoint":{"keep_best":{"metric":"loss","mode":"min"}}}}"#

  @Test func `a named checkpoint is ready at once, also of a training that runs or has failed`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let name = try fixture.checkpoint(training, step: 5, "abc").name
    for end in [nil, JobState.failed] {
      if let end { try fixture.finish(end, reason: .diverged) }
      let response = evaluate(training, which: name)
      #expect(response.json["state"] == "queued" && response.json["needs"] == [], "\(response.text)")
      let id = try #require(response.json["id"]?.string?.string)
      #expect(FileSystem.exists("\(fixture.data)/pins/\(id)/\(name)"))
      #expect(fixture.send(.delete, "/jobs/\(training)").status == 409, "it is needed")
      if end == nil { try #require(fixture.send(.post, "/jobs/\(id)/cancel").status == 202) }
    }
    let dry = fixture.send(
      .post, "/jobs?dry_run=true",
      "{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(training)\",\"which\":\"\(name)\"}}}")
    #expect(dry.status == 200)
    #expect(try FileSystem.list("\(fixture.data)/pins").count == 2)
  }

  @Test func `a retried evaluation is pinned again, or refused where its checkpoint is gone`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    let manifest = try fixture.checkpoint(training, step: 5, "abc")
    let id = try #require(evaluate(training, which: manifest.name).json["id"]?.string?.string)
    for state in [202, 409] {
      #expect(fixture.send(.post, "/jobs/\(id)/cancel").status == 202)
      try fixture.pins.sweep { try fixture.store.unfinished(of: $0) }
      #expect(try FileSystem.list("\(fixture.data)/pins").isEmpty)
      if state == 409 {
        _ = try fixture.checkpoint(training, step: 6, "abd")
        _ = try RunFolder(data: fixture.data, job: training).checkpoints.retain(.init(newest: 1))
      }
      let retried = fixture.send(.post, "/jobs/\(id)/retry")
      #expect(retried.status == state, "\(retried.text)")
      #expect(FileSystem.exists("\(fixture.data)/pins/\(id)/\(manifest.name)") == (state == 202))
    }
  }

  @Test func `the best checkpoint needs a training that keeps it`() throws {
    let plain = try fixture.post(#"{"kind":"train"}"#)
    #expect(
      evaluate(plain, which: "best").errors["/spec/checkpoint/which"]
        == "must be \"last\" or a checkpoint's name, as checkpoint.keep_best of job \(plain) is null, "
        + "got \"best\"")
    let aliases = ["last", "best"].map { fixture.send(.get, "/jobs/\(plain)/checkpoints/\($0)") }
    #expect(aliases.map(\.status) == [404, 404])
    try fixture.finish(.succeeded)
    let training = try fixture.post(keepingBest)
    #expect(evaluate(training, which: "best").json["state"] == "blocked")
    let folder = RunFolder(data: fixture.data, job: training)
    try folder.create()
    for (step, loss) in [(1, 3.0), (2, 1), (3, 2)] {
      _ = try folder.checkpoints.store(step: step, epoch: 0, metric: loss) { try $0([1]) }
    }
    let list = fixture.send(.get, "/jobs/\(training)/checkpoints").json["checkpoints"]?.array ?? []
    #expect(list.map { $0["is_best"] } == [false, true, false])
    for (alias, step) in [("best", 2), ("last", 3)] {
      let answer = fixture.send(.get, "/jobs/\(training)/checkpoints/\(alias)")
      #expect(answer.status == 302)
      let place = "/jobs/\(training)/checkpoints/\(CheckpointFolder.name(step: step))"
      #expect(answer.headers["Location"]?.string == place)
    }
    try fixture.finish(.succeeded)
    #expect(evaluate(training, which: "best").json["state"] == "queued")
    let refused = evaluate(training, which: "first")
    #expect(refused.errors["/spec/checkpoint/which"]?.hasPrefix("must be one of \"last\", \"best\"") == true)
  }

  @Test func `jobs of one request may ask for the best`() {
    for (body, status) in [(keepingBest, 201), (#"{"kind":"train"}"#, 422)] {
      let response = fixture.send(
        .post, "/jobs",
        "{\"jobs\":[\(body.dropLast()),\"ref\":\"t\"},"
          + #"{"kind":"evaluate","spec":{"checkpoint":{"job":"t","which":"best"}}}]}"#)
      #expect(response.status == status, "\(response.text)")
    }
  }

  @Test func `the last checkpoint of a finished job must be there`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    try fixture.finish(.succeeded)
    #expect(evaluate(training).errors["/spec/checkpoint/which"]?.contains("no longer has any") == true)
  }
}
