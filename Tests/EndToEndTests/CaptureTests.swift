import JSONText
import Platform
import Testing

/// A training whose first steps are not finite, through the whole program.
@Suite(.serialized) struct `A step that is not finite` {
  private static func job(rollbacks: Int = 0) -> JSON {
    guard var members = SmallRun.lightJob().object, var spec = members["spec"]?.object else { return .null }
    spec["optimizer"] = ["name": "sgd", "lr": 1000, "momentum": 0]
    spec["schedule"] = ["name": "constant", "warmup_epochs": 0]
    if rollbacks > 0 {
      spec["checkpoint"] = ["every_epochs": 2, "keep_last": 1, "initial": true]
      spec["divergence"] = ["policy": "rollback", "lr_factor": 0.5, "max_rollbacks": .integer(rollbacks)]
    }
    members["spec"] = .object(spec)
    return .object(members)
  }

  private func captures(_ folder: String) throws -> [String] {
    FileSystem.isDirectory("\(folder)/captures") ? try FileSystem.list("\(folder)/captures") : []
  }

  private func warnings(_ job: String, _ daemon: Daemon) throws -> [String] {
    try daemon.request("GET", "/jobs/\(job)/metrics").events.filter { $0["event"] == "warning" }.compactMap {
      $0["message"]?.string?.string
    }
  }

  private func replay(_ arguments: [String]) throws -> (ending: ChildProcess.Ending, text: String) {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-replay-\(UInt64.random(in: 0 ... .max))"
    let ending = try ChildProcess(try Daemon.program(), ["replay"] + arguments, logPath: path).wait()
    let text = try Faults.text(of: path)
    try FileSystem.remove(path)
    return (ending, text)
  }

  @Test func `is kept, named in a warning, and repeated by vicregd replay`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(Self.job(rollbacks: 2))
    let folder = "\(daemon.data)/runs/\(job)"
    let record = try daemon.finishedJob(job)
    #expect(record["reason"] == "diverged", "\(record.text)")
    #expect(record["message"]?.string?.string.contains("vicregd replay \(folder)") == true, "\(record.text)")
    let name = try #require(captures(folder).first)
    #expect(try captures(folder).count == 1, "the first of three")
    #expect(try warnings(job, daemon).filter { $0.contains("is kept in captures/\(name)") }.count == 1)
    #expect(try FileSystem.permissions("\(folder)/captures/\(name)") & 0o077 == 0)
    let people = try replay([folder, "--threads", "1"])
    #expect(people.ending == .exited(code: 0), "\(people.text)")
    let verdict = "\nreproduced: all figures and gradients have the same bits\n"
    #expect(people.text.contains(verdict), "\(people.text)")
    #expect(people.text.contains("first value that is not finite: "), "\(people.text)")
    let json = try replay([folder, "--json"])
    #expect(json.ending == .exited(code: 0), "\(json.text)")
    #expect(try JSON.parse(json.text)["reproduced"] == true)
    try File("\(folder)/captures/\(name)", .readWrite).truncate(to: 1_000)
    let damaged = try replay([folder])
    #expect(damaged.ending == .exited(code: 1))
    #expect(damaged.text.split(separator: "\n").count == 1, "\(damaged.text)")
    let answer = try daemon.request("DELETE", "/jobs/\(job)")
    #expect((200...204).contains(answer.status), "\(answer.status) \(answer.text)")
    try eventually { FileSystem.exists(folder) ? nil : true }
  }

  @Test func `that cannot be written costs a warning and nothing else`() throws {
    let daemon = try Daemon(
      faults: (
        "work", ["POINT": "write:step-#.safetensors.gz.tmp-#:*", "ACTION": "enospc", "ONCE": ""]
      ))
    let job = try daemon.queue(Self.job())
    let record = try daemon.finishedJob(job)
    #expect(record["reason"] == "diverged", "\(record.text)")
    #expect(try warnings(job, daemon).contains { $0.contains("cannot be kept for a replay") })
    #expect(try captures("\(daemon.data)/runs/\(job)").isEmpty)
  }
}
