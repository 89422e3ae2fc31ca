import JSONText
import Platform
import Support
import Testing

/// `Scripts/prove.sh disk-full` makes a small file system and names it here; where there is none, the tests
/// of failing writes (`FaultTests`) have to do.
@Suite(.serialized, .enabled(if: Environment.all["PROOF_DISK"] != nil, "needs a small disk: prove.sh"))
struct `On a disk that is really full` {
  private static let disk = Environment.all["PROOF_DISK"] ?? ""
  private static let rounds = Environment.all["PROOF_ROUNDS"].flatMap { Int($0) } ?? 40
  private static let seed = Environment.all["PROOF_SEED"].flatMap { UInt64($0) } ?? 1
  /// Bytes of a piece of what fills the disk.
  private static let pieceBytes = 4096

  private static var ballast: String { "\(disk)/ballast" }

  /// Fills the disk but for so many bytes, which a running daemon takes or frees meanwhile.
  private func fill(leaving bytes: Int) throws {
    let file = try File(Self.ballast, .append)
    let piece = [UInt8](repeating: 1, count: Self.pieceBytes)
    while try FileSystem.freeBytes(Self.disk) > bytes {
      do {
        try file.write(piece)
      } catch  where error.isDiskFull {
        return
      }
    }
  }

  private func free() throws { try FileSystem.remove(Self.ballast) }

  /// A job that the daemon has acknowledged; `nil`: it has said that there is no space.
  private func queue(_ daemon: Daemon) throws -> String? {
    let answer = try daemon.request("POST", "/jobs", SmallRun.lightJob().text)
    try #require(answer.status == 201 || answer.status == 507, "\(answer.status) \(answer.text)")
    return answer.status == 201 ? try #require(try JSON.parse(answer.body)["id"]?.string?.string) : nil
  }

  @Test(arguments: [0, 4])
  func `nothing that was acknowledged is lost, and all goes on when there is space`(reserveMiB: Int) throws {
    var dice = Dice(seed: Self.seed)
    try free()
    let daemon = try Daemon(
      arguments: ["--workers", "2", "--threads-per-worker", "1", "--reserve-mib", "\(reserveMiB)"],
      folder: Self.disk, lifeSeconds: 1_800)
    var history = History()
    let first = try daemon.queue(SmallRun.lightJob())
    history.jobs[first] = 0
    #expect(try daemon.finishedJob(first)["state"] == "succeeded")
    let digests = [0: try daemon.lastDigest(first)]
    var refused = 0
    for _ in 0..<Self.rounds {
      for _ in 0..<2 {
        if let job = try queue(daemon) { history.jobs[job] = 0 } else { refused += 1 }
      }
      SystemClock.sleep(milliseconds: Int.random(in: 0...400, using: &dice))
      // From nothing at all to too little for a checkpoint.
      try fill(leaving: Int.random(in: 0...3, using: &dice) * 40_000)
      if let job = try queue(daemon) { history.jobs[job] = 0 } else { refused += 1 }
      SystemClock.sleep(milliseconds: Int.random(in: 100...1_000, using: &dice))
      #expect(try daemon.get("/jobs?limit=1")["jobs"]?.array?.count == 1, "it still answers")
      try free()
      try eventually(seconds: 300) {
        let path = "/jobs?state=queued,running,pausing,paused&limit=500"
        return try (daemon.get(path)["jobs"]?.array?.count ?? 0) < 6 ? true : nil
      }
    }
    try eventually(seconds: 300) {
      try daemon.get("/jobs?state=queued,running,pausing,paused")["jobs"] == [] ? true : nil
    }
    let paused = try history.jobs.keys.reduce(0) { count, job in
      let life = try daemon.get("/jobs/\(job)/transitions")["transitions"]?.array ?? []
      return count + life.filter { $0["to"] == "paused" && $0["reason"] == "disk_full" }.count
    }
    let compared = try history.check(daemon, digests: digests)
    #expect(compared == history.jobs.count)
    #expect(refused > 0 && paused > 0, "the disk was full")
    #expect(try daemon.check() == .exited(code: 0))
    print(
      "disk full \(Self.rounds) times, reserve \(reserveMiB) MiB: \(history.jobs.count) jobs, "
        + "\(refused) refused by 507, \(paused) pauses, \(compared) last checkpoints as undisturbed")
  }
}
