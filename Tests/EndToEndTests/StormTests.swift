import Platform
import Support
import Testing

/// `Scripts/prove.sh storm` kills two hundred times; a test run a few times.
@Suite(.serialized) struct `A storm of kills` {
  private static let kills = Environment.all["PROOF_KILLS"].flatMap { Int($0) } ?? 8
  private static let seed = Environment.all["PROOF_SEED"].flatMap { UInt64($0) } ?? 1
  private static let seeds = 3
  private static let unfinishedJobs = 3

  /// What was killed.
  private struct Kills {
    /// With the daemon all its workers, or none: those live on and are adopted.
    var daemons = 0
    var daemonsAlone = 0
    var workers = 0
    var total: Int { daemons + workers }
  }

  @Test func `loses nothing, doubles nothing, and every run ends in the same bits`() throws {
    var dice = Dice(seed: Self.seed)
    let daemon = try Daemon(arguments: [
      "--workers", "2", "--threads-per-worker", "1", "--crash-limit", "1000",
    ])
    var history = History()
    let digests = try undisturbed(daemon, &history)
    var kills = Kills()
    var doomed: Set<String> = []
    while kills.total < Self.kills {
      try act(daemon, &history, &doomed, &dice)
      // Long enough for most attempts to come to a checkpoint, short enough for most to be disturbed.
      SystemClock.sleep(milliseconds: Int.random(in: 20...1_200, using: &dice))
      try strike(daemon, &kills, &dice)
    }
    try settle(daemon, history)
    let compared = try history.check(daemon, digests: digests)
    #expect(2 * compared > history.jobs.count, "most jobs run to their end")
    #expect(try daemon.check() == .exited(code: 0))
    print(
      "storm: \(kills.total) kills (\(kills.workers) workers; \(kills.daemons) daemons, "
        + "\(kills.daemonsAlone) of them without their workers), \(history.jobs.count) jobs, "
        + "\(history.cancelled.count) cancels, \(compared) last checkpoints equal to the undisturbed ones")
  }

  /// Trains once with each seed while nothing happens.
  private func undisturbed(_ daemon: Daemon, _ history: inout History) throws -> [Int: String] {
    var digests: [Int: String] = [:]
    for seed in 0..<Self.seeds {
      let job = try daemon.queue(SmallRun.job(seed: seed))
      history.jobs[job] = seed
      #expect(try daemon.finishedJob(job)["state"] == "succeeded")
      digests[seed] = try daemon.lastDigest(job)
    }
    return digests
  }

  /// What users do: queue so that there is always something to run, pause, resume, cancel, look.
  ///
  /// - Parameter doomed: one job in eight, which is cancelled at some moment.
  private func act(
    _ daemon: Daemon, _ history: inout History, _ doomed: inout Set<String>, _ dice: inout Dice
  ) throws {
    let unfinished =
      try daemon.get("/jobs?state=queued,running,pausing,paused,cancelling&limit=500")["jobs"]?
      .array ?? []
    if unfinished.count < Self.unfinishedJobs {
      let seed = Int.random(in: 0..<Self.seeds, using: &dice)
      let job = try daemon.queue(SmallRun.job(seed: seed))
      history.jobs[job] = seed
      if dice.oneIn(8) { doomed.insert(job) }
    }
    guard let job = unfinished.randomElement(using: &dice)?["id"]?.string?.string else { return }
    switch Int.random(in: 0..<20, using: &dice) {
    case 0...9 where doomed.contains(job):
      let mode = Bool.random(using: &dice) ? "graceful" : "now"
      let answer = try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"\#(mode)"}"#)
      if answer.status == 202 { history.cancelled.insert(job) }
    case 10...11: _ = try daemon.request("POST", "/jobs/\(job)/pause")
    case 12...19: try resumeAll(daemon)
    default: break
    }
  }

  private func resumeAll(_ daemon: Daemon) throws {
    for job in try daemon.get("/jobs?state=paused,pausing&limit=500")["jobs"]?.array ?? [] {
      _ = try daemon.request("POST", "/jobs/\(try #require(job["id"]?.string))/resume")
    }
  }

  /// Kills the daemon, with its workers or without, or a worker.
  private func strike(_ daemon: Daemon, _ kills: inout Kills, _ dice: inout Dice) throws {
    let workers = try daemon.liveWorkers()
    if Bool.random(using: &dice) {
      guard let job = workers.randomElement(using: &dice) else { return }
      kills.workers += try daemon.killWorker(of: job) ? 1 : 0
      return
    }
    try daemon.kill()
    kills.daemons += 1
    if Bool.random(using: &dice) {
      for job in workers { kills.workers += try daemon.killWorker(of: job) ? 1 : 0 }
    } else {
      kills.daemonsAlone += 1
    }
    SystemClock.sleep(milliseconds: Int.random(in: 0...100, using: &dice))
    try daemon.start()
  }

  private func settle(_ daemon: Daemon, _ history: History) throws {
    try eventually(seconds: 300) {
      try resumeAll(daemon)
      let path = "/jobs?state=blocked,queued,running,pausing,paused,cancelling"
      return try daemon.get(path)["jobs"] == [] ? true : nil
    }
  }
}
