import Platform
import Testing

@Suite(.serialized) struct `The life of a job` {
  private func steps(_ job: String, _ daemon: Daemon) throws -> [String] {
    let steps = try #require(try daemon.get("/jobs/\(job)/transitions")["transitions"]?.array)
    return steps.compactMap { $0["to"]?.string?.string }
  }

  @Test func `rests in between, and ends in the same bits`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 3 }
    for _ in 0..<2 { #expect(try daemon.request("POST", "/jobs/\(job)/pause").status == 202) }
    try daemon.job(job) { $0["state"] == "paused" }
    #expect(try daemon.get("/jobs/\(job)")["reason"] == "user_paused")
    #expect(try daemon.liveWorkers().isEmpty)
    for _ in 0..<2 { #expect(try daemon.request("POST", "/jobs/\(job)/resume").status == 202) }
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
    #expect(
      try steps(job, daemon) == [
        "queued", "running", "pausing", "paused", "queued", "running", "succeeded",
      ])
    #expect(try daemon.request("POST", "/jobs/\(job)/pause").status == 409)
    #expect(try daemon.request("POST", "/jobs/\(job)/retry").status == 409)
  }

  @Test func `goes on from its last checkpoint when it is retried`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 3 }
    _ = try daemon.request("POST", "/jobs/\(job)/cancel")
    #expect(try daemon.finishedJob(job)["state"] == "cancelled")
    for _ in 0..<2 { #expect(try daemon.request("POST", "/jobs/\(job)/retry").status == 202) }
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps))
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
  }

  @Test func `goes on without its daemon when that detaches, undisturbed`() throws {
    let daemon = try Daemon(arguments: ["--threads-per-worker", "2", "--detach-workers"])
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    daemon.send(.terminate)
    #expect(try daemon.ending() == .exited(code: 0))
    try daemon.start()
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded" && record["attempt"] == 1, "\(record.text)")
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps))
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
  }

  @Test func `ends when it has run for as long as it may, with a checkpoint`() throws {
    let daemon = try Daemon()
    var body = try #require(SmallRun.job(epochs: 100_000).object)
    body["max_duration"] = 2
    let job = try daemon.queue(.object(body))
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "failed" && record["reason"] == "max_duration", "\(record.text)")
    #expect(try !daemon.lastDigest(job).isEmpty)
  }

  @Test func `survives a worker that hangs`() throws {
    let daemon = try Daemon(arguments: ["--threads-per-worker", "2", "--stall-seconds", "8"])
    let job = try daemon.queue(SmallRun.job(epochs: 100_000))
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    let worker = try #require(FileLock.owner("\(daemon.data)/runs/\(job)/lock"))
    let stop = try ChildProcess("/bin/kill", ["-STOP", "\(worker)"], logPath: "\(daemon.data)/kill.txt")
    #expect(try stop.wait() == .exited(code: 0))
    try daemon.job(job) { $0["attempt"]?.int ?? 0 > 1 && $0["state"] == "running" }
    let life = try #require(try daemon.get("/jobs/\(job)/transitions")["transitions"]?.array)
    #expect(life.contains { $0["reason"] == "stalled" && $0["to"] == "queued" })
  }

  @Test func `is over but stays as long as others need it`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(training)["state"] == "succeeded")
    // Keeps the one worker busy, so that what comes behind it waits.
    let endless = try daemon.queue(SmallRun.job(epochs: 100_000))
    try daemon.job(endless) { $0["state"] == "running" }
    var follower = try #require(SmallRun.job().object)
    follower["needs"] = [.string(training)]
    let others = try [daemon.queue(SmallRun.evaluation(of: training)), daemon.queue(.object(follower))]
    for count in [2, 1] {
      let refused = try daemon.request("DELETE", "/jobs/\(training)")
      #expect(refused.status == 409 && refused.fields["content-type"] == "application/problem+json")
      for other in others.suffix(count) { #expect(refused.text.contains(other), "\(refused.text)") }
      #expect(try daemon.lastDigest(training) == SmallRun.undisturbedDigest.get())
      #expect(FileSystem.isDirectory("\(daemon.data)/runs/\(training)"))
      #expect(try daemon.request("POST", "/jobs/\(others[2 - count])/cancel").status == 202)
    }
    #expect(try daemon.request("DELETE", "/jobs/\(endless)").status == 409, "it runs")
    #expect(try daemon.request("DELETE", "/jobs/\(training)").status == 204)
    #expect(try daemon.request("GET", "/jobs/\(training)").status == 404)
    #expect(!FileSystem.exists("\(daemon.data)/runs/\(training)"))
    #expect(try daemon.get("/jobs/\(others[1])")["needs"] == [.string(training)])
    #expect(try daemon.check() == .exited(code: 0))
  }

  @Test func `goes back and slows down when it diverges, if it is told to`() throws {
    let daemon = try Daemon()
    var body = try #require(SmallRun.job().object)
    var spec = try #require(body["spec"]?.object)
    spec["optimizer"] = ["name": "sgd", "lr": 1000, "momentum": 0]
    spec["schedule"] = ["name": "constant", "warmup_epochs": 0]
    spec["divergence"] = ["policy": "rollback", "lr_factor": 1e-6, "max_rollbacks": 2]
    body["spec"] = .object(spec)
    let job = try daemon.queue(.object(body))
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded", "\(record.text)")
    let events = try daemon.request("GET", "/jobs/\(job)/metrics").events
    #expect(events.contains { $0["message"]?.string?.string.contains("rollback 1 of 2") == true })
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps))
  }
}
