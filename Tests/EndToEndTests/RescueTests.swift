import JSONText
import Platform
import Testing
import Text

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

  /// Kills daemon and worker in the middle of a run and starts the daemon again, after `change` to the
  /// algorithms that the run has recorded.
  private func finish(
    _ daemon: Daemon, after change: ([ByteString: JSON]) -> [ByteString: JSON]
  ) throws -> (job: String, record: JSON) {
    let job = try daemon.queue(SmallRun.job())
    try reachTheMiddle(job, daemon)
    try daemon.kill()
    try daemon.killWorker(of: job)
    let path = "\(daemon.data)/runs/\(job)/convolutions.json"
    let layers = try #require(JSON.parse(File(path, .read).readAll()).object)
    #expect(layers["encoder.layer1.0.conv1"]?["forward"]?.string != nil)
    #expect(layers.values.contains { $0["forward"] != "direct" }, "direct would be no other choice")
    try AtomicFile.write(JSON.object(change(layers)).utf8, to: path)
    try daemon.start()
    return (job, try daemon.finishedJob(job))
  }

  @Test func `but follows what it has recorded of its convolutions, where that was another choice`() throws {
    let daemon = try Daemon()
    let (job, record) = try finish(daemon) { layers in
      layers.mapValues { _ in ["forward": "direct", "backward_input": "direct", "backward_weight": "direct"] }
    }
    #expect(record["state"] == "succeeded", "\(record.text)")
    #expect(try daemon.lastDigest(job) != SmallRun.undisturbedDigest.get())
  }

  @Test func `but fails where this version lacks a recorded algorithm`() throws {
    let daemon = try Daemon()
    let (_, record) = try finish(daemon) { layers in
      layers.mapValues { _ in
        ["forward": "winograd9", "backward_input": "direct", "backward_weight": "direct"]
      }
    }
    #expect(record["state"] == "failed", "\(record.text)")
    #expect(record["reason"] == "bad_input")
    #expect(
      record["message"]?.string?.string.contains("no algorithm \"winograd9\"") == true, "\(record.text)")
  }
}
