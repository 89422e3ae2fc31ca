import Dispatcher
import JobStore
import Platform
import RunFolder
import Testing

/// What goes wrong again and again (issue 14, lines 6, 10 and 11).
@Suite struct `What goes wrong again and again` {
  private static let ends = #"say '{"event":"end","state":"succeeded"}'"#
  private static let stays = """
    say '{"event":"started","attempt":1,"step":0}'
    while true; do sleep 0.01; done
    """

  private func make(_ kind: String, at path: String, in bench: Bench) throws {
    let log = "\(bench.data)/make.txt"
    let (program, arguments): (String, [String]) =
      switch kind {
      case "a pipe": ("/usr/bin/mkfifo", [path])
      case "a folder": ("/bin/mkdir", [path])
      case "a sparse file": ("/usr/bin/truncate", ["-s", "1T", path])
      default: ("/bin/bash", ["-c", "head -c 2000000 /dev/zero | tr '\\0' x > \(path)"])
      }
    let child = try ChildProcess(program, arguments, logPath: log)
    try #require(try child.wait() == .exited(code: 0))
  }

  @Test(arguments: ["a pipe", "a folder", "a sparse file", "a long line"])
  func `a job whose events cannot be followed fails after a few tries, and others run`(kind: String) throws {
    let bench = try Bench(script: Self.ends)
    let job = try bench.queue()
    let other = try bench.queue()
    try bench.folder(job).create()
    try make(kind, at: bench.folder(job).eventsPath, in: bench)
    let dispatcher = try bench.start { $0.followRetryMilliseconds = 5 }
    let record = try bench.wait(for: job) { $0.state.isFinished }
    #expect(record.state == .failed && record.reason == .crashLoop)
    #expect(record.attempt == 3)
    #expect(record.message?.contains("events.jsonl") == true, "\(record.message ?? "")")
    #expect(try bench.wait(for: other) { $0.state.isFinished }.state == .succeeded)
    dispatcher.stop()
    #expect(try bench.store.transitions(of: job, limit: 99).count < 12)
  }

  @Test func `a worker that writes an endless line is killed, and its job fails after a few tries`() throws {
    let bench = try Bench(
      script: """
        say '{"event":"started","attempt":1,"step":0}'
        head -c 2000000 /dev/zero | tr '\\0' x >> "$RUN/events.jsonl"
        while true; do sleep 0.01; done
        """)
    let job = try bench.queue()
    let dispatcher = try bench.start { $0.followRetryMilliseconds = 5 }
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .failed)
    #expect(record.message?.contains("is over 1048576 bytes") == true, "\(record.message ?? "")")
    #expect(try bench.store.transitions(of: job, limit: 99).count < 12)
  }

  @Test(arguments: ["a pipe", "a folder", "a sparse file", "a long line"])
  func `an odd file of events of a running job keeps neither a stop nor the next start`(kind: String) throws {
    let bench = try Bench(script: Self.stays)
    let job = try bench.queue()
    let dispatcher = try bench.start { $0.shutdownGraceMilliseconds = 50 }
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    let path = bench.folder(job).eventsPath
    try FileSystem.rename(path, to: path + ".old")
    try make(kind, at: path, in: bench)
    dispatcher.stop()
    let next = try bench.start {
      $0.shutdownGraceMilliseconds = 50
      $0.followRetryMilliseconds = 5
    }
    #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .failed)
    next.stop()
  }

  @Test func `a worker that leaves at once by itself is started again after longer and longer waits`() throws
  {
    let bench = try Bench(script: #"say '{"event":"yielded","step":0}'"#)
    let job = try bench.queue()
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state == .queued && $0.attempt >= 3 }
    dispatcher.stop()
    let life = try bench.store.transitions(of: job, limit: 99).filter {
      $0.to == .queued && $0.from == .running
    }
    #expect(life.dropFirst().allSatisfy { $0.message?.contains("without getting on") == true })
    #expect(record.notBeforeMilliseconds > 0)
    #expect(record.crashes == 0 && record.failures == 0, "it costs no attempt")
  }

  @Test func `a stranger's lock keeps no job from being settled, started or cancelled`() throws {
    let bench = try Bench(script: Self.stays)
    let (job, other) = (try bench.queue(), try bench.queue())
    for id in [job, other] {
      try bench.folder(id).create()
      try AtomicFile.write(Array("4194304\n".utf8), to: bench.folder(id).lockPath)
    }
    let strangers = try [job, other].map { id in
      try ChildProcess(
        "/usr/bin/flock", [bench.folder(id).lockPath, "sleep", "1000"], logPath: "\(bench.data)/stranger.txt")
    }
    defer { for stranger in strangers { stranger.send(.kill) } }
    for id in [job, other] {
      try bench.until {
        let probe = try ChildProcess(
          "/usr/bin/flock", ["-n", bench.folder(id).lockPath, "true"], logPath: "\(bench.data)/probe.txt")
        return try probe.wait() == .exited(code: 1) ? true : nil
      }
    }
    // As a daemon that died left it: its worker is gone.
    let claimed = try #require(try bench.store.claimNext(bootID: "earlier"))
    try bench.folder(job).writeSpec(
      RunSpec(job: job, attempt: 1, specification: claimed.specification(), threads: 1))
    let dispatcher = try bench.start { $0.lockTriesMax = 3 }
    let record = try bench.wait(for: job) { $0.state.isFinished }
    #expect(record.reason == .crashLoop, "its workers find the lock taken, and each of them is missed")
    _ = try bench.store.requestCancel(other, mode: .now)
    dispatcher.wake()
    _ = try bench.wait(for: other) { $0.state.isFinished }
    dispatcher.stop()
  }

  @Test func `a folder that nothing can be read from keeps no daemon from starting`() throws {
    let bench = try Bench(script: Self.ends)
    let job = try bench.queue()
    _ = try bench.store.claimNext(bootID: "earlier")
    let folder = bench.folder(job)
    try folder.create()
    for path in [folder.specPath, folder.eventsPath, folder.lockPath] { try FileSystem.makeDirectories(path) }
    let dispatcher = try bench.start {
      $0.followRetryMilliseconds = 5
      $0.lockTriesMax = 3
    }
    let other = try bench.queue()
    dispatcher.wake()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    #expect(record.state == .failed, "\(record.message ?? "")")
    #expect(try bench.wait(for: other) { $0.state.isFinished }.state == .succeeded)
    dispatcher.stop()
  }
}
