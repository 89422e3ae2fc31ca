import Platform
import Testing

/// The limits of the process and of the user (issue 15, A1). `Scripts/try_shortages.py` tries every limit.
@Suite(.serialized) struct `Under limits of the system` {
  /// What `serve` says that a shell has started under a limit, and how it ended.
  private func serve(under limit: String) throws -> (ending: ChildProcess.Ending, text: String) {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-limit-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(data)
    defer { try? FileSystem.removeTree(data) }
    let script = "\(limit) && exec \"$0\" serve --port 0 --data \(data)/data"
    let child = try ChildProcess(
      "/bin/bash", ["-c", script, try Daemon.program()], logPath: "\(data)/log.txt")
    return (try child.wait(), try Faults.text(of: "\(data)/log.txt"))
  }

  @Test(arguments: [8, 12, 40, 80])
  func `the daemon does not start with too few descriptors, and says how many it needs`(limit: Int) throws {
    let (ending, text) = try serve(under: "ulimit -n \(limit)")
    #expect(ending == .exited(code: 2))
    #expect(text.split(separator: "\n").count == 1, "\(text)")
    #expect(text.contains("the limit of open files (ulimit -n) must be at least"), "\(text)")
    #expect(text.contains("got \(limit)"), "\(text)")
  }

  @Test func `more idle connections than there are descriptors keep no job from running`() throws {
    let daemon = try Daemon(prefix: ["/bin/bash", "-c", "ulimit -n 160 && exec \"$@\"", "limited"])
    let idle = try (0..<200).map { _ in try Socket.connect(host: "127.0.0.1", port: daemon.port) }
    let job = try daemon.queue(SmallRun.lightJob(maxSteps: 1))
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.request("GET", "/readyz").status == 200)
    withExtendedLifetime(idle) {}
  }
}
