import JobStore
import Logging
import Platform
import Recipe
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
  let launches: LaunchState
  let log = Log("dispatcher")
  private(set) var runs: [Run] = []
  private var isStopping = false
  private var isDetaching = false
  private var nextSlowLookNanoseconds: UInt64 = 0
  private var nextLockLookNanoseconds: UInt64 = 0
  /// What the store has refused in a row (a full disk), and when it is asked again.
  private var storeRetry = Retry()
  /// Whether the store has refused something in this look.
  private var isRefused = false
  /// What went wrong with jobs and fails none of them.
  var troubles = Troubles()
  /// When a queued job may be tried that may not be tried yet, or space is looked for again.
  private var wakeAtNanoseconds: UInt64?

  package init(
    _ configuration: DispatcherConfiguration, store: JobStore, host: any WorkerHost, bootID: String,
    launches: LaunchState = LaunchState(), report: @escaping @Sendable (Message) -> Void
  ) {
    self.configuration = configuration
    self.store = store
    self.host = host
    self.bootID = bootID
    self.launches = launches
    self.report = report
  }

  /// Whether it has been told to stop and no worker is left, or to leave the workers alone.
  package var isDone: Bool { isDetaching || (isStopping && runs.isEmpty) }

  /// Workers that have not been seen to go.
  package var runCount: Int { runs.count }

  /// How long the thread may sleep if no message comes; `nil`: for ever.
  package var patienceMilliseconds: Int? {
    if !runs.isEmpty { return configuration.pollMilliseconds }
    let times = [storeRetry.atNanoseconds, wakeAtNanoseconds].compactMap(\.self)
    guard let time = times.min() else { return nil }
    let now = host.monotonicNanoseconds
    return time <= now ? 0 : Int((time - now) / 1_000_000) + 1
  }

  /// Before anything is claimed: jobs that an earlier daemon left running are adopted if their worker is
  /// alive, and settled if it is dead. A run folder that cannot be read does not keep the daemon from
  /// starting: its job is looked at again later.
  package mutating func settleEarlierRuns() throws {
    for job in try store.activeJobs() {
      var run = adopt(job)
      // What cannot be told now is told by a later look.
      let isAlive = (try? host.isAlive(job.id)) ?? true
      run.wasStarted = host.preparedAttempt(of: job.id) == job.attempt
      if !isAlive, run.wasStarted,
        case .yielded(_, let reason, let message)? = try? host.lastEvent(of: job.id)
      {
        run.word = .yielded(reason ?? .yielded, message: message)
      }
      let following = follow(&run)
      if isAlive, run.word != .ended {
        guard try store.adopt(job.id, attempt: job.attempt, bootID: bootID) else { continue }
        log.info("job \(job.id): its worker is alive and goes on")
        runs.append(run)
        continue
      }
      let how = "was gone when the daemon started"
      if following == .later || !settle(run, how: how) {
        run.ending = how
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
    let isRetrying = storeRetry.atNanoseconds != nil
    if storeRetry.isPausing(now: now) { return }
    isRefused = false
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
    if !isRefused { storeRetry.succeed() }
    launches.note(hasFreeSlot: hasRoom)
    launches.note(
      workers: runs.filter { $0.threads > 0 && $0.ending == nil }.map {
        RunningWorker(job: $0.job, threads: $0.threads, begunNanoseconds: $0.begunNanoseconds)
      })
  }

  private mutating func take(_ message: Message) {
    switch message {
    case .look: break
    case .gone(let job, let attempt, let how):
      if let index = runs.firstIndex(where: { $0.job == job && $0.attempt == attempt }) {
        runs[index].ending = how.text
        if let lack = how.lack, runs[index].word == .none { runs[index].word = .yielded(lack) }
      }
    case .stop:
      isStopping = true
      // What the store refused is tried once more; then it is the next daemon's.
      storeRetry.succeed()
      for index in runs.indices {
        runs[index].ask(.yield, by: host)
        runs[index].expectEnd(withinMilliseconds: configuration.shutdownGraceMilliseconds, host)
      }
    case .detach: isDetaching = true
    }
  }

  /// The store has refused something, which is tried again after a while; longer with each look that ends so.
  mutating func refuse(_ what: String) {
    if isRefused { return }
    isRefused = true
    storeRetry.fail(now: host.monotonicNanoseconds, pauseMilliseconds: configuration.retryMilliseconds)
    if storeRetry.isWorthLogging { log.error(what) }
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
      run.ending = how
      // What its worker has told last is read before its job is settled.
      let isRead = !isRefused && follow(&run) != .later
      // A daemon that is to stop leaves what the store refuses to the next one.
      if (isRead && settle(run, how: how)) || isStopping {
        report(.look)
      } else {
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
      if !run.isAdopted, run.word == .none, (try? host.isAlive(run.job)) == true {
        run.becomeAdopted()
        return nil
      }
      return how
    }
    guard run.isAdopted, looksAtLocks else { return nil }
    do {
      if try !host.isAlive(run.job) { return "is gone" }
      run.lockFailures = 0
    } catch {
      // A lock that cannot be tried is tried again at the next look, but not for ever.
      run.lockFailures += 1
      if run.lockFailures >= configuration.lockTriesMax { return "cannot be found: \(error)" }
    }
    return nil
  }

  /// Settles the job of a worker that has gone.
  ///
  /// - Returns: false if the store refuses.
  private mutating func settle(_ run: Run, how: String) -> Bool {
    let departure: JobStore.Departure
    let isUnreadable = run.following.failures >= configuration.followTriesMax
    switch run.word {
    case .ended:
      troubles.end(of: run.job)
      return true
    case .yielded(let reason, _): departure = .yielded(reason)
    case .none where isUnreadable: departure = .died(.workerError)
    case .none where !run.wasStarted: departure = .neverStarted
    case .none where run.isStalled: departure = .died(.stalled)
    case .none: departure = run.wasAskedToLeave ? .yielded : .died
    }
    var message: String?
    if case .yielded(_, let told) = run.word { message = told }
    if case .died = departure { message = "its worker \(run.isStalled ? "gave no sign of life" : how)" }
    if isUnreadable { message = run.trouble }
    var wait = backOffMilliseconds(after: run, departure)
    if case .yielded(.shortage) = departure {
      wait = max(wait, configuration.retryMilliseconds)
      let text = message ?? "its worker \(how): the machine is short of descriptors, threads or memory"
      message = text
      noteShortage(of: run.job, text, retryMilliseconds: wait)
    }
    if wait > 0, message == nil {
      message = "its worker \(how) without getting on; it is started again after \(wait) ms"
    }
    do {
      let state = try store.settle(
        run.job, attempt: run.attempt, departure, crashLimit: configuration.crashLimit, message: message,
        ranMilliseconds: run.ranMilliseconds(host), backOffMilliseconds: wait)
      if let state { log.info("job \(run.job): its worker \(how); the job is \(state.rawValue)") }
      return true
    } catch {
      refuse("job \(run.job): it cannot be settled: \(error)")
      return false
    }
  }

  /// How long a job waits whose worker has left by itself, or was never started: longer each time in a row
  /// that an attempt has brought nothing.
  private mutating func backOffMilliseconds(after run: Run, _ departure: JobStore.Departure) -> Int {
    // The store counts the dead.
    if case .died = departure { return 0 }
    let isHealthy = run.hasProgressed || run.ranMilliseconds(host) >= configuration.healthyMilliseconds
    if isHealthy || run.wasAskedToLeave || isStopping {
      troubles.end(of: run.job)
      return 0
    }
    return troubles.backOffMilliseconds(afterAnotherOf: run.job)
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
      for _ in 0..<configuration.claimsPerLook where hasRoom {
        guard let job = try store.claimNext(bootID: bootID) else {
          if let wait = try store.millisecondsToNextTry() { wake(inMilliseconds: wait) }
          return
        }
        if let run = launch(job) { runs.append(run) }
      }
      // Jobs that could not be started were many: messages are read before the next ones are claimed.
      if hasRoom { wake(inMilliseconds: 0) }
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
