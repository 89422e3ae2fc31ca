import Foundation
import HTTP
import JSONText
import Platform
import Recipe
import RunFolder
import Testing

@Suite struct StreamTests {
  private let fixture: APIFixture
  private let id: JobID

  init() throws {
    fixture = try APIFixture()
    id = try fixture.post(#"{"kind":"train"}"#)
  }

  private static func metric(_ step: Int) -> String {
    "{\"event\":\"metric\",\"step\":\(step),\"epoch\":0,\"loss\":\(Double(step) / 4),\"inv\":null}"
  }

  private func claim() throws -> Int { try #require(try fixture.store.claimNext(bootID: "b")).attempt }

  @Test func `metrics are the recorded lines`() throws {
    let attempt = try claim()
    let lines = [#"{"event":"started","step":0}"#, Self.metric(1), Self.metric(2)]
    try fixture.tell(id, attempt: attempt, lines)
    let response = fixture.send(.get, "/jobs/\(id)/metrics")
    #expect(response.headers["Content-Type"] == "application/x-ndjson")
    #expect(response.text == lines.map { $0 + "\n" }.joined())
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?from_step=2").text == Self.metric(2) + "\n")
  }

  @Test func `a follower gets what comes, and the end as last line`() throws {
    let response = fixture.send(.get, "/jobs/\(id)/metrics?follow=true")
    guard case .stream(let stream) = response.body else {
      Issue.record("not a stream")
      return
    }
    func isIdle() throws -> Bool { if case .idle = try stream.next() { true } else { false } }
    #expect(try isIdle())
    let attempt = try claim()
    try fixture.tell(id, attempt: attempt, [Self.metric(1)])
    #expect(response.text == Self.metric(1) + "\n")
    #expect(try isIdle())
    try fixture.tell(id, attempt: attempt, [Self.metric(2), #"{"event":"end","state":"succeeded"}"#])
    #expect(response.text == Self.metric(2) + "\n" + #"{"event":"end","state":"succeeded"}"# + "\n")
    guard case .end = try stream.next() else {
      Issue.record("goes on after the end")
      return
    }
  }

  @Test func `a job that never ran ends its stream too`() throws {
    let response = fixture.send(.get, "/jobs/\(id)/metrics?follow=true")
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    let last = try JSON.parse(response.text)
    #expect(last["event"] == "end")
    #expect(last["state"] == "cancelled")
    #expect(last["reason"] == "user_cancelled")
  }

  @Test func `a follower of a deleted job is let go`() throws {
    let response = fixture.send(.get, "/jobs/\(id)/metrics?follow=true&from_step=0")
    try fixture.finish(.succeeded)
    #expect(fixture.send(.delete, "/jobs/\(id)").status == 204)
    guard case .stream(let stream) = response.body, case .end = try stream.next() else {
      Issue.record("goes on")
      return
    }
  }

  @Test func `curves have mean, min and max of equal buckets, which are true`() throws {
    let attempt = try claim()
    try fixture.tell(id, attempt: attempt, (1...1000).map(Self.metric))
    let response = fixture.send(.get, "/jobs/\(id)/metrics?points=50&keys=loss")
    let loss = response.json["series"]?["loss"]?.array ?? []
    #expect(response.json["width"] == 32)
    #expect((10...50).contains(loss.count))
    // The second bucket has the steps 32 to 63; the loss of a step is a quarter of it.
    #expect(loss[1] == [32, 11.875, 8, 15.75])
    #expect(response.json["not_finite"] == [:])
    let standard = fixture.send(.get, "/jobs/\(id)/metrics?points=50").json["series"]?.object
    #expect(standard?.keys.sorted() == ["inv", "loss"])
    let plain = fixture.send(.get, "/jobs/\(id)/metrics?keys=loss").json["series"]?["loss"]?.array ?? []
    #expect((100...500).contains(plain.count))
    let short = fixture.send(.get, "/jobs/\(id)/metrics?points=1001&keys=loss,loss").json["series"]?["loss"]
    #expect(short?.array?.count == 1000 && short?.array?.last == [1000, 250, 250, 250])
  }

  @Test func `a bucket without a finite value is null, and counted`() throws {
    let attempt = try claim()
    try fixture.tell(
      id, attempt: attempt,
      [#"{"event":"metric","step":1,"loss":null}"#, #"{"event":"metric","step":2,"loss":4,"inv":1}"#])
    let answer = fixture.send(.get, "/jobs/\(id)/metrics?points=100&keys=loss").json
    #expect(answer["series"]?["loss"] == [[1, .null, .null, .null], [2, 4, 4, 4]])
    #expect(answer["not_finite"] == ["loss": [[1, 1]]])
    let job = fixture.send(.get, "/jobs/\(id)").json
    #expect(job["summary"]?["loss"] == ["last": 4, "mean": 4, "min": 4, "max": 4, "best_step": 2])
  }

  @Test func `an unknown key is a 422 that names the known ones`() throws {
    let early = fixture.send(.get, "/jobs/\(id)/metrics?points=50&keys=los,rankme")
    #expect(early.status == 422)
    // Nothing is recorded yet: what such a job will record is known.
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?keys=rankme").json["series"] == ["rankme": []])
    try fixture.tell(id, attempt: claim(), [#"{"event":"metric","step":1,"loss":1,"inv":1}"#])
    let late = fixture.send(.get, "/jobs/\(id)/metrics?points=50&keys=loss,rankme,los")
    #expect(late.status == 422)
    let errors = late.json["errors"]?.array?.compactMap { $0["message"]?.string?.string } ?? []
    try #require(errors.count == 2)
    #expect(late.json["detail"]?.string?.string.contains("inv, loss") == true)
    #expect(errors[0] == "must be a metric of this job, got \"rankme\"")
    #expect(errors[1] == "must be a metric of this job, got \"los\"; did you mean \"loss\"?")
  }

  @Test func `curves come as CSV where that is asked for`() throws {
    try fixture.tell(
      id, attempt: claim(),
      [#"{"event":"metric","step":1,"loss":null}"#, #"{"event":"metric","step":2,"loss":4,"inv":0.5}"#])
    let table = "step,inv,inv_min,inv_max,loss,loss_min,loss_max\r\n1,,,,,,\r\n2,0.5,0.5,0.5,4,4,4\r\n"
    for accept in ["text/csv", "text/csv;q=0.9, */*;q=0.1", "application/json;q=0.5,TEXT/CSV"] {
      let response = fixture.send(.get, "/jobs/\(id)/metrics", headers: [("Accept", accept)])
      #expect(response.headers["Content-Type"] == "text/csv; charset=utf-8")
      #expect(response.text == table)
    }
    let one = fixture.send(.get, "/jobs/\(id)/metrics?points=4&keys=inv", headers: [("Accept", "text/csv")])
    #expect(one.text == "step,inv,inv_min,inv_max\r\n2,0.5,0.5,0.5\r\n")
    for accept in ["*/*", "text/csv;q=0, application/json", "application/json, text/csv;q=0.1"] {
      let response = fixture.send(.get, "/jobs/\(id)/metrics?points=4", headers: [("Accept", accept)])
      #expect(response.headers["Content-Type"] == "application/json")
    }
    #expect(
      fixture.send(.get, "/jobs/\(id)/metrics?follow=true", headers: [("Accept", "text/csv")]).status == 422)
  }

  @Test func `health is what the worker has said last, and lists are filtered by it`() throws {
    let unknown: JSON = ["state": "unknown", "message": .null, "step": .null]
    #expect(fixture.send(.get, "/jobs/\(id)").json["health"] == unknown)
    let attempt = try claim()
    let tag = fixture.send(.get, "/jobs/\(id)").headers["ETag"]
    try fixture.tell(
      id, attempt: attempt,
      [
        #"{"event":"metric","step":9,"loss":1}"#,
        #"{"event":"health","step":9,"state":"good","message":"m"}"#,
        #"{"event":"metric","step":20,"loss":1}"#,
        #"{"event":"health","step":20,"state":"collapsed","message":"n"}"#,
        #"{"event":"health","step":20,"state":"splendid","message":"n"}"#,
      ])
    let collapsed: JSON = ["state": "collapsed", "message": "n", "step": 20]
    let response = fixture.send(.get, "/jobs/\(id)")
    #expect(response.json["health"] == collapsed && response.headers["ETag"] != tag)
    _ = try fixture.post(#"{"kind":"train","labels":{"a":"b"}}"#)
    func listed(_ query: String) -> [String] {
      (fixture.send(.get, "/jobs?\(query)").json["jobs"]?.array ?? []).compactMap { $0["id"]?.string?.string }
    }
    #expect(listed("health=collapsed") == [id.text])
    #expect(listed("health=collapsed,unknown&state=running,queued").count == 2)
    #expect(listed("health=good").isEmpty && listed("health=collapsed&label=a").isEmpty)
    #expect(listed("health=unknown&label=a").count == 1)
    #expect(fixture.send(.get, "/jobs?health=ill").status == 422)
    // What a resume replaces is not said any more.
    try fixture.tell(id, attempt: attempt, [#"{"event":"started","attempt":1,"step":10}"#])
    #expect(fixture.send(.get, "/jobs/\(id)").json["health"]?["state"] == "good")
    try fixture.store.transition(id, attempt: attempt, to: .succeeded)
    #expect(fixture.send(.get, "/jobs/\(id)").json["health"]?["message"] == "m")
  }

  @Test(arguments: [
    "points=3", "points=x", "points=50&follow=true", "keys=loss&from_step=1", "points=50&keys=",
    "points=50&keys=a.b", "points=50&keys=$", "keys=loss,", "keys=a&keys=b", "from_step=-1", "follow=maybe",
    "point=50",
  ])
  func `a wrong question about metrics is a 422`(query: String) {
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?\(query)").status == 422)
  }

  @Test func `the log is what the worker wrote, whole or its last lines`() throws {
    #expect(fixture.send(.get, "/jobs/\(id)/log").text == "")
    let folder = RunFolder(data: fixture.data, job: id)
    try folder.create()
    let lines = (1...30_000).map { "line \($0)\n" }
    try AtomicFile.write(Array(lines.joined().utf8), to: folder.logPath)
    let whole = fixture.send(.get, "/jobs/\(id)/log")
    #expect(whole.headers["Content-Type"] == "text/plain; charset=utf-8")
    #expect(whole.text == lines.joined())
    for count in [1, 2, 9000, 30_000, 40_000] {
      #expect(fixture.send(.get, "/jobs/\(id)/log?tail=\(count)").text == lines.suffix(count).joined())
    }
    try AtomicFile.write(Array("a\nb".utf8), to: folder.logPath)
    #expect(fixture.send(.get, "/jobs/\(id)/log?tail=1").text == "b")
    #expect(fixture.send(.get, "/jobs/\(id)/log?tail=0").status == 422)
  }

  @Test func `links that lead out of the data folder are not followed`() throws {
    let manifest = try fixture.checkpoint(id, step: 7, "hello")
    let folder = RunFolder(data: fixture.data, job: id)
    let secret = "\(fixture.data)-secret"
    try AtomicFile.write(Array("olleh".utf8), to: secret)
    let path = folder.checkpoints.path(of: manifest.name)
    #expect(fixture.send(.get, "/jobs/\(id)/checkpoints/\(manifest.name)").text == "hello")
    try FileSystem.remove(path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: secret)
    try FileManager.default.createSymbolicLink(atPath: folder.logPath, withDestinationPath: secret)
    #expect(fixture.send(.get, "/jobs/\(id)/checkpoints/\(manifest.name)").status == 404)
    #expect(fixture.send(.get, "/jobs/\(id)/log").text == "")
    for name in ["..%2F..%2Flock", "../spec.json", "..", "\u{0}"] {
      #expect(fixture.send(.get, "/jobs/\(id)/checkpoints/\(name)").status == 404)
    }
    try FileSystem.remove(secret)
  }

  @Test func `checkpoints are listed and downloaded, in parts if asked`() throws {
    #expect(fixture.send(.get, "/jobs/\(id)/checkpoints").json == ["checkpoints": []])
    let manifest = try fixture.checkpoint(id, step: 7, "hello")
    let attempt = try claim()
    try fixture.tell(
      id, attempt: attempt,
      [
        "{\"event\":\"checkpoint\",\"name\":\"\(manifest.name)\",\"step\":7,\"bytes\":5,"
          + "\"sha256\":\"\(manifest.sha256)\"}"
      ])
    let list = try #require(fixture.send(.get, "/jobs/\(id)/checkpoints").json["checkpoints"]?.array)
    #expect(list.count == 1)
    #expect(list[0]["name"] == "step-00000007.safetensors.gz")
    #expect(list[0]["step"] == 7)
    #expect(list[0]["bytes"] == 5)
    #expect(list[0]["created_at"]?.string?.hasSuffix("Z") == true)
    let target = "/jobs/\(id)/checkpoints/\(manifest.name)"
    let whole = fixture.send(.get, target)
    #expect(whole.status == 200)
    #expect(whole.text == "hello")
    #expect(whole.headers["ETag"] == "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"")
    #expect(whole.headers["Repr-Digest"] == "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:")
    #expect(whole.headers["Content-Type"] == "application/gzip")
    let part = fixture.send(.get, target, headers: [("Range", "bytes=1-2")])
    #expect(part.status == 206)
    #expect(part.text == "el")
    #expect(part.headers["Content-Range"] == "bytes 1-2/5")
    let tag = whole.headers["ETag"]?.string ?? ""
    #expect(fixture.send(.get, target, headers: [("If-None-Match", tag)]).status == 304)
    let missing = fixture.send(.get, "/jobs/\(id)/checkpoints/step-1")
    #expect(missing.status == 404)
    #expect(missing.json["detail"]?.string?.string.contains(manifest.name) == true)
  }

  @Test func `a training lists its evaluations, and has another entity tag with each change of them`() throws
  {
    let target = "/jobs/\(id)"
    let before = fixture.send(.get, target)
    #expect(before.json["evaluations"] == [])
    let attempt = try claim()
    try fixture.tell(id, attempt: attempt, [#"{"event":"end","state":"succeeded"}"#])
    let ended = fixture.send(.get, target)
    let body = #"{"kind":"evaluate","spec":{"checkpoint":{"job":"ID"},"protocol":"knn","label_share":0.5}}"#
    let manifest = try fixture.checkpoint(id, step: 7, "hello")
    let evaluation = try fixture.post(
      body.replacing("\"ID\"", with: "\"\(id)\",\"which\":\"\(manifest.name)\""))
    let queued = fixture.send(.get, target)
    #expect(queued.headers["ETag"] != ended.headers["ETag"])
    let members: JSON = [
      "id": .string(evaluation.text), "protocol": "knn", "layer": "pooled", "label_share": 0.5,
      "metric": "cosine", "top1": .null,
    ]
    #expect(queued.json["evaluations"] == [members])
    let next = try claim()
    try fixture.tell(
      evaluation, attempt: next, [#"{"event":"result","result":{"layer":"pooled","top1":0.75}}"#])
    let found = fixture.send(.get, target)
    #expect(found.headers["ETag"] != queued.headers["ETag"])
    #expect(found.json["evaluations"]?.array?.first?["top1"] == 0.75)
    #expect(fixture.send(.get, "/jobs/\(evaluation)").json["evaluations"] == nil)
    try fixture.tell(evaluation, attempt: next, [#"{"event":"end","state":"succeeded"}"#])
    #expect(fixture.send(.delete, "/jobs/\(evaluation)").status == 204)
    #expect(fixture.send(.get, target).json["evaluations"] == [])
  }

  @Test func `a job has its artifacts as their list gives them, and lists of jobs have, unless left out`()
    throws
  {
    let target = "/jobs/\(id)"
    let before = fixture.send(.get, target)
    #expect(before.json["artifacts"] == [])
    let folder = RunFolder(data: fixture.data, job: id).artifacts
    let attempt = try claim()
    for name in ["views.png", "a.json"] {
      let manifest = try folder.store(name, mediaType: "image/png") { try $0(Array("hello".utf8)) }
      try fixture.tell(id, attempt: attempt, [WorkerEvent.artifact(manifest).line(time: "t")])
    }
    let after = fixture.send(.get, target)
    let list = try #require(fixture.send(.get, "\(target)/artifacts").json["artifacts"])
    #expect(list.array?.map { $0["name"] } == ["a.json", "views.png"])
    #expect(after.json["artifacts"] == list && after.headers["ETag"] != before.headers["ETag"])
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.first?["artifacts"] == list)
    let some = fixture.send(.get, "/jobs?fields=id,state").json["jobs"]?.array?.first
    #expect(some?.object.map { Set($0.keys) } == ["id", "state"])
    let alone = fixture.send(.get, "/jobs?fields=artifacts").json["jobs"]?.array?.first
    #expect(alone == ["artifacts": list])
  }

  @Test func `artifacts are listed and downloaded, in parts if asked`() throws {
    #expect(fixture.send(.get, "/jobs/\(id)/artifacts").json == ["artifacts": []])
    let folder = RunFolder(data: fixture.data, job: id).artifacts
    _ = try folder.store("b.json", mediaType: "application/json") { try $0(Array("hello".utf8)) }
    _ = try folder.store("a.npy", mediaType: "application/x-npy") { try $0([1]) }
    let list = try #require(fixture.send(.get, "/jobs/\(id)/artifacts").json["artifacts"]?.array)
    #expect(list.map { $0["name"] } == ["a.npy", "b.json"])
    #expect(list[1]["bytes"] == 5 && list[1]["media_type"] == "application/json")
    #expect(list[1]["created_at"]?.string?.hasSuffix("Z") == true)
    let target = "/jobs/\(id)/artifacts/b.json"
    let whole = fixture.send(.get, target)
    #expect(whole.text == "hello" && whole.headers["Content-Type"] == "application/json")
    #expect(whole.headers["ETag"] == "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"")
    #expect(fixture.send(.get, target, headers: [("Range", "bytes=1-2")]).text == "el")
    let tag = whole.headers["ETag"]?.string ?? ""
    #expect(fixture.send(.get, target, headers: [("If-None-Match", tag)]).status == 304)
    for name in ["b.json.manifest", "c", "..%2Fspec.json", "..", ".hidden"] {
      #expect(fixture.send(.get, "/jobs/\(id)/artifacts/\(name)").status == 404)
    }
    // A file that is not what its manifest says is none.
    try AtomicFile.write([1, 2], to: folder.path(of: "a.npy"))
    #expect(fixture.send(.get, "/jobs/\(id)/artifacts").json["artifacts"]?.array?.count == 1)
  }
}
