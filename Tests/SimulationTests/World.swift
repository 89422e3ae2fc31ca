import Dispatcher
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Support

/// The machine of a simulation: clocks, disk, run folders and worker processes, all in memory, and everything
/// that can happen to them.
///
/// `@unchecked Sendable`: a simulation has one thread.
final class World: WorkerHost, @unchecked Sendable {
  /// A worker process that is alive.
  final class Worker {
    let attempt: Int
    /// Steps done.
    var step: Int
    /// Whether it holds the lock of its run folder and has told that it started.
    var hasBegun = false
    /// It does nothing any more and hears nothing but a kill.
    var isHung = false
    var signals: Set<Signal> = []
    let bornNanoseconds: UInt64
    let whenGone: (WorkerEnding) -> Void

    init(attempt: Int, step: Int, bornNanoseconds: UInt64, whenGone: @escaping (WorkerEnding) -> Void) {
      self.attempt = attempt
      self.bornNanoseconds = bornNanoseconds
      self.step = step
      self.whenGone = whenGone
    }
  }

  /// What is on the disk for a job.
  struct Folder {
    var preparedAttempt: Int?
    var lines: [String] = []
    /// Byte behind each line.
    var ends: [Int] = []
    /// Steps of the newest checkpoint.
    var checkpoint = 0
    /// Lines that no loss of power takes: a worker syncs what it has told before it makes a checkpoint.
    var syncedLines = 0
    var beats = 0

    mutating func keepCheckpoint(_ steps: Int) {
      syncedLines = lines.count
      checkpoint = steps
    }

    mutating func append(_ line: String) {
      lines.append(line)
      ends.append((ends.last ?? 0) + line.utf8.count + 1)
    }
  }

  var dice: Dice
  var monotonicNanoseconds: UInt64 = 1_000_000_000
  /// Milliseconds that the wall clock is off.
  var wallOffset = 1_790_000_000_000
  var freeBytes: Int? = 1 << 30
  let availableMemoryBytes: Int? = nil
  let launchShortage: SystemError? = nil
  private(set) var folders: [JobID: Folder] = [:]
  private(set) var workers: [JobID: Worker] = [:]
  /// Whether the daemon has been killed in the middle of what it does: nothing that it does has an effect.
  private(set) var isDaemonDead = false
  /// Kills the daemon after so many calls; `nil`: not planned.
  var callsToDeath: Int?
  /// Makes the store refuse whatever a dead daemon still tries.
  var onDeath: () -> Void = {}
  /// Told of each start: a job must be one that may run.
  var onLaunch: (JobRecord) -> Void = { _ in }

  static let steps = 12
  static let stepsPerCheckpoint = 4

  init(seed: UInt64) { dice = Dice(seed: seed) }

  var wallMilliseconds: Int { wallOffset + Int(monotonicNanoseconds / 1_000_000) }

  var liveJobs: [JobID] { workers.keys.sorted() }

  /// A new daemon begins to live.
  func revive() {
    isDaemonDead = false
    callsToDeath = nil
  }

  func kill() {
    isDaemonDead = true
    onDeath()
  }

  private func countCall() {
    guard let calls = callsToDeath, !isDaemonDead else { return }
    callsToDeath = calls - 1
    if calls <= 0 { kill() }
  }

  // MARK: what the dispatcher sees

  func launch(
    _ job: JobRecord, threads: Int, whenGone: @escaping @Sendable (WorkerEnding) -> Void
  ) throws {
    countCall()
    if isDaemonDead { return }
    onLaunch(job)
    if dice.oneIn(200) { throw SystemError(operation: "start", subject: "a worker", errno: 11) }
    if dice.oneIn(300) { throw SystemError(operation: "write", subject: "spec.json", errno: 28) }
    if dice.oneIn(300) { throw LaunchError(reason: .badInput, message: "its checkpoint is gone") }
    folders[job.id, default: Folder()].preparedAttempt = job.attempt
    countCall()
    if isDaemonDead { return }
    if let old = workers[job.id] {
      // The worker of an earlier daemon, which may not have taken the lock yet: the second to come leaves.
      if !old.hasBegun && dice.oneIn(2) {
        bury(job.id, "exited with code 2")
      } else {
        if !old.hasBegun { advance(job.id) }
        return whenGone(WorkerEnding("exited with code 2"))
      }
    }
    let step = folders[job.id]?.checkpoint ?? 0
    workers[job.id] = Worker(
      attempt: job.attempt, step: step, bornNanoseconds: monotonicNanoseconds, whenGone: whenGone)
    countCall()
  }

  func send(_ signal: Signal, to job: JobID, attempt: Int) {
    countCall()
    guard !isDaemonDead, let worker = workers[job] else { return }
    if signal == .kill { bury(job, "was killed by signal 9") } else { worker.signals.insert(signal) }
  }

  func isAlive(_ job: JobID) throws -> Bool {
    countCall()
    if dice.oneIn(500) { throw SystemError(operation: "lock", subject: "lock", errno: 5) }
    return workers[job]?.hasBegun ?? false
  }

  func preparedAttempt(of job: JobID) -> Int? { folders[job]?.preparedAttempt }

  func preparedThreads(of job: JobID) -> Int? { folders[job]?.preparedAttempt.map { _ in 1 } }

  func lines(of job: JobID, from offset: Int) throws -> (end: Int, lines: [String])? {
    countCall()
    guard let folder = folders[job] else { return nil }
    let last = folder.ends.last ?? 0
    if last < offset { throw ShortenedError(end: last) }
    if last == offset { return nil }
    guard let before = offset == 0 ? -1 : folder.ends.firstIndex(of: offset) else {
      preconditionFailure("events are read from the middle of a line")
    }
    let first = before + 1
    // A look may come between two lines.
    let end = first + Int.random(in: 1...(folder.lines.count - first), using: &dice)
    return (folder.ends[end - 1], Array(folder.lines[first..<end]))
  }

  func lastEvent(of job: JobID) throws -> WorkerEvent? {
    try folders[job]?.lines.last.flatMap { WorkerEvent(json: try JSON.parse($0)) }
  }

  func ranMilliseconds(of job: JobRecord) -> Int? {
    workers[job.id].map { Int((monotonicNanoseconds - $0.bornNanoseconds) / 1_000_000) }
  }

  func heartbeat(of job: JobID) -> FileTime? {
    folders[job].map { FileTime(unixSeconds: $0.beats, nanoseconds: 0) }
  }

  // MARK: what happens to it

  /// A worker does the next thing that it would do.
  func advance(_ job: JobID) {
    guard let worker = workers[job], !worker.isHung else { return }
    folders[job]?.beats += 1
    if !worker.hasBegun {
      worker.hasBegun = true
      worker.step = folders[job]?.checkpoint ?? 0
      say(
        job,
        .started(
          RunStart(
            attempt: worker.attempt, step: worker.step, steps: Self.steps, epochs: 3,
            host: JobHost(threads: 1, isa: "none"))))
      return
    }
    if hear(job, worker) { return }
    if dice.oneIn(400) { return end(job, RunEnd(state: .failed, reason: .workerError, message: "a fault")) }
    if dice.oneIn(600) { return end(job, RunEnd(state: .failed, reason: .diverged, message: "no number")) }
    if dice.oneIn(600) {
      say(job, .yielded(step: folders[job]?.checkpoint ?? 0, reason: .diskFull))
      return bury(job, "exited with code 0")
    }
    if worker.step < Self.steps {
      worker.step += 1
      say(job, .metric(MetricLine(step: worker.step, epoch: 0, values: [.init("loss", 1)])))
      if worker.step % Self.stepsPerCheckpoint == 0 { saveCheckpoint(job, worker) }
    } else {
      end(job, RunEnd(state: .succeeded))
    }
  }

  /// Whether the worker has heard a signal and left.
  private func hear(_ job: JobID, _ worker: Worker) -> Bool {
    if worker.signals.contains(.interrupt) {
      end(job, RunEnd(state: .cancelled, reason: .userCancelled))
    } else if worker.signals.contains(.user1) {
      saveCheckpoint(job, worker)
      end(job, RunEnd(state: .cancelled, reason: .userCancelled))
    } else if worker.signals.contains(.terminate) {
      saveCheckpoint(job, worker)
      say(job, .yielded(step: worker.step))
      bury(job, "exited with code 0")
    } else {
      return false
    }
    return true
  }

  private func saveCheckpoint(_ job: JobID, _ worker: Worker) {
    guard worker.step > folders[job]?.checkpoint ?? 0 else { return }
    folders[job]?.keepCheckpoint(worker.step)
    // Death between the checkpoint and the line that tells of it.
    if dice.oneIn(100) { return bury(job, "was killed by signal 9") }
    let name = CheckpointFolder.name(step: worker.step)
    let digest = String(repeating: "0", count: 64)
    say(
      job, .checkpoint(CheckpointManifest(name: name, step: worker.step, epoch: 0, bytes: 1, sha256: digest)))
  }

  private func end(_ job: JobID, _ end: RunEnd) {
    say(job, .end(end))
    bury(job, "exited with code 0")
  }

  private func say(_ job: JobID, _ event: WorkerEvent) {
    // A worker that was killed while it wrote a checkpoint says nothing more.
    if workers[job] != nil { folders[job]?.append(event.line(time: "T")) }
  }

  /// A worker is gone.
  func bury(_ job: JobID, _ how: String) {
    let isDiskFull = dice.oneIn(50)
    workers.removeValue(forKey: job)?.whenGone(WorkerEnding(how, lack: isDiskFull ? .diskFull : nil))
  }

  func hang(_ job: JobID) {
    if let worker = workers[job], worker.hasBegun { worker.isHung = true }
  }

  /// The files of a deleted job go.
  func remove(_ job: JobID) { folders[job] = nil }

  /// Bytes of a job's events that the machine has not lost.
  func loseEvents(of job: JobID, keeping count: Int) {
    guard var folder = folders[job], workers[job] == nil, folder.lines.count > count else { return }
    folder.lines.removeLast(folder.lines.count - count)
    folder.ends.removeLast(folder.ends.count - count)
    folders[job] = folder
  }
}
