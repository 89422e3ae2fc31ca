import Platform
import Testing

@Suite(.serialized) struct `When the clock is set` {
  private static let monthSeconds = 30 * 86_400
  /// Steps that take some three seconds.
  private static let longSteps = 200

  @Test(arguments: [monthSeconds, -monthSeconds])
  func `what runs ends as if it had not been, and the queue keeps its order`(seconds: Int) throws {
    let clock = "\(FileSystem.temporaryDirectory)/vicregd-clock-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.remove(clock) }
    let daemon = try Daemon(faults: ("", ["CLOCK": clock]))
    var limited = try #require(SmallRun.job().object)
    limited["max_duration"] = 600
    let first = try daemon.queue(.object(limited))
    try daemon.job(first) { $0["progress"]?["step"]?.int ?? 0 > SmallRun.stepsPerCheckpoint }
    try AtomicFile.write(Array("\(seconds)".utf8), to: clock)
    let second = try daemon.queue(.object(limited))
    // A death, and a new daemon that adopts the worker or settles the job, by clocks that disagree.
    try daemon.killWorker(of: first)
    try daemon.job(first) { $0["attempt"] == 2 }
    try daemon.kill()
    try daemon.start()
    for job in [first, second] {
      let record = try daemon.finishedJob(job)
      #expect(record["state"] == "succeeded", "\(record.text)")
      #expect(try daemon.steps(job) == Array(1...SmallRun.steps))
      #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
    }
    #expect(try daemon.get("/jobs")["jobs"]?.array?.map { $0["id"] } == [.string(second), .string(first)])
    let times = try [first, second].map { try #require(try daemon.get("/jobs/\($0)")["created_at"]?.string) }
    #expect((times[0] < times[1]) == (seconds > 0), "the clock was set: \(times)")
    #expect(try daemon.check() == .exited(code: 0))
  }

  @Test func `a worker that dies with its daemon has not run for longer than it did`() throws {
    let daemon = try Daemon()
    var limited = try #require(SmallRun.job(epochs: 100_000).object)
    limited["max_duration"] = 600
    let job = try daemon.queue(.object(limited))
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 > SmallRun.stepsPerCheckpoint }
    try daemon.kill()
    #expect(try daemon.killWorker(of: job))
    // The date that its last sign of life would have.
    let path = "\(daemon.data)/runs/\(job)/lock"
    let touch = try ChildProcess(
      "/usr/bin/touch", ["-d", "30 days", path], logPath: "\(daemon.data)/touch.txt")
    #expect(try touch.wait() == .exited(code: 0))
    try daemon.start()
    // Time limits are looked at once a second; these steps take longer.
    let record = try daemon.job(job) {
      $0["finished_at"] != .null || ($0["attempt"] == 2 && $0["progress"]?["step"]?.int ?? 0 > Self.longSteps)
    }
    #expect(record["state"] == "running", "\(record.text)")
  }
}
