import Platform
import Testing

@Suite(.serialized) struct `Upkeep beside a running daemon` {
  private func run(_ daemon: Daemon, _ arguments: [String]) throws -> (ChildProcess.Ending, String) {
    let log = "\(daemon.data)/upkeep-\(UInt64.random(in: 0 ... .max)).txt"
    let ending = try ChildProcess(try Daemon.program(), arguments, logPath: log).wait()
    return (ending, try Faults.text(of: log))
  }

  @Test func `the database is copied, and another daemon goes on from the copy`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    let other = try Daemon()
    let (ending, text) = try run(daemon, ["backup", "\(other.data)/copy.sqlite", "--data", daemon.data])
    #expect(ending == .exited(code: 0), "\(text)")
    other.send(.terminate)
    #expect(try other.ending() == .exited(code: 0))
    for name in try FileSystem.list(other.data) where name.hasPrefix("vicregd.sqlite") {
      try FileSystem.remove("\(other.data)/\(name)")
    }
    try FileSystem.rename("\(other.data)/copy.sqlite", to: "\(other.data)/vicregd.sqlite")
    try other.start()
    #expect(try other.get("/jobs/\(job)")["state"] == "succeeded")
    #expect(try other.steps(job) == Array(1...SmallRun.steps))
  }

  @Test func `a backup replaces nothing unasked, and says in plain words what is in the way`() throws {
    let daemon = try Daemon()
    let target = "\(daemon.data)/copy.sqlite"
    func backup(_ arguments: [String]) throws -> (ChildProcess.Ending, String) {
      try run(daemon, ["backup"] + arguments + ["--data", daemon.data])
    }
    try AtomicFile.write(Array("precious".utf8), to: target)
    let refused = try backup([target])
    #expect(refused.0 == .exited(code: 1) && refused.1.contains("exists already; give --force"))
    #expect(try Faults.text(of: target) == "precious")
    let forced = try backup(["--force", target])
    #expect(forced.0 == .exited(code: 0), "\(forced.1)")
    #expect(try File(target, .read).read(at: 0, countMax: 6) == Array("SQLite".utf8))
    for (path, words) in [
      ("/no/such/folder/copy", "there is no folder /no/such/folder"), (daemon.data, "it is a folder"),
      ("\(daemon.data)/vicregd.sqlite", "it is the database itself"),
      ("\(daemon.data)/./vicregd.sqlite-wal", "it is the database itself"),
    ] {
      let (ending, text) = try backup([path, "--force"])
      #expect(ending == .exited(code: 1) && text.contains(words), "\(text)")
      #expect(text.split(separator: "\n").count == 1 && !text.contains("VACUUM"), "\(text)")
    }
    #expect(try run(daemon, ["backup", target, "--data", "/no/data"]).1.contains("there is no database"))
    #expect(try FileSystem.list(daemon.data).allSatisfy { !$0.hasSuffix(".unfinished") })
  }

  @Test func `the log of a long run is begun anew, and the one before is kept`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job(epochs: 100_000))
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    let folder = "\(daemon.data)/runs/\(job)"
    // As if so much had been written by now; the worker appends behind it.
    let longBytes = 17 << 20
    try File("\(folder)/log.txt", .readWrite).truncate(to: longBytes)
    try eventually { FileSystem.exists("\(folder)/log.1.txt") ? true : nil }
    #expect(try FileSystem.size("\(folder)/log.1.txt") >= longBytes)
    #expect(try FileSystem.size("\(folder)/log.txt") < 1 << 20)
    _ = try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"now"}"#)
    #expect(try daemon.finishedJob(job)["state"] == "cancelled")
    // The new log is written on, and is the one that is shown.
    #expect(try daemon.request("GET", "/jobs/\(job)/log?tail=1").text.contains("cancelled"))
  }

  @Test func `a damaged checkpoint is found`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.check() == .exited(code: 0))
    let folder = "\(daemon.data)/runs/\(job)/checkpoints"
    let name = try #require(try FileSystem.list(folder).last { $0.hasSuffix(".gz") })
    var bytes = try File("\(folder)/\(name)", .read).readAll()
    bytes[bytes.count / 2] ^= 1
    try AtomicFile.write(bytes, to: "\(folder)/\(name)")
    let (ending, text) = try run(daemon, ["check", "--data", daemon.data])
    #expect(ending == .exited(code: 1))
    #expect(text.contains(name) && text.contains("damaged: 1"), "\(text)")
    // An artifact that was cut off, and one whose file is missing.
    let artifacts = "\(daemon.data)/runs/\(job)/artifacts"
    let views = try File("\(artifacts)/views.png", .read).readAll()
    try AtomicFile.write(Array(views.dropLast()), to: "\(artifacts)/views.png")
    try FileSystem.remove("\(folder)/\(name)")
    let (_, more) = try run(daemon, ["check", "--data", daemon.data])
    #expect(more.contains("views.png.manifest") && more.contains("damaged: 2"), "\(more)")
  }
}
