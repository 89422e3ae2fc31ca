import JobModel
import Platform
import Testing

@Suite(.serialized) struct `A run that is disturbed ends in the same bits` {
  /// Waits until the run has a checkpoint and is between it and the next one.
  private func reachTheMiddle(_ job: String, _ daemon: Daemon) throws {
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 > SmallRun.stepsPerCheckpoint }
  }

  private func expectUndisturbedEnd(_ job: String, _ daemon: Daemon, attempt: Int) throws {
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "succeeded", "\(record.text)")
    #expect(record["attempt"] == .integer(attempt))
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps), "each step has one line")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
  }

  @Test func `when its worker is killed`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try reachTheMiddle(job, daemon)
    try daemon.killWorker(of: job)
    try expectUndisturbedEnd(job, daemon, attempt: 2)
  }

  @Test func `when the daemon is killed, and the next one adopts the worker`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try reachTheMiddle(job, daemon)
    try daemon.kill()
    try daemon.start()
    try expectUndisturbedEnd(job, daemon, attempt: 1)
  }

  @Test func `when daemon and worker are killed`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try reachTheMiddle(job, daemon)
    try daemon.kill()
    try daemon.killWorker(of: job)
    try daemon.start()
    try expectUndisturbedEnd(job, daemon, attempt: 2)
  }

  @Test func `when the daemon is told to stop, which it does with exit code 0`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    try reachTheMiddle(job, daemon)
    daemon.send(.terminate)
    #expect(try daemon.ending() == .exited(code: 0))
    try daemon.start()
    try expectUndisturbedEnd(job, daemon, attempt: 2)
  }
}
