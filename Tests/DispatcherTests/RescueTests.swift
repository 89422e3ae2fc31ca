import Dispatcher
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import SQLite
import Testing

@Suite struct `After a daemon's death` {
  private static let patient = """
    say '{"event":"started","attempt":1,"step":0}'
    until [ -e "$RUN/go" ]; do sleep 0.01; done
    say '{"event":"metric","step":1,"epoch":0,"inv":0.5}'
    say '{"event":"end","state":"succeeded"}'
    """

  @Test func `a live worker is adopted, and each of its lines counts once`() throws {
    let bench = try Bench(script: Self.patient)
    let job = try bench.queue()
    // What an earlier daemon had done: claimed the job, started its worker, read its first line.
    let worker = try bench.startWorker(of: job)
    _ = try bench.until { try bench.folder(job).isAlive() ? true : nil }
    let dispatcher = try bench.start()
    _ = try bench.wait(for: job) { $0.bootID == Bench.bootID }
    try AtomicFile.write([], to: bench.folder(job).path + "/go")
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(try worker.wait() == .exited(code: 0))
    #expect(record.state == .succeeded)
    #expect(record.attempt == 1)
    #expect(try bench.store.lines(job, limit: 10).map(\.event) == ["started", "metric", "end"])
  }

  @Test func `a worker that ended meanwhile is read to its end and not started again`() throws {
    let bench = try Bench(script: Self.patient)
    let job = try bench.queue()
    try bench.folder(job).create()
    try AtomicFile.write([], to: bench.folder(job).path + "/go")
    #expect(try bench.startWorker(of: job).wait() == .exited(code: 0))
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded)
    #expect(record.attempt == 1)
  }

  @Test func `the job of a worker that died meanwhile is queued again`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue()
    let claimed = try #require(try bench.store.claimNext(bootID: "earlier"))
    try bench.folder(job).create()
    try bench.folder(job).writeSpec(
      RunSpec(job: job, attempt: 1, specification: claimed.specification(), threads: 1))
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded)
    #expect(record.attempt == 2)
    #expect(record.crashes == 1)
  }

  @Test(arguments: [(noted: 1, isCounted: true), (noted: 4, isCounted: false)])
  func `a dead worker's attempt took as long as it said itself, whatever the times of its files`(
    noted: Int, isCounted: Bool
  ) throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue(JobPolicy(maxDurationSeconds: 3_600))
    let claimed = try #require(try bench.store.claimNext(bootID: "earlier"))
    let folder = bench.folder(job)
    try folder.create()
    try folder.writeSpec(RunSpec(job: job, attempt: 1, specification: claimed.specification(), threads: 1))
    try AtomicFile.write(Array("1\n\(noted) 1800000\n".utf8), to: folder.lockPath)
    // As it is dated when the clock was set forward while the worker ran.
    let touch = try ChildProcess(
      "/usr/bin/touch", ["-d", "30 days", folder.lockPath], logPath: folder.logPath)
    #expect(try touch.wait() == .exited(code: 0))
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded && record.attempt == 2)
    // How long the second attempt took is of no account: no machine is half an hour slow, and the touched
    // file would say a month.
    #expect((record.ranMilliseconds >= 1_800_000) == isCounted, "\(record.ranMilliseconds)")
    #expect(record.ranMilliseconds < 86_400_000)
  }

  @Test func `a job that the database has lost is restored from its run folder`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue()
    let claimed = try #require(try bench.store.claimNext(bootID: "earlier"))
    try bench.folder(job).create()
    try bench.folder(job).writeSpec(
      RunSpec(job: job, attempt: 7, specification: claimed.specification(), threads: 1))
    try AtomicFile.write(
      Array("{\"event\":\"metric\",\"step\":1,\"epoch\":0,\"inv\":0.5}\n".utf8),
      to: bench.folder(job).eventsPath)
    let nameless = JobID(unixMilliseconds: 1, random: 1)
    try bench.folder(nameless).create()
    try Connection(path: bench.databasePath, access: .write).script("DELETE FROM jobs")
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded && record.attempt == 8)
    #expect(record.createdAtMilliseconds == job.unixMilliseconds)
    #expect(try bench.store.lines(job, limit: 9).map(\.event) == ["metric", "end"])
    let first = try #require(try bench.store.transitions(of: job, limit: 9).first)
    #expect(first.initiator == .daemon && first.message?.contains("restored") == true)
    #expect(try bench.store.list(limit: 9).count == 1, "of a folder without a specification nothing is known")
    #expect(FileSystem.isDirectory(bench.folder(nameless).path))
  }

  @Test func `a cancel that was asked for is carried out`() throws {
    let bench = try Bench(script: "exit 1")
    let job = try bench.queue()
    _ = try bench.store.claimNext(bootID: "earlier")
    _ = try bench.store.requestCancel(job, mode: .graceful)
    let dispatcher = try bench.start()
    #expect(try bench.store.job(job)?.state == .cancelled)
    dispatcher.stop()
  }

  @Test func `a stop has workers yield, and their jobs go on with the next daemon`() throws {
    let bench = try Bench(
      script: """
        trap 'say "{\\"event\\":\\"yielded\\",\\"step\\":3}"; exit 0' TERM
        if [ -e "$RUN/twice" ]; then say '{"event":"end","state":"succeeded"}'; exit 0; fi
        touch "$RUN/twice"
        say '{"event":"started","attempt":1,"step":0}'
        while true; do sleep 0.01; done
        """)
    let job = try bench.queue()
    let first = try bench.start()
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    first.stop()
    let between = try bench.store.job(job)
    #expect(between?.state == .queued)
    #expect(between?.reason == .yielded)
    #expect(between?.crashes == 0)
    let second = try bench.start()
    #expect(try bench.wait(for: job) { $0.state.isFinished }.attempt == 2)
    second.stop()
  }

  @Test func `a worker that does not yield in time is killed, and the stop ends`() throws {
    let bench = try Bench(
      script: """
        trap '' TERM
        say '{"event":"started","attempt":1,"step":0}'
        while true; do sleep 0.01; done
        """)
    let job = try bench.queue()
    let dispatcher = try bench.start { $0.shutdownGraceMilliseconds = 50 }
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    dispatcher.stop()
    // It was told to leave and was given too little time for it: that is no crash of its own.
    let record = try #require(try bench.store.job(job))
    #expect(record.state == .queued && record.reason == .yielded)
    #expect(record.crashes == 0 && record.notBeforeMilliseconds == 0)
  }
}

@Suite struct `While the store refuses` {
  @Test func `lines and end of a run wait, and none is lost`() throws {
    let bench = try Bench(
      script: """
        say '{"event":"started","attempt":1,"step":0}'
        say '{"event":"end","state":"succeeded"}'
        """)
    let job = try bench.queue()
    // Stands in for a full disk: whatever the worker tells is refused.
    let other = try Connection(path: bench.databasePath, access: .write)
    try other.script(
      """
      CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.event <> 'transition'
      BEGIN SELECT RAISE(ABORT, 'the disk is full'); END
      """)
    let dispatcher = try bench.start { $0.retryMilliseconds = 20 }
    try bench.until { try EventTail.lineCount(bench.folder(job).eventsPath) == 2 ? true : nil }
    #expect(try bench.store.job(job)?.state == .running)
    #expect(try bench.store.job(job)?.ingestOffset == 0)
    try other.script("DROP TRIGGER full")
    #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .succeeded)
    #expect(try bench.store.lines(job, limit: 10).map(\.event) == ["started", "end"])
    dispatcher.stop()
  }
}

extension EventTail {
  /// Complete lines of a file so far.
  fileprivate static func lineCount(_ path: String) throws -> Int {
    var tail = EventTail(path: path)
    return try tail.next().count
  }
}
