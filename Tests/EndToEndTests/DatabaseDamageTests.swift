import Platform
import Testing

@Suite(.serialized) struct `When the database loses what it had` {
  private func damage(_ path: String, _ how: String) throws {
    switch how {
    case "missing": try FileSystem.remove(path)
    case "truncated":
      let file = try File(path, .readWrite)
      try file.truncate(to: file.size() / 2)
    default:
      var bytes = try File(path, .read).readAll()
      bytes[bytes.count / 2] ^= 1
      try AtomicFile.write(bytes, to: path)
    }
  }

  private func expectUndisturbedEnd(_ job: String, _ daemon: Daemon) throws {
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded", "\(record.text)")
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps), "each step has one line")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
  }

  /// A daemon that has ended one job before it was stopped, and has been killed in the middle of another.
  private func killed(_ damage: (_ data: String) throws -> Void) throws -> (Daemon, jobs: [String]) {
    let daemon = try Daemon()
    let old = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(old)["state"] == "succeeded")
    daemon.send(.terminate)
    #expect(try daemon.ending() == .exited(code: 0))
    try daemon.start()
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 > SmallRun.stepsPerCheckpoint }
    try daemon.kill()
    try daemon.killWorker(of: job)
    try damage(daemon.data)
    try daemon.start()
    return (daemon, [old, job])
  }

  @Test(arguments: ["truncated", "flipped", "missing"])
  func `by its write-ahead log, the jobs that had begun go on`(how: String) throws {
    let (daemon, jobs) = try killed { try damage("\($0)/vicregd.sqlite-wal", how) }
    for job in jobs { try expectUndisturbedEnd(job, daemon) }
    #expect(try daemon.get("/jobs")["jobs"]?.array?.count == jobs.count)
    try expectUndisturbedEnd(daemon.queue(SmallRun.job()), daemon)
    #expect(try daemon.check() == .exited(code: 0))
  }

  @Test func `by all its files, jobs and curves are restored from the run folders`() throws {
    let (daemon, jobs) = try killed { data in
      for name in try FileSystem.list(data) where name.hasPrefix("vicregd.sqlite") {
        try FileSystem.remove("\(data)/\(name)")
      }
    }
    for job in jobs { try expectUndisturbedEnd(job, daemon) }
    let told = try daemon.get("/jobs/\(jobs[0])/transitions")["transitions"]?.array?.first
    #expect(told?["message"]?.string?.string.contains("restored from its run folder") == true)
    #expect(try daemon.check() == .exited(code: 0))
  }
}
