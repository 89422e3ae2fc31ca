import JSONText
import Testing

/// Trainings that begin with another one's checkpoint (issue 17).
@Suite(.serialized) struct `A training from another one's checkpoint` {
  /// The light training with a constant rate, which does not depend on its length; changed.
  private static func job(_ changes: [String: JSON], epochs: Int = 2) -> JSON {
    var job = SmallRun.lightJob().object ?? [:]
    var spec = job["spec"]?.object ?? [:]
    spec["epochs"] = .integer(epochs)
    spec["schedule"] = ["name": "constant", "warmup_epochs": 0]
    for (key, value) in changes { spec[.init(key)] = value }
    job["spec"] = .object(spec)
    return .object(job)
  }

  /// The data of an exported file, behind its header.
  private static func data(_ daemon: Daemon, _ path: String) throws -> [UInt8] {
    let answer = try daemon.request("GET", path)
    try #require(answer.status == 200, "\(answer.text.prefix(500))")
    let length = answer.body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Array(answer.body[(8 + length)...])
  }

  @Test func `has its encoder's bits at step 0, and survives the deaths of worker and daemon`() throws {
    let daemon = try Daemon()
    let source = try daemon.queue(Self.job([:]))
    let begun = try daemon.queue(
      Self.job(
        [
          "init_from": ["job": .string(source)], "seed": 5,
          "checkpoint": ["initial": true, "every_epochs": 100_000],
        ], epochs: 100_000))
    #expect(try daemon.get("/jobs/\(begun)")["state"] == "blocked")
    #expect(try daemon.finishedJob(source)["state"] == "succeeded")
    try daemon.job(begun) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    try daemon.kill()
    try daemon.start()
    try daemon.job(begun) { $0["progress"]?["step"]?.int ?? 0 >= 2 }
    // Steps go on while the checkpoint before them is written.
    _ = try eventually { try daemon.get("/jobs/\(begun)/checkpoints")["checkpoints"]?.array?.first }
    let initial = "/jobs/\(begun)/export?checkpoint=step-00000000.safetensors.gz"
    #expect(try Self.data(daemon, initial) == Self.data(daemon, "/jobs/\(source)/export"))
    #expect(try daemon.request("DELETE", "/jobs/\(source)").status == 409)
    #expect(try daemon.request("POST", "/jobs/\(begun)/cancel").status == 202)
    #expect(try daemon.finishedJob(begun)["state"] == "cancelled")
  }

  @Test func `goes on along a schedule that spans both to the bits of a longer one`() throws {
    let daemon = try Daemon()
    let schedule: JSON = ["name": "cosine", "warmup_epochs": 0.5, "horizon_epochs": 4]
    let short = try daemon.queue(Self.job(["schedule": schedule]))
    let goingOn = try daemon.queue(
      Self.job(["schedule": schedule, "init_from": ["job": .string(short), "optimizer": true]], epochs: 4))
    let long = try daemon.queue(
      Self.job(["schedule": ["name": "cosine", "warmup_epochs": 0.5]], epochs: 4))
    for job in [goingOn, long] { #expect(try daemon.finishedJob(job)["state"] == "succeeded") }
    let path = "export?part=all"
    #expect(try Self.data(daemon, "/jobs/\(goingOn)/\(path)") == Self.data(daemon, "/jobs/\(long)/\(path)"))
    let refused = try daemon.request(
      "POST", "/jobs", Self.job(["schedule": ["horizon_epochs": 1]], epochs: 2).text)
    #expect(refused.status == 422 && refused.text.contains("/spec/schedule/horizon_epochs"))
  }

  @Test func `goes on for more epochs to the bits of a longer one`() throws {
    let daemon = try Daemon()
    let short = try daemon.queue(Self.job([:]))
    let goingOn = try daemon.queue(
      Self.job(["init_from": ["job": .string(short), "optimizer": true]], epochs: 4))
    let long = try daemon.queue(Self.job([:], epochs: 4))
    let record = try daemon.finishedJob(goingOn)
    #expect(record["state"] == "succeeded", "\(record.text)")
    #expect(try daemon.steps(goingOn) == Array(9...16))
    #expect(try daemon.finishedJob(long)["state"] == "succeeded")
    let path = "export?part=all"
    #expect(try Self.data(daemon, "/jobs/\(goingOn)/\(path)") == Self.data(daemon, "/jobs/\(long)/\(path)"))

    let over = try daemon.request(
      "POST", "/jobs",
      Self.job(["init_from": ["job": .string(goingOn), "optimizer": true]], epochs: 4).text)
    #expect(over.status == 422 && over.text.contains("/spec/epochs"), "\(over.text)")
  }

  @Test func `goes on after a failure when what it began with was deleted`() throws {
    let daemon = try Daemon()
    let source = try daemon.queue(Self.job([:]))
    #expect(try daemon.finishedJob(source)["state"] == "succeeded")
    let begun = try daemon.queue(
      Self.job(
        ["init_from": ["job": .string(source)], "checkpoint": ["every_epochs": 1]], epochs: 100_000))
    try daemon.job(begun) { $0["progress"]?["step"]?.int ?? 0 >= 9 }
    _ = try eventually { try daemon.get("/jobs/\(begun)/checkpoints")["checkpoints"]?.array?.first }
    #expect(try daemon.request("POST", "/jobs/\(begun)/cancel").status == 202)
    let step = try #require(try daemon.finishedJob(begun)["progress"]?["step"]?.int)
    #expect(try daemon.request("DELETE", "/jobs/\(source)").status == 204)
    #expect(try daemon.request("POST", "/jobs/\(begun)/retry").status == 202)
    let going = try daemon.job(begun) {
      $0["state"] == "failed" || $0["state"] == "running" && $0["progress"]?["step"]?.int ?? 0 > step + 2
    }
    #expect(going["state"] == "running", "\(going.text)")
    #expect(try daemon.request("POST", "/jobs/\(begun)/cancel").status == 202)
    #expect(try daemon.finishedJob(begun)["state"] == "cancelled")
  }
}
