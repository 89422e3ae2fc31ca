import Foundation
import Platform
import Testing

/// A data folder in which somebody has changed files while no daemon ran: it starts, answers and stops.
@Suite(.serialized) struct `When files are not what they were` {
  /// A daemon that was killed with the worker of a running job.
  private func killed() throws -> (Daemon, job: String) {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job(epochs: 10_000))
    try eventually {
      try daemon.get("/jobs/\(job)/checkpoints")["checkpoints"]?.array?.isEmpty == false ? true : nil
    }
    try daemon.kill()
    try daemon.killWorker(of: job)
    return (daemon, job)
  }

  private func date(_ path: String, _ unixSeconds: Int) {
    let time = timespec(tv_sec: unixSeconds, tv_nsec: 999_999_999)
    // A file system that does not know the time leaves nothing to test.
    _ = utimensat(AT_FDCWD, path, [time, time], 0)
  }

  private func pipe(_ path: String) throws {
    try FileSystem.removeTree(path)
    #expect(mkfifo(path, 0o600) == 0)
  }

  private func append(_ lines: [String], to path: String) throws {
    try File(path, .append).write(Array(lines.map { $0 + "\n" }.joined().utf8))
  }

  private func damage(_ kind: String, _ data: String, _ folder: String) throws {
    switch kind {
    case "lock of -5 milliseconds": try AtomicFile.write(Array("1\n1 -5\n".utf8), to: "\(folder)/lock")
    case "lock of 292 million years":
      try AtomicFile.write(Array("1\n1 9223372036854775807\n".utf8), to: "\(folder)/lock")
    case "lock from 2300": date("\(folder)/lock", 10_413_792_000)
    case "everything from 1901":
      for name in try FileSystem.list(folder) { date("\(folder)/\(name)", -2_177_452_800) }
    case "everything from 9999":
      for name in try FileSystem.list(folder) { date("\(folder)/\(name)", 253_402_300_799) }
      date("\(data)/tokens", 253_402_300_799)
    case "far steps":
      let far = #"{"event":"metric","step":9223372036854775807,"epoch":0,"loss":1}"#
      let near = #"{"event":"metric","step":-9223372036854775808,"epoch":0,"loss":1}"#
      let start = #"{"event":"started","attempt":1,"step":0,"steps":9223372036854775807,"epochs":1,"#
      try append(
        [start + #""threads":1,"isa":"a"}"#, near, far, near], to: "\(folder)/events.jsonl")
    case "manifest of three terabytes":
      let name = try #require(FileSystem.list("\(folder)/checkpoints").last { $0.hasSuffix(".json") })
      try File("\(folder)/checkpoints/\(name)", .readWrite).truncate(to: 3 << 40)
    default:
      let name = try #require(kind.split(separator: " ").last)
      try pipe("\(folder)/\(name)")
    }
  }

  @Test(arguments: [
    "lock of -5 milliseconds", "lock of 292 million years", "lock from 2300", "everything from 1901",
    "everything from 9999", "far steps", "manifest of three terabytes", "pipe for events.jsonl",
    "pipe for lock",
    "pipe for spec.json", "pipe for convolutions.json", "pipe for log.txt", "pipe for checkpoints",
  ])
  func `the daemon starts, answers and stops`(kind: String) throws {
    let (daemon, job) = try killed()
    try damage(kind, daemon.data, "\(daemon.data)/runs/\(job)")
    try daemon.start()
    for path in [
      "/jobs", "/jobs/\(job)", "/jobs/\(job)/metrics?points=4&keys=loss", "/jobs/\(job)/transitions",
      "/jobs/\(job)/log", "/jobs/\(job)/checkpoints", "/healthz",
    ] {
      let answer = try daemon.request("GET", path)
      #expect(answer.status < 500, "\(path): \(answer.status) \(answer.text)")
    }
    // The daemon goes on to take other jobs.
    _ = try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"now"}"#)
    daemon.send(.terminate)
    #expect(try daemon.ending() == .exited(code: 0))
  }

  @Test func `everything that a daemon and its workers make is their owner's alone`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    let made = try #require(FileManager.default.enumerator(atPath: daemon.data))
    var seen = 0
    for case let name as String in made {
      let path = "\(daemon.data)/\(name)"
      let permissions = try FileSystem.permissions(path)
      #expect(permissions & 0o077 == 0, "\(name) has mode \(String(permissions, radix: 8))")
      seen += 1
    }
    #expect(seen > 8)
    #expect(try FileSystem.permissions(daemon.data) == 0o700)
  }

  @Test func `a data folder that others can look into is a warning`() throws {
    let daemon = try Daemon()
    try daemon.kill()
    chmod(daemon.data, 0o755)
    try daemon.start()
    let log = try FileSystem.list(daemon.data).filter { $0.hasPrefix("daemon-") }.sorted()
    let text = try Faults.text(of: "\(daemon.data)/\(try #require(log.last))")
    #expect(text.contains("has mode 0755") && text.contains("chmod -R go= \(daemon.data)"), "\(text)")
  }

  @Test func `a stranger's lock keeps neither the daemon nor its workers from starting`() throws {
    let (daemon, job) = try killed()
    var strangers: [Int32] = []
    defer { for stranger in strangers { close(stranger) } }
    for path in ["\(daemon.data)/lock", "\(daemon.data)/runs/\(job)/lock"] {
      chmod(path, 0o644)
      let stranger = open(path, O_RDONLY)
      // The worker that was killed may have it for a moment.
      try eventually { flock(stranger, LOCK_EX | LOCK_NB) == 0 ? true : nil }
      strangers.append(stranger)
    }
    try daemon.start()
    try daemon.job(job) { $0["state"] == "running" && $0["attempt"] == 2 }
    try eventually { try daemon.liveWorkers() == [job] ? true : nil }
    _ = try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"now"}"#)
    #expect(try daemon.finishedJob(job)["state"] == "cancelled")
  }

  @Test(arguments: ["certificate", "key"])
  func `a pipe as certificate or key is an error, not a wait`(which: String) throws {
    let folder = "\(FileSystem.temporaryDirectory)/vicregd-pipe-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(folder)
    defer { try? FileSystem.removeTree(folder) }
    let (certificate, key, log) = ("\(folder)/certificate", "\(folder)/key", "\(folder)/log")
    let openssl = try ChildProcess(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", key, "-out",
        certificate,
      ],
      logPath: log)
    #expect(try openssl.wait() == .exited(code: 0))
    try pipe("\(folder)/\(which)")
    let ending = try ChildProcess(
      try Daemon.program(),
      ["serve", "--port", "0", "--data", "\(folder)/data", "--tls-cert", certificate, "--tls-key", key],
      logPath: log
    ).wait()
    #expect(ending == .exited(code: 1))
    let text = try Faults.text(of: log)
    #expect(text.contains("it is a FIFO (named pipe), must be a regular file"), "\(text)")
  }
}
