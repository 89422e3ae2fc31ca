import JobModel
import Platform
import Testing

@Suite(.serialized) struct `When the clock is set` {
  private static let monthSeconds = 30 * 86_400

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
}
