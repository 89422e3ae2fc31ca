import Dispatcher
import JobModel
import JobStore
import Platform
import RunFolder
import Testing

/// What passes by itself (issue 15, A1): it postpones a job, and uses up nothing.
@Suite struct `A shortage` {
  private static let ends = #"say '{"event":"end","state":"succeeded"}'"#

  /// What a worker does while the file `short` is in the data folder; then it succeeds.
  private func bench(whileShort line: String) throws -> Bench {
    let bench = try Bench(
      script: """
        if [ -e "$RUN/../../short" ]; then \(line); fi
        \(Self.ends)
        """)
    try AtomicFile.write([], to: "\(bench.data)/short")
    return bench
  }

  private func expectPostponed(_ bench: Bench, saying what: String) throws {
    let job = try bench.queue()
    let dispatcher = try bench.start { $0.retryMilliseconds = 10 }
    let waiting = try bench.wait(for: job) { $0.state == .queued && $0.reason == .shortage }
    #expect(waiting.message?.contains(what) == true, "\(waiting.message ?? "")")
    #expect(waiting.crashes == 0 && waiting.failures == 0, "it costs no attempt")
    try bench.until { dispatcher.shortage?.contains(what) == true ? true : nil }
    try FileSystem.remove("\(bench.data)/short")
    let record = try bench.wait(for: job) { $0.state.isFinished }
    #expect(record.state == .succeeded && record.crashes == 0 && record.failures == 0)
    // The job has ended a moment before the dispatcher takes note of it.
    try bench.until { dispatcher.shortage == nil ? true : nil }
    dispatcher.stop()
  }

  @Test func `that keeps a worker from beginning puts its job back into the queue`() throws {
    let code = RunFolder.shortageExitCode
    try expectPostponed(bench(whileShort: "exit \(code)"), saying: "short of descriptors, threads or memory")
  }

  @Test func `that a worker tells of is the job's message`() throws {
    let line = WorkerEvent.yielded(step: 0, reason: .shortage, message: "no thread can be started").line(
      time: "2026-11-27T00:00:00.000Z")
    try expectPostponed(
      bench(whileShort: "say '\(line)'; exit 0"), saying: "no thread can be started")
  }

  /// Makes a program that cannot be started while the file is open for writing, as an installer has it.
  private func busyProgram(_ path: String) throws -> File {
    let copy = try ChildProcess("/bin/cp", ["/bin/bash", path], logPath: "\(path).txt")
    try #require(try copy.wait() == .exited(code: 0))
    return try File(path, .append)
  }

  @Test func `of a program that is being replaced passes, and its job runs`() throws {
    let bench = try Bench(script: Self.ends)
    let program = "\(bench.data)/bash"
    var installer: File? = try busyProgram(program)
    let job = try bench.queue()
    let dispatcher = try bench.start {
      $0.program = program
      $0.retryMilliseconds = 10
    }
    let waiting = try bench.wait(for: job) { $0.state == .queued && $0.reason == .shortage }
    #expect(waiting.message?.contains("Text file busy") == true, "\(waiting.message ?? "")")
    #expect(waiting.attempt == 0 && waiting.startedAtMilliseconds == nil, "no attempt has begun")
    withExtendedLifetime(installer) {}
    installer = nil
    #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .succeeded)
    dispatcher.stop()
  }

  @Test(arguments: [JobState.cancelled, .paused])
  func `of a program holds up neither a cancel nor a pause`(end: JobState)
    throws
  {
    let bench = try Bench(script: Self.ends)
    let program = "\(bench.data)/program"
    let installer = try busyProgram(program)
    let job = try bench.queue()
    let store = bench.store
    let dispatcher = try bench.start {
      $0.program = program
      // Asked between the claim and the start.
      $0.memoryBytes = { _ in
        if end == .cancelled {
          _ = try? store.requestCancel(job, mode: .now)
        } else {
          _ = try? store.requestPause(job)
        }
        return nil
      }
    }
    let record = try bench.wait(for: job) { $0.state == end || $0.state == .failed }
    #expect(record.state == end, "\(record.message ?? "")")
    dispatcher.stop()
    withExtendedLifetime(installer) {}
  }
}
