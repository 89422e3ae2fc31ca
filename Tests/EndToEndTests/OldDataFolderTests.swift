import JSONText
import Platform
import Testing

@Suite(.serialized) struct `A data folder that an older version has left` {
  @Test func `is migrated at the start, shows what it had, and its resting training goes on`() throws {
    let daemon = try Daemon()
    daemon.send(.terminate)
    #expect(try daemon.ending() == .exited(code: 0))
    for name in try FileSystem.list(daemon.data) where name.hasPrefix("vicregd.sqlite") {
      try FileSystem.remove("\(daemon.data)/\(name)")
    }
    let tests = "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    let copy = try ChildProcess(
      "/bin/cp", ["-R", "\(tests)/Fixtures/data-schema-6/.", daemon.data], logPath: "\(daemon.data)/copy.txt")
    #expect(try copy.wait() == .exited(code: 0))
    try daemon.start()
    let jobs = try daemon.get("/jobs")["jobs"]?.array ?? []
    func job(_ name: String) throws -> JSON {
      try #require(jobs.first { $0["name"]?.string?.string == name })
    }
    #expect(jobs.count == 7)
    let trained = try #require(try job("tiny")["id"]?.string?.string)
    #expect(try job("tiny")["state"] == "succeeded" && job("tiny, judged")["result"]?["top1"]?.double != nil)
    #expect(try daemon.steps(trained) == Array(1...8))
    let curve = try daemon.get("/jobs/\(trained)/metrics?points=8&keys=loss")["series"]?["loss"]?.array
    #expect(curve?.count == 8 && curve?.last?.array?.count == 4)
    let resting = try #require(try job("rests")["id"]?.string?.string)
    #expect(try daemon.request("POST", "/jobs/\(resting)/resume", "{}").status == 202)
    let waiting = try #require(try job("waits for a worker")["id"]?.string?.string)
    _ = try daemon.request("POST", "/jobs/\(waiting)/cancel", #"{"mode":"now"}"#)
    // It had done eight steps when it was paused.
    let running = try daemon.job(resting) { $0["progress"]?["step"]?.int ?? 0 >= 20 }
    #expect(running["state"] == "running" && running["summary"]?["loss"]?["min"]?.double != nil)
    _ = try daemon.request("POST", "/jobs/\(resting)/cancel", #"{"mode":"now"}"#)
    #expect(try daemon.finishedJob(resting)["state"] == "cancelled")
    let steps = try daemon.steps(resting)
    #expect(steps == Array(1...steps.count))
    #expect(try daemon.check() == .exited(code: 0))
  }

  @Test func `health goes from the worker to the job, and a run that collapses is shown as such`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue([
      "kind": "train",
      "spec": [
        "preset": "small", "dataset": ["name": "synthetic:count=256,classes=4,side=16,seed=1"],
        "batch_size": 32, "epochs": 1000, "max_steps": 60, "encoder": ["width": 16, "fc": nil],
        "projector": ["widths": [32, 32]], "loss": ["var": 0], "log_every_steps": 2,
        "optimizer": ["name": "adam", "lr": 1e-3],
        "schedule": ["name": "constant", "warmup_epochs": 0], "checkpoint": ["every_epochs": 1000],
      ],
    ])
    #expect(try daemon.get("/jobs/\(job)")["health"]?["state"] == "unknown")
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded")
    #expect(record["health"]?["state"] == "collapsed" && record["health"]?["step"] == 60)
    #expect(try daemon.get("/jobs?health=collapsed")["jobs"]?.array?.count == 1)
    #expect(try daemon.get("/jobs?health=good,warning,unknown")["jobs"]?.array?.isEmpty == true)
    let events = try daemon.request("GET", "/jobs/\(job)/metrics").events
    #expect(events.filter { $0["event"] == "health" }.last?["state"] == "collapsed")
    #expect(events.suffix(2).map { $0["event"] } == ["health", "end"])
  }
}
