import Dispatcher
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import SQLite
import SweepRunner

/// A daemon's store and dispatcher in a world that a seed determines: users, workers, deaths, full disks and
/// clocks that jump, one operation after the other.
final class Simulation {
  let world: World
  private let folder: String
  private let migrations: [Migration]
  private(set) var store: JobStore
  private var loop: DispatchLoop?
  var sweeps: SweepLoop?
  var oracle = Oracle()
  private var sweepOracle = SweepOracle()
  private let saboteur: Connection
  private(set) var isStoreBroken = false
  private var boots = 0
  let inbox = MessageBox()
  private(set) var counts: [String: Int] = [:]

  private static let workers = 3
  private static let jobsMax = 40

  /// What the dispatcher has been told and has not read.
  final class MessageBox: @unchecked Sendable {
    var boot = 0
    var messages: [DispatchLoop.Message] = []
  }

  init(seed: UInt64) throws {
    let world = World(seed: seed)
    self.world = world
    let memory = FileSystem.isDirectory("/dev/shm") ? "/dev/shm" : FileSystem.temporaryDirectory
    folder = "\(memory)/vicregd-simulation-\(ProcessID.own)-\(seed)"
    try FileSystem.removeTree(folder)
    try FileSystem.makeDirectories(folder)
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    migrations = try JobStore.migrations(in: "/\(root)/migrations")
    store = try JobStore(path: "\(folder)/jobs.sqlite", migrations: migrations) { world.wallMilliseconds }
    saboteur = try Connection(path: "\(folder)/jobs.sqlite", access: .write)
    world.onDeath = { [unowned self] in breakStore() }
    world.onLaunch = { [unowned self] in oracle.launch($0) }
    try boot()
  }

  deinit {
    // A folder that stays behind harms nobody.
    try? FileSystem.removeTree(folder)
  }

  /// Does so many operations, looks at the invariants now and then, lets everything come to rest, and looks
  /// again.
  func run(operations: Int, checkEvery interval: Int) throws {
    for operation in 1...operations {
      try step()
      if operation % interval == 0 { try check() }
    }
    try rest()
  }

  private func check() throws {
    try oracle.check(store, workers: Self.workers)
    try sweepOracle.check(store, knownSweeps())
  }

  private func step() throws {
    world.monotonicNanoseconds += UInt64.random(in: 1...20_000_000, using: &world.dice)
    switch Int.random(in: 0..<1000, using: &world.dice) {
    case 0..<350: count("look") { turn() }
    case 350..<400: try count("look at sweeps") { try lookAtSweeps() }
    case 400..<800: count("work") { advanceWorker() }
    case 800..<840: try count("queue") { try enqueue() }
    case 840..<850: try count("begin a sweep") { try beginSweep() }
    case 850..<860: try count("ask of a sweep") { try askOfSweep() }
    case 860..<880: try count("cancel") { try cancel() }
    case 880..<900: try count("pause or resume") { try pauseOrResume() }
    case 900..<908: try count("retry") { try retry() }
    case 908..<960: try count("delete") { try delete() }
    case 960..<970: count("kill a worker") { pick(world.liveJobs).map { world.bury($0, "was killed") } }
    case 970..<973: count("hang a worker") { pick(world.liveJobs).map { world.hang($0) } }
    case 973..<978: try count("kill the daemon") { try killDaemon() }
    case 978..<980: try count("stop the daemon") { try stopDaemon() }
    case 980..<985: count("fill or free the disk") { changeSpace() }
    case 985..<990: count("set the clock") { setClock() }
    case 990..<995: count("time passes") { passTime() }
    default: count("break or repair the store") { isStoreBroken ? repairStore() : breakStore() }
    }
  }

  private func count(_ what: String, _ body: () throws -> Void) rethrows {
    counts[what, default: 0] += 1
    try body()
  }

  func pick<T>(_ list: [T]) -> T? { list.randomElement(using: &world.dice) }

  private func pickJob(_ fits: (JobState) -> Bool = { _ in true }) throws -> JobRecord? {
    pick(try store.list(limit: .max).filter { fits($0.state) })
  }

  // MARK: users, whose requests a broken store refuses

  /// What a request does, unless the store refuses it; then nothing was acknowledged.
  func request(_ body: () throws -> Void) throws {
    do {
      try body()
      inbox.messages.append(.look)
    } catch is JobStoreError {
    } catch let error as SQLiteError where isStoreBroken && error.isConstraint {}
  }

  private func enqueue() throws {
    guard oracle.jobs.count < Self.jobsMax else { return try delete() }
    let policy = JobPolicy(
      onDependencyFailure: world.dice.oneIn(2) ? .run : .cancel,
      maxDurationSeconds: world.dice.oneIn(5) ? Int.random(in: 1...4, using: &world.dice) : nil,
      maxAttempts: Int.random(in: 1...3, using: &world.dice))
    let priority = Int.random(in: 0...2, using: &world.dice) * 50
    var jobs: [NewJob] = []
    for _ in 0...Int.random(in: 0...2, using: &world.dice) {
      let others = try jobs.map(\.id) + [pickJob()?.id].compactMap(\.self)
      let needs = world.dice.oneIn(3) ? [pick(others)].compactMap(\.self) : []
      jobs.append(
        NewJob(
          id: store.newID(), labelling: JobLabelling(priority: priority),
          specification: .train(.preset(.small)), policy: policy, needs: needs))
    }
    try request { for job in try store.enqueue(jobs) { try oracle.acknowledge(job) } }
  }

  private func cancel() throws {
    guard let job = try pickJob() else { return }
    let mode: CancelMode = world.dice.oneIn(2) ? .now : .graceful
    try request {
      let answer = try store.requestCancel(job.id, mode: mode)
      oracle.acknowledgeCancel(answer)
    }
  }

  private func pauseOrResume() throws {
    guard let job = try pickJob({ !$0.isFinished }) else { return }
    try request {
      if world.dice.oneIn(2) {
        oracle.acknowledgePause(try store.requestPause(job.id))
      } else {
        _ = try store.resume(job.id)
        oracle.acknowledgeResume(job.id)
      }
    }
  }

  private func retry() throws {
    guard let job = try pickJob({ $0 == .failed || $0 == .cancelled }) else { return }
    try request {
      _ = try store.retry(job.id)
      oracle.acknowledgeRetry(job.id)
      sweepOracle.acknowledgeRetry(job)
    }
  }

  private func delete() throws {
    guard let job = try pickJob(\.isFinished) else { return }
    try request {
      try store.delete(job.id)
      oracle.acknowledgeDeletion(job.id)
      // Death between the rows and the files, now and then; the next daemon finishes it.
      if world.dice.oneIn(10) { return }
      world.remove(job.id)
      try store.finishDeletion(job.id)
    }
  }

  // MARK: the daemon

  private func turn() {
    guard loop != nil else { return }
    let messages = inbox.messages
    inbox.messages = []
    loop?.turn(messages)
  }

  private func boot() throws {
    boots += 1
    inbox.boot = boots
    inbox.messages = []
    repairStore()
    world.revive()
    store = try JobStore(path: "\(folder)/jobs.sqlite", migrations: migrations) { [world] in
      world.wallMilliseconds
    }
    for job in try store.unfinishedDeletions() {
      world.remove(job)
      try store.finishDeletion(job)
    }
    var configuration = DispatcherConfiguration(
      dataPath: folder, program: "none", arguments: [],
      placement: .fixed(workers: Self.workers, threads: 1))
    configuration.stallMilliseconds = 5_000
    configuration.reserveBytes = 1 << 20
    configuration.killGraceMilliseconds = 500
    configuration.shutdownGraceMilliseconds = 1_000
    let atWork = try attemptsAtWork()
    let (box, boot) = (inbox, boots)
    var loop = DispatchLoop(
      configuration, store: store, host: world, bootID: "boot-\(boots)"
    ) { if box.boot == boot { box.messages.append($0) } }
    while true {
      do {
        try loop.settleEarlierRuns()
        break
      } catch is SystemError {
        // The daemon does not start when a lock cannot be tried; somebody starts it again.
        loop = DispatchLoop(configuration, store: store, host: world, bootID: "boot-\(boots)") {
          if box.boot == boot { box.messages.append($0) }
        }
      }
    }
    self.loop = loop
    startSweeps()
    try oracle.checkAdoption(of: atWork, by: store)
  }

  /// The attempts whose workers hold the locks of their run folders and that the store knows to be under way.
  private func attemptsAtWork() throws -> [JobID: Int] {
    try store.activeJobs().reduce(into: [:]) { attempts, job in
      if let worker = world.workers[job.id], worker.hasBegun, worker.attempt == job.attempt {
        attempts[job.id] = job.attempt
      }
    }
  }

  /// Kills the daemon between two looks or in the middle of one; the workers go on, die, or end meanwhile.
  private func killDaemon() throws {
    if world.dice.oneIn(2) {
      world.callsToDeath = Int.random(in: 0...6, using: &world.dice)
      turn()
    }
    if !world.isDaemonDead { world.kill() }
    (loop, sweeps) = (nil, nil)
    for _ in 0..<Int.random(in: 0...30, using: &world.dice) { advanceWorker() }
    if world.dice.oneIn(4) {
      for job in world.liveJobs { world.bury(job, "was killed") }
      for job in oracle.jobs.sorted() where world.dice.oneIn(6) { try losePower(of: job) }
    }
    try boot()
  }

  /// The machine loses the end of a file that was not synced; what the store has of it is more than the file.
  private func losePower(of job: JobID) throws {
    guard let folder = world.folders[job] else { return }
    world.loseEvents(of: job, keeping: max(folder.syncedLines, folder.lines.count - 2))
  }

  private func stopDaemon() throws {
    inbox.messages.append(world.dice.oneIn(2) ? .stop : .detach)
    repairStore()
    var looks = 0
    while let running = loop, !running.isDone {
      world.monotonicNanoseconds += 100_000_000
      turn()
      advanceWorker()
      looks += 1
      if looks > 1_000 { throw Oracle.Violation(description: "the daemon does not stop") }
    }
    loop = nil
    try boot()
  }

  // MARK: the machine

  private func advanceWorker() {
    if let job = pick(world.liveJobs) { world.advance(job) }
  }

  private func changeSpace() { world.freeBytes = world.dice.oneIn(3) ? 1 << 16 : 1 << 30 }

  private func setClock() {
    world.wallOffset += Int.random(in: -100_000_000...100_000_000, using: &world.dice)
  }

  private func passTime() {
    world.monotonicNanoseconds += UInt64.random(in: 1...8_000_000_000, using: &world.dice)
  }

  /// From now on whatever is to be written is refused, as by a full disk.
  private func breakStore() {
    if isStoreBroken { return }
    isStoreBroken = true
    sabotage {
      "CREATE TRIGGER broken_\($0.0) BEFORE \($0.1) ON \($0.2) BEGIN SELECT RAISE(ABORT, 'full'); END"
    }
  }

  private func repairStore() {
    if !isStoreBroken { return }
    isStoreBroken = false
    sabotage { "DROP TRIGGER broken_\($0.0)" }
  }

  private func sabotage(_ sql: ((Int, String, String)) -> String) {
    let places = [("INSERT", "jobs"), ("UPDATE", "jobs"), ("DELETE", "jobs"), ("INSERT", "events")]
    for (index, place) in places.enumerated() {
      do {
        try saboteur.script(sql((index, place.0, place.1)))
      } catch {
        preconditionFailure("\(error)")
      }
    }
  }

  /// Nothing disturbs any more; users resume what they paused.
  private func rest() throws {
    repairStore()
    world.freeBytes = 1 << 30
    for _ in 0..<20_000 {
      try resumeSweeps()
      try lookAtSweeps()
      world.monotonicNanoseconds += 50_000_000
      for job in world.liveJobs { world.advance(job) }
      let paused = try store.list(JobFilter(states: [.paused]), limit: .max)
      for job in paused where job.reason == .userPaused { try resume(job) }
      inbox.messages.append(.look)
      turn()
      let counts = try store.counts()
      let isDone = try knownSweeps().allSatisfy(\.state.isFinished)
      if isDone, counts[.queued, default: 0] + counts[.paused, default: 0] == 0, loop?.runCount == 0 { break }
    }
    try check()
    try oracle.checkRest(store)
    try sweepOracle.checkRest(knownSweeps())
  }

  private func resume(_ job: JobRecord) throws {
    _ = try store.resume(job.id)
    oracle.acknowledgeResume(job.id)
  }
}
