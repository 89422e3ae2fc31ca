import Foundation
import HTTP
import JobModel
import Platform
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

  @Test func `curves are thinned for a chart`() throws {
    let attempt = try claim()
    try fixture.tell(id, attempt: attempt, (1...1000).map(Self.metric))
    let response = fixture.send(.get, "/jobs/\(id)/metrics?points=50&keys=loss,inv,none")
    let series = try #require(response.json["series"])
    let loss = series["loss"]?.array ?? []
    #expect((10...50).contains(loss.count))
    #expect(loss.first == [1, 0.25])
    #expect(loss.last == [1000, 250])
    #expect(series["inv"] == [])
    #expect(series["none"] == [])
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?points=50").json["series"]?.object?.count == 4)
    let plain = fixture.send(.get, "/jobs/\(id)/metrics?keys=loss").json["series"]?["loss"]?.array ?? []
    #expect((100...500).contains(plain.count))
  }

  @Test(arguments: [
    "points=3", "points=x", "points=50&follow=true", "keys=loss&from_step=1", "points=50&keys=",
    "points=50&keys=a.b", "points=50&keys=$", "from_step=-1", "follow=maybe", "point=50",
  ])
  func `a wrong question about metrics is a 400`(query: String) {
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?\(query)").status == 400)
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
    #expect(fixture.send(.get, "/jobs/\(id)/log?tail=0").status == 400)
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
}
