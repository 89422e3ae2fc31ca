import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import SweepRunner
import Synchronization
import Testing
import Text

@testable import API

@Suite struct `Routes of sweeps` {
  private let fixture: APIFixture
  private let loop: SweepLoop

  init() throws {
    fixture = try APIFixture()
    loop = SweepLoop(store: fixture.store, source: TrialMaker(api: fixture.api))
  }

  private static let space = #""space": {"/optimizer/lr": {"log_uniform": [1e-4, 1e-2]}}"#
  private static let plain =
    #"{"name": "rates", \#(space), "search": {"name": "random"}, "max_trials": 6, "max_concurrent": 2}"#

  /// Begins a sweep, which must be taken.
  private func begin(_ body: String = plain) throws -> String {
    let response = fixture.send(.post, "/sweeps", body)
    try #require(response.status == 201, "\(response.text)")
    look()
    return try #require(response.json["id"]?.string?.string)
  }

  private func look() {
    for _ in 0..<100 {
      let outcome = loop.turn()
      if let failure = outcome.failure { Issue.record("\(failure)") }
      if !outcome.hasQueued, !outcome.isMore { return }
    }
  }

  /// Brings the next job to its end with a loss.
  private func finish(_ loss: Double, _ more: [String] = []) throws {
    try fixture.finish(
      .succeeded, lines: [#"{"event":"metric","step":1,"epoch":0,"loss":\#(loss)}"#] + more)
    look()
  }

  private func errors(_ body: String) throws -> [String: String] {
    let response = fixture.send(.post, "/sweeps", body)
    #expect(response.status == 422, "\(response.text)")
    #expect(fixture.send(.get, "/sweeps").json["total"] == 0)
    #expect(fixture.send(.get, "/jobs").json["total"] == 0)
    return response.errors
  }

  @Test func `a sweep is answered with its place, and its trials are jobs`() throws {
    let response = fixture.send(.post, "/sweeps", Self.plain)
    #expect(response.status == 201, "\(response.text)")
    let id = try #require(response.json["id"]?.string?.string)
    #expect(response.headers["Location"] == ByteString("/sweeps/\(id)") && response.headers["ETag"] != nil)
    #expect(response.json["state"] == "running" && response.json["trials"]?["total"] == 0)
    look()
    let sweep = fixture.send(.get, "/sweeps/\(id)").json
    #expect(sweep["trials"]?["total"] == 2 && sweep["trials"]?["queued"] == 2)
    #expect(sweep["best"] == .null && sweep["importances"] == [])
    let jobs = fixture.send(.get, "/jobs?sweep=\(id)&sort=created_at").json
    #expect(jobs["total"] == 2)
    let first = try #require(jobs["jobs"]?.array?.first)
    #expect(first["sweep"] == ["id": .string(id), "trial": 0] && first["name"] == "rates #0")
    let trials = fixture.send(.get, "/sweeps/\(id)/trials").json["trials"]?.array ?? []
    #expect(trials.count == 2)
    let rate = trials.first?["parameters"]?["/optimizer/lr"]
    #expect(rate != nil && first["spec"]?["optimizer"]?["lr"] == rate && trials.first?["job"] == first["id"])
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.count == 2)
  }

  @Test func `the best trial, importances and the table follow from what trials report`() throws {
    let id = try begin()
    for loss in [3, 1, 2, 5, 4, 6] { try finish(Double(loss)) }
    let sweep = fixture.send(.get, "/sweeps/\(id)").json
    #expect(sweep["state"] == "succeeded" && sweep["reason"] == "max_trials")
    #expect(sweep["trials"]?["succeeded"] == 6 && sweep["progress"] == 1 && sweep["seconds_left"] == 0)
    #expect(sweep["best"]?["trial"] == 1 && sweep["best"]?["value"] == 1)
    #expect(sweep["importances"] == [["parameter": "/optimizer/lr", "value": 1]])
    let ranked = fixture.send(.get, "/sweeps/\(id)/trials?sort=rank&limit=2").json
    #expect(ranked["trials"]?.array?.compactMap { $0["number"]?.int } == [1, 2])
    #expect(ranked["total"] == 6 && ranked["next_cursor"] == "2")
    let rest = fixture.send(.get, "/sweeps/\(id)/trials?sort=rank&cursor=2").json
    #expect(rest["trials"]?.array?.count == 4 && rest["next_cursor"] == .null)
    let table = fixture.send(.get, "/sweeps/\(id)/trials.csv")
    #expect(table.headers["Content-Type"]?.hasPrefix("text/csv") == true)
    let lines = table.text.split(separator: "\r\n")
    #expect(lines.count == 7 && lines[0] == "number,state,value,rung,stopped_at,epochs,seeds,/optimizer/lr")
    #expect(lines[2].hasPrefix("1,succeeded,1,,,"))
  }

  @Test func `a key gives the first answer again, and a dry run begins nothing`() throws {
    let headers = [("Idempotency-Key", "k")]
    let first = fixture.send(.post, "/sweeps", Self.plain, headers: headers)
    let again = fixture.send(.post, "/sweeps", Self.plain, headers: headers)
    #expect(again.status == 201 && again.text == first.text)
    #expect(again.headers["Idempotency-Replayed"] == "true")
    let dry = fixture.send(.post, "/sweeps?dry_run=true", Self.plain)
    #expect(dry.status == 200 && dry.json["dry_run"] == true && dry.json["max_trials"] == 6)
    #expect(dry.json["spec"]?["max_failed"] == 5 && dry.json["configurations"] == .null)
    #expect(fixture.send(.get, "/sweeps").json["total"] == 1)
  }

  @Test func `values go anywhere in a specification, also into arrays that the base does not name`() throws {
    let id = try begin(
      """
      {"space": {"/augmentation/crop_scale/0": {"uniform": [0.08, 0.6]}, "/loss/cov": {"choice": [0.5, 1, 2]},
        "/batch_size": {"int": [64, 256], "step": 64}}, "search": {"name": "sobol"}, "max_trials": 4}
      """)
    for job in fixture.send(.get, "/jobs?sweep=\(id)").json["jobs"]?.array ?? [] {
      let number = try #require(job["sweep"]?["trial"]?.int)
      let trial = fixture.send(.get, "/sweeps/\(id)/trials").json["trials"]?.array?[number]
      let values = trial?["parameters"]
      let scale = job["spec"]?["augmentation"]?["crop_scale"]?.array
      #expect(scale?.first == values?["/augmentation/crop_scale/0"] && scale?.last == 1)
      #expect(job["spec"]?["loss"]?["cov"] == values?["/loss/cov"])
      #expect(job["spec"]?["batch_size"] == values?["/batch_size"])
    }
  }

  @Test func `each training is evaluated, with its own checkpoint`() throws {
    let id = try begin(
      """
      {"space": {"/seed": {"int": [1, 2]}}, "search": {"name": "grid"}, "evaluate": {"protocol": "knn"}}
      """)
    let trials = fixture.send(.get, "/sweeps/\(id)/trials").json["trials"]?.array ?? []
    #expect(trials.count == 2)
    for trial in trials {
      let evaluation = fixture.send(.get, "/jobs/\(trial["evaluation"]?.string?.string ?? "")").json
      #expect(evaluation["kind"] == "evaluate" && evaluation["state"] == "blocked")
      #expect(evaluation["needs"]?.array == [trial["job"] ?? .null])
      #expect(evaluation["spec"]?["protocol"] == "knn" && evaluation["sweep"]?["trial"] == trial["number"])
    }
    let spec = fixture.send(.get, "/sweeps/\(id)").json["spec"]
    #expect(spec?["objective"] == ["metric": "evaluation.top1", "mode": "max"])
  }

  @Test func `with early stopping, a trial begins with its first rung and the whole schedule`() throws {
    let id = try begin(
      """
      {\(Self.space), "search": {"name": "random"}, "max_trials": 3, "max_concurrent": 1,
       "early_stopping": {"name": "asha", "reduction_factor": 3, "min_epochs": 1, "max_epochs": 3}}
      """)
    let job = fixture.send(.get, "/jobs?sweep=\(id)").json["jobs"]?.array?.first
    #expect(job?["spec"]?["epochs"] == 1 && job?["spec"]?["schedule"]?["horizon_epochs"] == 3)
    var trials: [Int: JobID] = [:]
    for loss in [3, 1, 2] {
      let next = try #require(try fixture.store.claimNext(bootID: "boot"))
      trials[try #require(next.place?.trial)] = next.id
      _ = try fixture.checkpoint(next.id, step: 7, "content")
      try fixture.tell(
        next.id, attempt: next.attempt, [#"{"event":"metric","step":1,"epoch":0,"loss":\#(loss)}"#])
      try fixture.store.transition(next.id, attempt: next.attempt, to: .succeeded)
      look()
    }
    let promoted = fixture.send(.get, "/jobs?sweep=\(id)&state=queued").json["jobs"]?.array?.first
    #expect(promoted?["sweep"]?["trial"] == 1 && promoted?["spec"]?["epochs"] == 3)
    #expect(promoted?["spec"]?["init_from"]?["job"]?.string?.string == trials[1]?.text)
    #expect(promoted?["spec"]?["init_from"]?["optimizer"] == true)
    let rows = fixture.send(.get, "/sweeps/\(id)/trials").json["trials"]?.array ?? []
    #expect(rows.map { $0["state"] ?? .null } == ["stopped", "queued", "stopped"])
    #expect(rows[0]["stopped_at"] == 0 && rows[0]["message"]?.string?.hasPrefix("stopped at rung 0") == true)
  }

  @Test(arguments: [
    (
      #"{"space": {"/optimizer/lr": {"log_uniform": [0, 1]}}, "max_trials": 3}"#,
      "/space/~1optimizer~1lr/log_uniform"
    ),
    (#"{"space": {"/optimizer/rate": {"uniform": [0, 1]}}, "max_trials": 3}"#, "/space/~1optimizer~1rate"),
    (#"{"space": {"/optimizer/lr": {"uniform": [-1, 1]}}, "max_trials": 3}"#, "/space/~1optimizer~1lr"),
    (#"{"space": {"/batch_size": {"uniform": [64.5, 99]}}, "max_trials": 3}"#, "/space/~1batch_size"),
    (
      #"{"space": {"/augmentation/crop_scale/7": {"uniform": [0.1, 1]}}, "max_trials": 3}"#,
      "/space/~1augmentation~1crop_scale~17"
    ),
    (
      #"{"space": {"/loss/temperature": {"uniform": [0.1, 1]}}, "max_trials": 3}"#,
      "/space/~1loss~1temperature"
    ),
    (#"{"base": {"kind": "evaluate"}, "space": {"/seed": {"int": [1, 2]}}}"#, "/base/kind"),
    (#"{"base": {"kind": "dance"}, "space": {"/seed": {"int": [1, 2]}}}"#, "/base/kind"),
    (
      #"{"base": {"kind": "train", "spec": {"epochs": 0}}, "space": {"/seed": {"int": [1, 2]}}}"#,
      "/base/spec/epochs"
    ),
    (
      #"{"base": {"spec": {"dataset": {"name": "absent"}}}, "space": {"/seed": {"int": [1, 2]}}}"#,
      "/base/spec/dataset/name"
    ),
    (
      #"{"space": {"/seed": {"int": [1, 2]}}, "objective": {"metric": "evaluation.top1"}}"#,
      "/objective/metric"
    ),
    (#"{"space": {"/seed": {"int": [1, 2]}}, "objective": {"metric": "lost"}}"#, "/objective/metric"),
    (#"{"space": {"/seed": {"int": [1, 2]}}, "objective": {"metric": "loss.best"}}"#, "/objective/metric"),
    (#"{"space": {"/seed": {"int": [1, 2]}}, "evaluate": {"protocol": "none"}}"#, "/evaluate/protocol"),
    (#"{"space": {"/seed": {"int": [1, 2]}}, "seeds": 2}"#, "/space/~1seed"),
    (
      #"{"space": {"/epochs": {"int": [1, 2]}}, "early_stopping": {"max_epochs": 3}}"#, "/space/~1epochs"
    ),
    (#"{"space": {"/batch_size": {"choice": [64, 4096]}}}"#, "/space/~1batch_size"),
    (#"{"space": {"/seed": {"int": [0, 99999]}}, "search": {"name": "grid"}}"#, "/space"),
    (#"[]"#, ""),
  ])
  func `what is wrong is refused with its place, and nothing is queued`(body: String, pointer: String)
    throws
  {
    let errors = try errors(body)
    #expect(errors.keys.sorted() == [pointer], "\(errors)")
  }

  @Test func `lists are filtered, sorted and paged`() throws {
    for (name, label) in [("b", "x"), ("a", "y"), ("c", "x")] {
      _ = try begin(
        #"{"name": "\#(name)", "labels": {"team": "\#(label)"}, \#(Self.space), "max_trials": 1}"#)
    }
    func names(_ query: String) -> [String] {
      let list = fixture.send(.get, "/sweeps?\(query)").json["sweeps"]?.array ?? []
      return list.map { $0["name"]?.string?.string ?? "" }
    }
    #expect(names("") == ["c", "a", "b"] && names("sort=name") == ["a", "b", "c"])
    #expect(names("label=team=x&sort=-name") == ["c", "b"] && names("q=TEAM=Y") == ["a"])
    #expect(names("state=running,paused").count == 3 && names("state=failed").isEmpty)
    let page = fixture.send(.get, "/sweeps?sort=name&limit=2&fields=name,id")
    #expect(page.json["total"] == 3 && page.json["sweeps"]?.array?.first?.object?.count == 2)
    let cursor = try #require(page.json["next_cursor"]?.string?.string)
    #expect(names("sort=name&limit=2&cursor=\(cursor)") == ["c"])
    #expect(page.headers["Link"]?.string.contains("cursor=\(cursor)") == true)
    #expect(fixture.send(.get, "/sweeps?sort=size").status == 422)
  }

  @Test func `a sweep whose time is over is extended by more time, and by nothing less`() throws {
    let clock = Mutex(1_000_000)
    let fixture = try APIFixture(clock: { clock.withLock { $0 } })
    let loop = SweepLoop(store: fixture.store, source: TrialMaker(api: fixture.api))
    func look() { while loop.turn().hasQueued {} }
    let body = #"{\#(Self.space), "search": {"name": "random"}, "max_trials": 4, "max_duration_seconds": 60}"#
    let id = try #require(fixture.send(.post, "/sweeps", body).json["id"]?.string?.string)
    look()
    try fixture.finish(.succeeded, lines: [#"{"event":"metric","step":1,"epoch":0,"loss":2}"#])
    clock.withLock { $0 += 90_000 }
    for _ in 0..<4 { look() }
    let over = fixture.send(.get, "/sweeps/\(id)").json
    #expect(over["state"] == "succeeded" && over["reason"] == "max_duration", "\(over.text)")

    func extend(_ body: String) -> Response { fixture.send(.post, "/sweeps/\(id)/extend", body) }
    for body in [#"{"max_trials": 9}"#, #"{"max_duration_seconds": 90}"#] {
      let message = extend(body).errors["/max_duration_seconds"] ?? ""
      #expect(message.hasPrefix("must be above 90, the seconds since its first trial started"), "\(message)")
    }
    #expect(extend(#"{"max_duration_seconds": 0}"#).errors.keys.contains("/max_duration_seconds"))
    #expect(extend("{}").errors.keys.contains("/max_trials"))
    #expect(fixture.send(.get, "/sweeps/\(id)").json["state"] == "succeeded")
    let longer = extend(#"{"max_duration_seconds": 91, "max_trials": 9}"#)
    #expect(longer.status == 202 && longer.json["state"] == "running", "\(longer.text)")
    #expect(longer.json["spec"]?["max_duration_seconds"] == 91 && longer.json["spec"]?["max_trials"] == 9)
    look()
    #expect(fixture.send(.get, "/sweeps/\(id)").json["trials"]?["queued"] == 5)
    #expect(extend(#"{"max_duration_seconds": null}"#).json["spec"]?["max_duration_seconds"] == .null)
  }

  @Test func `pause, resume, cancel and extend answer with the sweep, and may be asked twice`() throws {
    let id = try begin()
    for _ in 0..<2 {
      let paused = fixture.send(.post, "/sweeps/\(id)/pause")
      #expect(paused.status == 202 && paused.json["state"] == "paused", "\(paused.text)")
      look()
    }
    for _ in 0..<2 {
      let resumed = fixture.send(.post, "/sweeps/\(id)/resume", "{}")
      #expect(resumed.status == 202 && resumed.json["state"] == "running", "\(resumed.text)")
      look()
    }
    let same = fixture.send(.post, "/sweeps/\(id)/extend", #"{"max_trials": 6}"#)
    #expect(same.errors.keys.contains("/max_trials"))
    #expect(fixture.send(.post, "/sweeps/\(id)/extend", "{}").status == 422)
    let extended = fixture.send(.post, "/sweeps/\(id)/extend", #"{"max_trials": 7}"#)
    #expect(extended.status == 202 && extended.json["spec"]?["max_trials"] == 7)
    #expect(fixture.send(.delete, "/sweeps/\(id)").status == 409)
    for _ in 0..<2 {
      let cancelled = fixture.send(.post, "/sweeps/\(id)/cancel")
      #expect(cancelled.status == 202 && cancelled.json["state"] == "cancelled", "\(cancelled.text)")
      look()
    }
    #expect(fixture.send(.get, "/sweeps/\(id)").json["trials"]?["stopped"] == 2)
    #expect(fixture.send(.post, "/sweeps/\(id)/resume").status == 409)
    #expect(fixture.send(.delete, "/sweeps/\(id)").status == 204)
    #expect(fixture.send(.get, "/sweeps/\(id)").status == 404)
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.allSatisfy { $0["sweep"] == .null } == true)
  }

  @Test func `changes are held to what the client knows`() throws {
    let id = try begin()
    let tag = try #require(fixture.send(.get, "/sweeps/\(id)").headers["ETag"]).string
    #expect(fixture.send(.get, "/sweeps/\(id)", headers: [("If-None-Match", tag)]).status == 304)
    let patched = fixture.send(
      .patch, "/sweeps/\(id)", #"{"name": null, "priority": 70}"#, headers: [("If-Match", tag)])
    #expect(patched.status == 200 && patched.json["name"] == .null)
    let jobs = fixture.send(.get, "/jobs?sweep=\(id)").json["jobs"]?.array ?? []
    #expect(jobs.count == 2 && jobs.allSatisfy { $0["priority"] == 70 })
    for change in ["pause", "resume", "cancel"] {
      #expect(fixture.send(.post, "/sweeps/\(id)/\(change)", headers: [("If-Match", tag)]).status == 412)
      #expect(fixture.send(.post, "/sweeps/\(id)/\(change)", #"{"x":1}"#).status == 422)
      #expect(fixture.send(.post, "/sweeps/0000000000000000/\(change)").status == 404)
    }
    #expect(fixture.send(.patch, "/sweeps/\(id)", "{}", headers: [("If-Match", tag)]).status == 412)
    let stale = [("If-Match", tag)]
    #expect(fixture.send(.post, "/sweeps/\(id)/extend", #"{"max_trials": 9}"#, headers: stale).status == 412)
  }

  @Test func `a follower is told of the sweep, its trials and its end`() throws {
    let id = try begin(
      #"{\#(Self.space), "search": {"name": "random"}, "max_trials": 2, "max_concurrent": 1}"#)
    let response = fixture.send(.get, "/sweeps/\(id)/events")
    guard case .stream(let stream) = response.body else {
      Issue.record("not a stream")
      return
    }
    func text() throws -> String {
      var bytes: [UInt8] = []
      while case .bytes(let piece) = try stream.next() { bytes += piece }
      return String(decoding: bytes, as: UTF8.self)
    }
    let greeting = try text()
    #expect(greeting.contains("event: sweep\n") && greeting.contains(#""number":0"#))
    try finish(2)
    try finish(1)
    var rest = try text()
    for _ in 0..<200 where !rest.contains("event: end") {
      rest += try text()
    }
    #expect(rest.contains(#""number":1"#) && rest.contains(#""state":"succeeded""#))
    #expect(rest.contains("event: end\n"))
    let over = fixture.send(.get, "/sweeps/\(id)/events").text
    #expect(over.contains("event: end\n") && over.contains(#""number":1"#))
  }

  @Test func `answers are as they are described`() throws {
    let schemas = try #require(fixture.send(.get, "/openapi.json").json["components"]?["schemas"])
    func check(_ response: Response, _ name: String) {
      let problems = JSONSchema(["$ref": .string("#/components/schemas/\(name)")], in: schemas)
        .problems(with: response.json)
      #expect(problems == [], "\(name)")
    }
    let id = try begin()
    try finish(1)
    try finish(2)
    check(fixture.send(.get, "/sweeps/\(id)"), "Sweep")
    check(fixture.send(.get, "/sweeps"), "SweepList")
    check(fixture.send(.get, "/sweeps/\(id)/trials"), "TrialList")
    check(fixture.send(.post, "/sweeps?dry_run=1", Self.plain), "ResolvedSweep")
    #expect(
      JSONSchema(["$ref": "#/components/schemas/SweepSubmission"], in: schemas)
        .problems(with: try JSON.parse(Self.plain)) == [])
    for path in ["", "/trials", "/trials.csv", "/events"] {
      #expect(fixture.send(.get, "/sweeps/0000000000000000\(path)").status == 404)
    }
  }
}
