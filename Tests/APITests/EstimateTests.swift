import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import Synchronization
import Testing

@testable import API

/// What answers say of the time, the memory and the space that jobs take.
@Suite struct `Estimates in answers` {
  private let fixture: APIFixture
  private let now: Clock

  /// A clock that stands still until it is moved.
  private final class Clock: Sendable {
    private let milliseconds = Mutex(1_790_000_000_000)
    func read() -> Int { milliseconds.withLock { $0 } }
    func advance(seconds: Int) { milliseconds.withLock { $0 += 1000 * seconds } }
    var text: String { SystemClock.rfc3339(unixMilliseconds: read()) }
  }

  init() throws {
    let now = Clock()
    self.now = now
    fixture = try APIFixture { now.read() }
  }

  private func get(_ id: JobID) -> JSON { fixture.send(.get, "/jobs/\(id)").json }

  private func started(threads: Int = 2, steps: Int = 100) -> String {
    #"{"event":"started","time":"\#(now.text)","attempt":1,"step":0,"steps":\#(steps),"epochs":5,"cpu":"C","#
      + #""cores":8,"threads":\#(threads),"isa":"avx2","memory_bytes":1024,"version":"0.1"}"#
  }

  private func metric(_ step: Int) -> String {
    #"{"event":"metric","step":\#(step),"epoch":0,"time":"\#(now.text)","images_per_second":1}"#
  }

  /// A training that has done a tenth of its steps in 20 seconds.
  private func running() throws -> JobID {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let job = try #require(try fixture.store.claimNext(bootID: "b"))
    try fixture.tell(id, attempt: job.attempt, [started()])
    now.advance(seconds: 20)
    try fixture.tell(id, attempt: job.attempt, [metric(10)])
    return id
  }

  @Test func `stand in every answer about a job, and know no seconds before anything was measured`() throws {
    let expected: JSON = [
      "seconds": nil, "memory_bytes": .integer(64 << 20), "disk_bytes": .integer(7 << 20),
    ]
    let body = #"{"kind":"train"}"#
    #expect(fixture.send(.post, "/jobs?dry_run=true", body).json["estimate"] == expected)
    let posted = fixture.send(.post, "/jobs", body).json
    let id = try #require(JobID(posted["id"]?.string ?? ""))
    #expect(posted["estimate"] == expected)
    #expect(get(id)["estimate"] == expected)
    #expect(fixture.send(.get, "/jobs").json["jobs"]?.array?.first?["estimate"] == expected)
    #expect(fixture.send(.patch, "/jobs/\(id)", #"{"name":"n"}"#).json["estimate"] == expected)
    for step in ["pause", "resume", "cancel"] {
      #expect(fixture.send(.post, "/jobs/\(id)/\(step)").json["estimate"] == expected, "\(step)")
    }
    let batch = fixture.send(.post, "/jobs", #"{"jobs":[\#(body),\#(body)]}"#).json["jobs"]?.array ?? []
    #expect(batch.map { $0["estimate"] } == [expected, expected])
  }

  @Test func `know the seconds of what was measured here, by the work`() throws {
    _ = try running()
    let same = fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train"}"#).json
    #expect(same["estimate"]?["seconds"] == 200)
    let longer = try fixture.post(#"{"kind":"train","spec":{"epochs":8}}"#)
    #expect(get(longer)["estimate"]?["seconds"] == 400)
    // Nothing is known of evaluations by now.
    let body = #"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(longer)"}}}"#
    #expect(fixture.send(.post, "/jobs?dry_run=true", body).json["estimate"]?["seconds"] == nil as JSON)
  }

  @Test func `of a job are those of its start`() throws {
    let first = try running()
    let second = try fixture.post(#"{"kind":"train"}"#)
    _ = try #require(try fixture.store.claimNext(bootID: "b"))
    now.advance(seconds: 80)
    try fixture.tell(first, attempt: 1, [metric(20)])
    #expect(get(second)["estimate"]?["seconds"] == 200)
    let third = fixture.send(.post, "/jobs?dry_run=true", #"{"kind":"train"}"#).json
    #expect(third["estimate"]?["seconds"] == 500)
  }

  @Test func `know the training that the same request queues`() throws {
    let evaluation = #"{"kind":"evaluate","spec":{"checkpoint":{"job":"t"},"protocol":"logistic"}}"#
    let body = #"{"jobs":[{"ref":"t","kind":"train"},\#(evaluation)]}"#
    let jobs = fixture.send(.post, "/jobs", body).json["jobs"]?.array ?? []
    #expect(jobs.last?["estimate"]?["memory_bytes"] == .integer(64 << 20))
  }

  @Test func `running_seconds and the seconds that are left go by while a job runs, under the same tag`()
    throws
  {
    let id = try running()
    let first = fixture.send(.get, "/jobs/\(id)")
    #expect(first.json["running_seconds"] == 20)
    #expect(first.json["progress"]?["images_per_second"] == 32)
    #expect(first.json["progress"]?["seconds_left"] == 180)
    let finish = SystemClock.rfc3339(unixMilliseconds: now.read() + 180_000)
    #expect(first.json["progress"]?["finish_at"]?.string?.string == finish)
    let lists = fixture.send(.get, "/jobs?state=running")
    now.advance(seconds: 30)
    let second = fixture.send(.get, "/jobs/\(id)")
    #expect(second.json["running_seconds"] == 50)
    #expect(second.json["progress"]?["seconds_left"] == 150)
    #expect(second.json["progress"]?["finish_at"]?.string?.string == finish)
    #expect(fixture.instant("/jobs/\(id)", headers: []) != nil)
    let list = fixture.send(.get, "/jobs?state=running")
    #expect(list.json["jobs"]?.array?.first?["running_seconds"] == 50 && list.text != lists.text)
    #expect(second.headers["ETag"] == first.headers["ETag"])
    let tag = try #require(second.headers["ETag"]).string
    #expect(fixture.send(.get, "/jobs/\(id)", headers: [("If-None-Match", tag)]).status == 304)
    #expect(fixture.send(.patch, "/jobs/\(id)", #"{"name":"n"}"#, headers: [("If-Match", tag)]).status == 200)
    // A minute late there is nothing left, and the end is now.
    now.advance(seconds: 210)
    #expect(get(id)["progress"]?["seconds_left"] == 0)
    #expect(get(id)["progress"]?["finish_at"]?.string?.string == now.text)
  }

  @Test func `a job that rests or has ended has no end before it, and its time stands still`() throws {
    let id = try running()
    _ = fixture.send(.post, "/jobs/\(id)/pause")
    _ = try fixture.store.settle(id, attempt: 1, .yielded, crashLimit: 3, ranMilliseconds: 21_000)
    now.advance(seconds: 1000)
    var job = get(id)
    #expect(job["state"] == "paused" && job["running_seconds"] == 21)
    #expect(job["progress"]?["seconds_left"] == nil as JSON && job["progress"]?["finish_at"] == nil as JSON)
    #expect(job["progress"]?["images_per_second"] == 32)
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    job = get(id)
    now.advance(seconds: 1000)
    #expect(get(id) == job)
    #expect(fixture.instant("/jobs/\(id)", headers: []) != nil)
  }

  @Test func `an evaluation is left what its estimate leaves, and a regression has no epochs`() throws {
    let training = try fixture.post(#"{"kind":"train"}"#)
    _ = try fixture.checkpoint(training, step: 1, "x")
    try fixture.finish(.succeeded)
    let body = #"{"kind":"evaluate","spec":{"checkpoint":{"job":"\#(training)"},"protocol":"logistic"}}"#
    for turn in 0..<2 {
      let id = try fixture.post(body)
      _ = try #require(try fixture.store.claimNext(bootID: "b"))
      try fixture.tell(id, attempt: 1, [started(steps: 18)])
      now.advance(seconds: 10)
      try fixture.tell(id, attempt: 1, [metric(3)])
      let progress = try #require(get(id)["progress"]?.object)
      #expect(progress["epoch"] == nil as JSON && progress["epochs"] == nil as JSON)
      #expect(progress["step"] == 3 && progress["steps"] == 18)
      #expect(progress["images_per_second"] == nil as JSON)
      #expect(progress["seconds_left"] == (turn == 0 ? nil : 20) as JSON)
      now.advance(seconds: 20)
      let start = try #require(try fixture.store.job(id)).ingestOffset
      let end = #"{"event":"end","state":"succeeded"}"#
      _ = try fixture.store.ingest(
        id, attempt: 1, from: start, to: start + end.utf8.count + 1, lines: [end], ranMilliseconds: 30_000)
      #expect(get(id)["running_seconds"] == 30)
    }
  }

  @Test func `a job says what it runs on`() throws {
    let id = try fixture.post(#"{"kind":"train"}"#)
    #expect(get(id)["host"] == nil as JSON)
    _ = try fixture.store.claimNext(bootID: "b")
    try fixture.tell(id, attempt: 1, [started()])
    #expect(
      get(id)["host"] == [
        "cpu": "C", "cores": 8, "threads": 2, "isa": "avx2", "memory_bytes": 1024, "version": "0.1",
      ])
    // Another machine, with a worker of an older version.
    let older = #"{"event":"started","attempt":1,"step":0,"steps":9,"epochs":1,"threads":3,"isa":"a"}"#
    try fixture.tell(id, attempt: 1, [older])
    #expect(
      get(id)["host"] == [
        "cpu": nil, "cores": nil, "threads": 3, "isa": "a", "memory_bytes": nil, "version": nil,
      ])
  }
}
