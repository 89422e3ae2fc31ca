import Platform
import Testing

@Suite(.serialized) struct `When files fail` {
  private func flag(_ daemon: Daemon) -> String { "\(daemon.data)/fault" }

  private func expectUndisturbedEnd(_ job: String, _ daemon: Daemon) throws {
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded", "\(record.text)")
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps), "each step has one line")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
  }

  private func warnings(_ job: String, _ daemon: Daemon) throws -> [String] {
    try daemon.request("GET", "/jobs/\(job)/metrics").events.filter { $0["event"] == "warning" }.compactMap {
      $0["message"]?.string?.string
    }
  }

  /// A training that was killed with its daemon after its second checkpoint; `damage` is done to its folder.
  private func rescued(_ damage: (_ folder: String) throws -> Void) throws -> (Daemon, job: String) {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 > 2 * SmallRun.stepsPerCheckpoint }
    try daemon.kill()
    try daemon.killWorker(of: job)
    try damage("\(daemon.data)/runs/\(job)")
    try daemon.start()
    return (daemon, job)
  }

  private func newestCheckpoint(_ folder: String) throws -> String {
    let names = try FileSystem.list("\(folder)/checkpoints").filter { $0.hasSuffix(".gz") }
    return try #require(names.last.map { "\(folder)/checkpoints/\($0)" })
  }

  @Test(arguments: ["flipped", "truncated", "missing"])
  func `a damaged checkpoint is set aside with a warning, and the one before it is used`(how: String) throws {
    let (daemon, job) = try rescued { folder in
      let path = try newestCheckpoint(folder)
      var bytes = try File(path, .read).readAll()
      switch how {
      case "flipped":
        bytes[bytes.count / 2] ^= 1
        try AtomicFile.write(bytes, to: path)
      case "truncated": try File(path, .readWrite).truncate(to: bytes.count / 2)
      default: try FileSystem.remove(path)
      }
    }
    try expectUndisturbedEnd(job, daemon)
    if how == "flipped" {
      #expect(try warnings(job, daemon).contains { $0.contains("is damaged and set aside") })
    }
  }

  @Test func `a line of events that is damaged costs that line, and the run nothing`() throws {
    let (daemon, job) = try rescued { folder in
      // Behind what the daemon had read, as a disk might that wrote rubbish when the power went.
      let file = try File("\(folder)/events.jsonl", .append)
      try file.write(Array("{\"event\":\"metric\",\"st\u{1}".utf8) + [0xff, 0x00, 0x0a])
    }
    try expectUndisturbedEnd(job, daemon)
  }

  @Test func `a damaged specification is written anew`() throws {
    let (daemon, job) = try rescued { folder in
      let file = try File("\(folder)/spec.json", .readWrite)
      try file.truncate(to: file.size() / 2)
    }
    try expectUndisturbedEnd(job, daemon)
  }

  @Test(arguments: [0.0, 0.5])
  func `a file of events that has lost its end, or all, leaves no gap`(share: Double) throws {
    let (daemon, job) = try rescued { folder in
      let file = try File("\(folder)/events.jsonl", .readWrite)
      try file.truncate(to: Int(Double(file.size()) * share))
    }
    try expectUndisturbedEnd(job, daemon)
  }

  @Test func `a specification or a folder of checkpoints that is gone is made anew`() throws {
    let (daemon, job) = try rescued { folder in
      try FileSystem.remove("\(folder)/spec.json")
      try FileSystem.removeTree("\(folder)/checkpoints")
    }
    try expectUndisturbedEnd(job, daemon)
  }

  @Test(arguments: [
    "write:step-#.safetensors.gz.tmp-#", "write:events.jsonl", "sync:step-#.safetensors.gz.tmp-#",
  ])
  func `a full disk pauses the job, which goes on by itself when there is space`(point: String) throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-full-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write([], to: data)
    let daemon = try Daemon(
      faults: ("work", ["POINT": "\(point):*", "ACTION": "enospc", "WHILE": data, "ONCE": ""]))
    defer { try? FileSystem.remove(data) }
    let job = try daemon.queue(SmallRun.job())
    try eventually {
      let life = try daemon.get("/jobs/\(job)/transitions")["transitions"]?.array ?? []
      return life.contains { $0["to"] == "paused" && $0["reason"] == "disk_full" } ? true : nil
    }
    try FileSystem.remove(data)
    try expectUndisturbedEnd(job, daemon)
  }

  @Test(arguments: [
    "write:events.jsonl:*", "write:step-#.safetensors.gz.tmp-#:*", "write:step-#.json.tmp-#:*",
  ])
  func `writes that take a part are gone on with`(point: String) throws {
    let daemon = try Daemon(faults: ("work", ["POINT": point, "ACTION": "short", "ONCE": ""]))
    try expectUndisturbedEnd(daemon.queue(SmallRun.job()), daemon)
  }

  @Test(arguments: [
    "write:events.jsonl:7", "sync:step-#.safetensors.gz.tmp-#:1", "rename:step-#.safetensors.gz:1",
    "write:step-#.safetensors.gz.tmp-#:1",
  ])
  func `a disk that fails once costs an attempt and nothing else`(point: String) throws {
    let daemon = try Daemon(faults: ("work", ["POINT": point, "ACTION": "eio"]))
    var body = try #require(SmallRun.job().object)
    body["max_attempts"] = 2
    try expectUndisturbedEnd(daemon.queue(.object(body)), daemon)
    #expect(FileSystem.exists(daemon.oncePath))
  }

  @Test(arguments: ["write:vicregd.sqlite-wal:*", "sync:vicregd.sqlite-wal:*"])
  func `a database that cannot grow refuses new jobs, and loses no line of those that run`(point: String)
    throws
  {
    let full = "\(FileSystem.temporaryDirectory)/vicregd-full-\(UInt64.random(in: 0 ... .max))"
    let action = point.hasPrefix("write") ? "enospc" : "eio"
    let daemon = try Daemon(
      faults: ("serve", ["POINT": point, "ACTION": action, "WHILE": full, "ONCE": ""]))
    let job = try daemon.queue(SmallRun.job())
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    try AtomicFile.write([], to: full)
    defer { try? FileSystem.remove(full) }
    let refused = try daemon.request("POST", "/jobs", SmallRun.job().text)
    #expect(refused.status == (action == "enospc" ? 507 : 500), "\(refused.text)")
    #expect(try daemon.get("/jobs/\(job)")["id"]?.string?.string == job)
    try FileSystem.remove(full)
    try expectUndisturbedEnd(job, daemon)
    #expect(try daemon.get("/jobs")["jobs"]?.array?.count == 1)
    try expectUndisturbedEnd(daemon.queue(SmallRun.job()), daemon)
  }

  @Test func `short of space new jobs are refused and running ones rest until there is more`() throws {
    let free = "\(FileSystem.temporaryDirectory)/vicregd-free-\(UInt64.random(in: 0 ... .max))"
    let daemon = try Daemon(faults: ("serve", ["FREE": free]))
    defer { try? FileSystem.remove(free) }
    let job = try daemon.queue(SmallRun.job(epochs: 10_000))
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    try AtomicFile.write(Array("1000000".utf8), to: free)
    let refused = try daemon.request("POST", "/jobs", SmallRun.job().text)
    #expect(refused.status == 507)
    #expect(refused.text.contains("MiB of space are left"), "\(refused.text)")
    #expect(try daemon.job(job) { $0["state"] == "paused" }["reason"] == "disk_full")
    try FileSystem.remove(free)
    try daemon.job(job) { $0["state"] == "running" }
    _ = try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"now"}"#)
    #expect(try daemon.finishedJob(job)["state"] == "cancelled")
  }
}
