import JSONText
import Platform
import Testing

/// Checkpoints that evaluations name, while their training goes on and removes old ones (issue 15, A3).
@Suite(.serialized) struct `A checkpoint that an evaluation names` {
  /// A training that keeps one checkpoint, of which there is a new one after every epoch.
  private func training(epochs: Int) throws -> JSON {
    var body = try #require(SmallRun.job(epochs: epochs).object)
    var spec = try #require(body["spec"]?.object)
    spec["checkpoint"] = ["every_epochs": 1, "keep_last": 1, "keep_best": ["metric": "loss"]]
    body["spec"] = .object(spec)
    return .object(body)
  }

  private func evaluation(_ training: String, _ which: String) throws -> JSON {
    var body = try #require(SmallRun.evaluation(of: training).object)
    var spec = try #require(body["spec"]?.object)
    spec["checkpoint"] = ["job": .string(training), "which": .string(which)]
    body["spec"] = .object(spec)
    return .object(body)
  }

  private func names(_ training: String, _ daemon: Daemon) throws -> [String] {
    try (daemon.get("/jobs/\(training)/checkpoints")["checkpoints"]?.array ?? []).compactMap {
      $0["name"]?.string?.string
    }
  }

  /// Queues an evaluation of a checkpoint that is listed now; retention may be faster.
  private func queueNamed(_ training: String, _ daemon: Daemon) throws -> (job: String, name: String) {
    try eventually {
      guard let name = try names(training, daemon).last else { return nil }
      let answer = try daemon.request("POST", "/jobs", evaluation(training, name).text)
      return answer.status == 201 ? (try #require(JSON.parse(answer.body)["id"]?.string?.string), name) : nil
    }
  }

  @Test func `stays for it through retention and a death of the daemon, and not longer`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(training(epochs: 100_000))
    let (first, name) = try queueNamed(training, daemon)
    let (second, _) = try queueNamed(training, daemon)
    #expect(try daemon.get("/jobs/\(first)")["state"] == "queued", "it waits for a worker alone")
    try eventually { try names(training, daemon).contains(name) ? nil : true }
    try daemon.kill()
    try daemon.start()
    #expect(try daemon.request("POST", "/jobs/\(second)/cancel").status == 202)
    try eventually { FileSystem.exists("\(daemon.data)/pins/\(second)") ? nil : true }
    #expect(FileSystem.exists("\(daemon.data)/pins/\(first)"))
    #expect(try daemon.request("DELETE", "/jobs/\(training)").status == 409)
    #expect(try daemon.request("POST", "/jobs/\(training)/cancel").status == 202)
    let record = try daemon.finishedJob(first)
    #expect(record["state"] == "succeeded" && record["result"]?["checkpoint_sha256"] != nil, "\(record.text)")
    try eventually { try FileSystem.list("\(daemon.data)/pins").isEmpty ? true : nil }
    let retried = try daemon.request("POST", "/jobs/\(second)/retry")
    #expect(retried.status == 409 && retried.text.contains("no longer has the checkpoint"), "\(retried.text)")
    #expect(try daemon.check() == .exited(code: 0))
  }

  @Test func `is evaluated while the training goes on`() throws {
    let daemon = try Daemon(arguments: ["--workers", "2", "--threads-per-worker", "1"])
    let training = try daemon.queue(training(epochs: 100_000))
    let (job, _) = try queueNamed(training, daemon)
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.get("/jobs/\(training)")["state"] == "running")
  }

  @Test func `may be the best, or the last, when the training has ended`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(training(epochs: 6))
    let jobs = try ["best", "last"].map { try daemon.queue(evaluation(training, $0)) }
    #expect(try daemon.get("/jobs/\(jobs[0])")["state"] == "blocked")
    let digests = try jobs.map { job in
      try #require(daemon.finishedJob(job)["result"]?["checkpoint_sha256"]?.string?.string)
    }
    let list = try daemon.get("/jobs/\(training)/checkpoints")["checkpoints"]?.array ?? []
    let best = list.filter { $0["is_best"] == true }
    #expect(best.count == 1 && best[0]["sha256"]?.string?.string == digests[0])
    #expect(try digests[1] == daemon.lastDigest(training))
    for method in ["GET", "HEAD"] {
      let answer = try daemon.request(method, "/jobs/\(training)/checkpoints/best")
      #expect(answer.status == 302)
      #expect(
        answer.fields["location"] == "/jobs/\(training)/checkpoints/\(best[0]["name"]?.string?.string ?? "")")
    }
  }
}
