import JSONText
import Platform
import Testing
import Text

/// Sweeps of trainings that take a moment (issue 18).
@Suite(.serialized) struct `Sweeps` {
  /// A sweep over a light training.
  private static func sweep(_ rest: [String: JSON], spec: [String: JSON] = [:]) -> JSON {
    var base = SmallRun.lightJob().object ?? [:]
    base["name"] = nil
    var members = base["spec"]?.object ?? [:]
    members["optimizer"] = ["name": "sgd", "momentum": 0]
    members["epochs"] = 1
    for (key, value) in spec { members[ByteString(key)] = value }
    base["spec"] = .object(members)
    var sweep: [String: JSON] = [
      "name": "rates", "base": .object(base), "space": ["/optimizer/lr": ["log_uniform": [1e-5, 1e-3]]],
      "search": ["name": "random", "seed": 3], "max_trials": 8,
    ]
    for (key, value) in rest { sweep[key] = value }
    return .object(sweep)
  }

  private func begin(_ daemon: Daemon, _ sweep: JSON) throws -> String {
    let answer = try daemon.request("POST", "/sweeps", sweep.text)
    try #require(answer.status == 201, "\(answer.status) \(answer.text)")
    return try #require(try JSON.parse(answer.body)["id"]?.string?.string)
  }

  private func finished(_ daemon: Daemon, _ id: String) throws -> JSON {
    try eventually {
      let sweep = try daemon.get("/sweeps/\(id)")
      return sweep["finished_at"]?.isNull == false ? .some(sweep) : .none
    }
  }

  private func table(_ daemon: Daemon, _ id: String) throws -> String {
    let answer = try daemon.request("GET", "/sweeps/\(id)/trials.csv")
    try #require(answer.status == 200)
    return answer.text
  }

  @Test func `a sweep is the same, however often daemon and workers die`() throws {
    let daemon = try Daemon(arguments: ["--workers", "2"])
    let first = try begin(daemon, Self.sweep([:]))
    #expect(try finished(daemon, first)["state"] == "succeeded")
    let undisturbed = try table(daemon, first)
    #expect(undisturbed.split(separator: "\r\n").count == 9)
    let second = try begin(daemon, Self.sweep([:]))
    for number in 1...4 {
      _ = try eventually {
        let sweep = try daemon.get("/sweeps/\(second)")
        let done = sweep["trials"]?["succeeded"]?.int ?? 0
        return done >= number || sweep["finished_at"]?.isNull == false ? true : nil
      }
      for job in try daemon.liveWorkers() where number % 2 == 0 { try daemon.killWorker(of: job) }
      try daemon.kill()
      try daemon.start()
    }
    #expect(try finished(daemon, second)["state"] == "succeeded")
    #expect(try table(daemon, second) == undisturbed)
    #expect(try daemon.get("/jobs?sweep=\(second)&limit=1")["total"] == 8)
  }

  @Test func `trials that are evaluated and train on from rung to rung end with the best`() throws {
    let daemon = try Daemon(arguments: ["--workers", "2"])
    let id = try begin(
      daemon,
      Self.sweep(
        [
          "evaluate": ["protocol": "knn", "dataset": ["name": "synthetic:count=64,classes=4,seed=1"]],
          "early_stopping": ["name": "asha", "reduction_factor": 2, "min_epochs": 1, "max_epochs": 4],
          "max_trials": 4, "max_concurrent": 2,
        ], spec: ["schedule": ["name": "cosine", "warmup_epochs": 0]]))
    let sweep = try finished(daemon, id)
    #expect(sweep["state"] == "succeeded", "\(sweep.text)")
    let trials = try daemon.get("/sweeps/\(id)/trials")["trials"]?.array ?? []
    let ends = trials.filter { $0["state"] == "succeeded" }
    #expect(trials.count == 4 && !ends.isEmpty && ends.count < 4)
    #expect(ends.allSatisfy { $0["epochs"] == 4 && $0["rung"] == 2 })
    #expect(trials.filter { $0["state"] == "stopped" }.count == 4 - ends.count)
    let best = try #require(sweep["best"]?["job"]?.string?.string)
    // What went on from rung to rung is what one run of all epochs would be.
    var whole = try daemon.get("/jobs/\(best)")["spec"]?.object ?? [:]
    whole["init_from"] = .null
    whole["schedule"] = ["name": "cosine", "warmup_epochs": 0]
    let job = try daemon.queue(["kind": "train", "spec": .object(whole)])
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    let path = "export?part=all"
    #expect(try Self.data(daemon, "/jobs/\(best)/\(path)") == Self.data(daemon, "/jobs/\(job)/\(path)"))
  }

  /// The data of an exported file, behind its header.
  private static func data(_ daemon: Daemon, _ path: String) throws -> [UInt8] {
    let answer = try daemon.request("GET", path)
    try #require(answer.status == 200, "\(answer.text.prefix(500))")
    let length = answer.body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Array(answer.body[(8 + length)...])
  }

  @Test func `a paused sweep leaves the machine, goes on, and can be cancelled`() throws {
    let daemon = try Daemon(arguments: ["--workers", "2"])
    let id = try begin(daemon, Self.sweep(["max_trials": 30], spec: ["epochs": 2_000]))
    _ = try eventually { try daemon.get("/sweeps/\(id)")["trials"]?["running"] == 2 ? true : nil }
    #expect(try daemon.request("POST", "/sweeps/\(id)/pause").status == 202)
    _ = try eventually { try daemon.get("/sweeps/\(id)")["state"] == "paused" ? true : nil }
    #expect(try daemon.liveWorkers().isEmpty)
    #expect(try daemon.request("POST", "/sweeps/\(id)/resume").status == 202)
    _ = try eventually { try daemon.liveWorkers().count == 2 ? true : nil }
    #expect(try daemon.request("POST", "/sweeps/\(id)/cancel").status == 202)
    let sweep = try finished(daemon, id)
    #expect(sweep["state"] == "cancelled" && sweep["trials"]?["stopped"] == 30)
  }

  @Test func `a time limit ends a sweep with what it has found`() throws {
    let daemon = try Daemon(arguments: ["--workers", "2"])
    let id = try begin(
      daemon, Self.sweep(["max_trials": 30, "max_duration_seconds": 2], spec: ["epochs": 200_000]))
    let sweep = try finished(daemon, id)
    #expect(sweep["state"] == "succeeded" && sweep["reason"] == "max_duration")
    #expect(sweep["trials"]?["stopped"] == 30)
  }
}
