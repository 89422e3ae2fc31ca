import JobModel
import JobStore
import Logging
import Platform
import RunFolder

/// What the dispatcher's thread does: a look at messages, files and clock, then the next.
///
/// Everything outside it is behind `host` and `store`, so that a simulation can have it live through
/// anything.
package struct DispatchLoop {
  /// What others have to tell.
  package enum Message: Sendable {
    /// Something in the store has changed: a new job, a request.
    case look
    /// A child has been reaped.
    case gone(JobID, attempt: Int, how: WorkerEnding)
    /// Every worker is to write a checkpoint and leave.
    case stop
    /// The workers go on without this daemon.
    case detach
  }

  let configuration: DispatcherConfiguration
  let store: JobStore
  let host: any WorkerHost
  /// Where the reaped children are told to.
  let report: @Sendable (Message) -> Void
  /// This daemon's life, so that an attempt tells under which daemon it began.
  let bootID: String
  let log = Log("dispatcher")
  private(set) var runs: [Run] = []
  private var isStopping = false
  private var isDetaching = false
  private var nextSlowLookNanoseconds: UInt64 = 0
  private var nextLockLookNanoseconds: UInt64 = 0
  /// When the store, which has refused something (a full disk), is asked again; `nil`: it has refused
  /// nothing.
  private var retryAtNanoseconds: UInt64?
  /// When a queued job may be tried that may not be tried yet, or space is looked for again.
  private var wakeAtNanoseconds: UInt64?

  package init(
    _ configuration: DispatcherConfiguration, store: JobStore, host: any WorkerHost, bootID: String,
    report: @escaping @Sendable (Message) -> Void
  ) {
    self.configuration = configuration
    self.store = store
    self.host = host
    self.bootID = bootID
    self.report = report
  }

  /// Whether it has been told to stop and no worker is left, or to leave the workers alone.
  package var isDone: Bool { isDetaching || (isStopping && runs.isEmpty) }

  /// Workers that have not been seen to go.
  package var runCount: Int { runs.count }

  /// How long the thread may sleep if no message comes; `nil`: for ever.
  package var patienceMilliseconds: Int? {
    if !runs.isEmpty { return configuration.pollMilliseconds }
    let times = [retryAtNanoseconds, wakeAtNanoseconds].compactMap(\.self)
    guard let time = times.min() else { return nil }
    let now = host.monotonicNanoseconds
    return time <= now ? 0 : Int((time - now) / 1_000_000) + 1
  }

  /// Before anything is claimed: jobs that an earlier daemon left running are adopted if their worker is
  /// alive, and settled if it is dead.
  package mutating func settleEarlierRuns() throws {
    for job in try store.activeJobs() {
      var run = adopt(job)
      let isAlive = try host.isAlive(job.id)
      run.wasStarted = host.preparedAttempt(of: job.id) == job.attempt
      if !isAlive, run.wasStarted, case .yielded(_, let reason) = try host.lastEvent(of: job.id) {
        run.word = .yielded(reason ?? .yielded)
      }
      follow(&run)
      if isAlive, run.word != .ended {
        guard try store.adopt(job.id, attempt: job.attempt, bootID: bootID) else { continue }
        log.info("job \(job.id): its worker is alive and goes on")
        runs.append(run)
      } else if !settle(run, how: "was gone when the daemon started") {
        runs.append(run)
      }
    }
    passRequestsOn()
    fillSlots()
  }

  /// One look: takes messages, follows the workers, settles those that have gone, starts others.
  package mutating func turn(_ messages: [Message]) {
    for message in messages { take(message) }
    let now = host.monotonicNanoseconds
    for index in runs.indices { runs[index].killIfOverdue(host) }
    let isRetrying = retryAtNanoseconds != nil
    if let time = retryAtNanoseconds, now < time { return }
    retryAtNanoseconds = nil
    for index in runs.indices {
      var run = runs[index]
      follow(&run)
      runs[index] = run
    }
    settleGone()
    let isSlowLook = now >= nextSlowLookNanoseconds
    if isSlowLook {
      nextSlowLookNanoseconds = now + UInt64(configuration.slowLookMilliseconds) * 1_000_000
      lookAtSpace()
      lookAtTimes(now)
    }
    let isDue = wakeAtNanoseconds.map { now >= $0 } ?? false
    if !messages.isEmpty || isRetrying || isSlowLook { passRequestsOn() }
    if (!messages.isEmpty || isRetrying || isDue) && !isStopping { fillSlots() }
  }

  private mutating func take(_ message: Message) {
    switch message {
    case .look: break
    case .gone(let job, let attempt, let how):
      if let index = runs.firstIndex(where: { $0.job == job && $0.attempt == attempt }) {
        runs[index].ending = how.text
        if how.isDiskFull && runs[index].word == .none { runs[index].word = .yielded(.diskFull) }
      }
    case .stop:
      isStopping = true
      for index in runs.indices {
        runs[index].ask(.yield, by: host)
        runs[index].expectEnd(withinMilliseconds: configuration.shutdownGraceMilliseconds, host)
      }
    case .detach: isDetaching = true
    }
  }

  /// The store has refused something, which is tried again after a while.
  mutating func refuse(_ what: String) {
    log.error(what)
    retryAtNanoseconds =
      host.monotonicNanoseconds + UInt64(configuration.retryMilliseconds) * 1_000_000
  }

  /// Takes leave of the workers that have gone.
  private mutating func settleGone() {
    let now = host.monotonicNanoseconds
    let looksAtLocks = now >= nextLockLookNanoseconds
    if looksAtLocks {
      nextLockLookNanoseconds = now + UInt64(configuration.lockPollMilliseconds) * 1_000_000
    }
    var left: [Run] = []
    for var run in runs {
      guard let how = ending(of: &run, looksAtLocks: looksAtLocks) else {
        left.append(run)
        continue
      }
      if retryAtNanoseconds == nil { follow(&run) }
      // A daemon that is to stop leaves what the store refuses to the next one.
      if (retryAtNanoseconds == nil && settle(run, how: how)) || isStopping {
        report(.look)
      } else {
        run.ending = how
        left.append(run)
      }
    }
    runs = left
  }

  /// How a run's worker went; `nil`: it has not.
  private func ending(of run: inout Run, looksAtLocks: Bool) -> String? {
    if let how = run.ending {
      // Our child may have found the worker of an earlier daemon, which had started but not yet taken the
      // lock when we looked: that one is the job's worker then.
      if run.word == .none, (try? host.isAlive(run.job)) == true {
        run.becomeAdopted()
        return nil
      }
      return how
    }
    // A lock that cannot be tried is tried again at the next look.
    guard run.isAdopted, looksAtLocks, (try? host.isAlive(run.job)) == false else { return nil }
    return "is gone"
  }

  /// Settles the job of a worker that has gone.
  ///
  /// - Returns: false if the store refuses.
  private mutating func settle(_ run: Run, how: String) -> Bool {
    let departure: JobStore.Departure
    switch run.word {
    case .ended: return true
    case .yielded(let reason): departure = .yielded(reason)
    case .none where !run.wasStarted: departure = .neverStarted
    case .none where run.isStalled: departure = .died(.stalled)
    case .none: departure = run.wasAskedToLeave ? .yielded : .died
    }
    var message: String?
    if case .died = departure { message = "its worker \(run.isStalled ? "gave no sign of life" : how)" }
    do {
      let state = try store.settle(
        run.job, attempt: run.attempt, departure, crashLimit: configuration.crashLimit, message: message,
        ranMilliseconds: run.ranMilliseconds(host))
      if let state { log.info("job \(run.job): its worker \(how); the job is \(state.rawValue)") }
      return true
    } catch {
      refuse("job \(run.job): it cannot be settled: \(error)")
      return false
    }
  }

  /// Tells the workers what users have asked of their jobs.
  private mutating func passRequestsOn() {
    for index in runs.indices where runs[index].word != .ended {
      do {
        guard let job = try store.job(runs[index].job) else {
          runs[index].ask(.kill, by: host)
          continue
        }
        let grace = configuration.killGraceMilliseconds
        switch (job.state, job.cancelMode) {
        case (.cancelling, .now): runs[index].ask(.stop, by: host, graceMilliseconds: grace)
        case (.cancelling, _): runs[index].ask(.finishStep, by: host)
        case (.pausing, _): runs[index].ask(.yield, by: host)
        default: break
        }
      } catch {
        return refuse("job \(runs[index].job): it cannot be read: \(error)")
      }
    }
  }

  /// Claims jobs for the slots that are free.
  private mutating func fillSlots() {
    wakeAtNanoseconds = nil
    do {
      if try isWaitingForSpace() { return }
      while runs.count < configuration.workers {
        guard let job = try store.claimNext(bootID: bootID) else {
          if let wait = try store.millisecondsToNextTry() { wake(inMilliseconds: wait) }
          return
        }
        if let run = launch(job) { runs.append(run) }
      }
    } catch {
      refuse("the queue cannot be read: \(error)")
    }
  }

  private mutating func wake(inMilliseconds milliseconds: Int) {
    wakeAtNanoseconds = host.monotonicNanoseconds + UInt64(milliseconds) * 1_000_000
  }
}

// What is looked at now and then.
extension DispatchLoop {
  /// Kills workers that give no sign of life, and ends jobs that have run for as long as they may.
  private mutating func lookAtTimes(_ now: UInt64) {
    for index in runs.indices where runs[index].word != .ended {
      let job = runs[index].job
      if let overdue = runs[index].overdueNanoseconds, now >= overdue {
        do {
          try store.endOverdue(job, attempt: runs[index].attempt)
          runs[index].overdueNanoseconds = nil
        } catch {
          return refuse("job \(job): it cannot be ended: \(error)")
        }
      }
      guard configuration.stallMilliseconds > 0 else { continue }
      let silence = runs[index].silence(host.heartbeat(of: job), now: now)
      if silence >= UInt64(configuration.stallMilliseconds) * 1_000_000, !runs[index].isStalled {
        log.warning("job \(job): its worker has given no sign of life for \(silence / 1_000_000_000) s")
        runs[index].isStalled = true
        runs[index].ask(.kill, by: host)
      }
    }
  }

  /// Whether less than the reserve is left, and a margin above it.
  private func isSpaceShort(margin: Int = 0) -> Bool {
    host.freeBytes.map { $0 < configuration.reserveBytes + margin } ?? false
  }

  /// Pauses what runs while there is still space for its checkpoints.
  private mutating func lookAtSpace() {
    if runs.isEmpty { return }
    guard isSpaceShort() else { return }
    do {
      let message = "less than \(configuration.reserveBytes >> 20) MiB of space are left"
      if try store.pauseForSpace(message: message) { log.warning("\(message): jobs are paused") }
    } catch {
      refuse("jobs cannot be paused: \(error)")
    }
  }

  /// Whether nothing may be claimed for want of space; queues what was paused once there is enough.
  private mutating func isWaitingForSpace() throws -> Bool {
    let isWaiting = try store.isWaitingForSpace()
    // What was paused goes on with some space to spare, lest it is paused again at once.
    if isSpaceShort(margin: isWaiting ? configuration.reserveBytes / 8 : 0) {
      wake(inMilliseconds: configuration.slowLookMilliseconds)
      return true
    }
    if isWaiting {
      try store.resumeForSpace()
      log.info("there is space again: jobs go on")
    }
    return false
  }
}
