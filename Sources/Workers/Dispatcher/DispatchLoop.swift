import JobModel
import JobStore
import Logging
import Platform
import RunFolder

/// What the dispatcher's thread does: a look at messages, files and clock, then the next.
struct DispatchLoop {
  let configuration: DispatcherConfiguration
  let store: JobStore
  let inbox: Inbox<Dispatcher.Message>
  /// This daemon's life, so that an attempt tells under which daemon it began.
  let bootID: String
  let log = Log("dispatcher")
  private(set) var runs: [Run] = []
  private var isStopping = false
  private var nextLockLookNanoseconds: UInt64 = 0
  /// When the store, which has refused something (a full disk), is asked again; `nil`: it has refused
  /// nothing.
  private var retryAtNanoseconds: UInt64?

  init(
    _ configuration: DispatcherConfiguration, store: JobStore, inbox: Inbox<Dispatcher.Message>,
    bootID: String
  ) {
    self.configuration = configuration
    self.store = store
    self.inbox = inbox
    self.bootID = bootID
  }

  /// Works until it has been told to stop and no worker is left.
  mutating func run() {
    fillSlots()
    while !(isStopping && runs.isEmpty) {
      let messages = inbox.receive(timeoutMilliseconds: patienceMilliseconds)
      for message in messages { take(message) }
      for index in runs.indices { runs[index].killIfOverdue() }
      let isRetrying = retryAtNanoseconds != nil
      if let time = retryAtNanoseconds, SystemClock.monotonicNanoseconds < time { continue }
      retryAtNanoseconds = nil
      for index in runs.indices {
        var run = runs[index]
        follow(&run)
        runs[index] = run
      }
      settleGone()
      if !messages.isEmpty || isRetrying { passRequestsOn() }
      if (!messages.isEmpty || isRetrying) && !isStopping { fillSlots() }
    }
  }

  /// How long the thread sleeps if no message comes; `nil`: for ever.
  private var patienceMilliseconds: Int? {
    if !runs.isEmpty { return configuration.pollMilliseconds }
    return retryAtNanoseconds == nil ? nil : configuration.retryMilliseconds
  }

  /// Before anything is claimed: jobs that an earlier daemon left running are adopted if their worker is
  /// alive, and settled if it is dead.
  mutating func settleEarlierRuns() throws {
    for job in try store.activeJobs() {
      let folder = RunFolder(data: configuration.dataPath, job: job.id)
      var run = Run(
        job: job.id, attempt: job.attempt, folder: folder, watch: .adopted, offset: job.ingestOffset)
      let isAlive = try folder.isAlive()
      if !isAlive, let last = try folder.lastEvent(), case .yielded = last { run.word = .yielded }
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
  }

  private mutating func take(_ message: Dispatcher.Message) {
    switch message {
    case .look: break
    case .gone(let job, let attempt, let how):
      if let index = runs.firstIndex(where: { $0.job == job && $0.attempt == attempt }) {
        runs[index].ending = how
      }
    case .stop:
      isStopping = true
      for index in runs.indices {
        runs[index].ask(.yield)
        runs[index].expectEnd(withinMilliseconds: configuration.shutdownGraceMilliseconds)
      }
    }
  }

  /// Brings a run's new lines into the store. What the store refuses is read again later.
  private mutating func follow(_ run: inout Run) {
    do {
      while let piece = try run.readLines() {
        do {
          let outcome = try store.ingest(
            run.job, attempt: run.attempt, from: piece.start, to: piece.end, lines: piece.lines)
          note(outcome, piece.lines, in: &run)
        } catch {
          run.readAgain(from: piece.start)
          return refuse("job \(run.job): its events cannot be stored: \(error)")
        }
      }
    } catch {
      // Its events cannot be followed any more, so it must not go on unseen.
      log.error("job \(run.job): \(error)")
      run.ask(.kill)
    }
  }

  /// The store has refused something, which is tried again after a while.
  mutating func refuse(_ what: String) {
    log.error(what)
    retryAtNanoseconds =
      SystemClock.monotonicNanoseconds + UInt64(configuration.retryMilliseconds) * 1_000_000
  }

  private func note(_ outcome: IngestOutcome, _ lines: [String], in run: inout Run) {
    switch outcome {
    case .recorded(let malformed):
      if malformed > 0 { log.warning("job \(run.job): \(malformed) lines that are no events") }
      if lines.last?.hasPrefix(#"{"event":"yielded""#) == true { run.word = .yielded }
    case .ended(let state, _):
      log.info("job \(run.job): \(state.rawValue)")
      run.word = .ended
      run.expectEnd(withinMilliseconds: configuration.killGraceMilliseconds)
    case .stale:
      if run.word != .ended { run.ask(.kill) }
    }
  }

  /// Takes leave of the workers that have gone.
  private mutating func settleGone() {
    let now = SystemClock.monotonicNanoseconds
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
        inbox.send(.look)
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
      if run.word == .none, (try? run.folder.isAlive()) == true {
        run.ending = nil
        run.watch = .adopted
        return nil
      }
      return how
    }
    // A lock that cannot be tried is tried again at the next look.
    guard case .adopted = run.watch, looksAtLocks, (try? run.folder.isAlive()) == false else { return nil }
    return "is gone"
  }

  /// Settles the job of a worker that has gone.
  ///
  /// - Returns: false if the store refuses.
  private mutating func settle(_ run: Run, how: String) -> Bool {
    if run.word == .ended { return true }
    do {
      let departure: JobStore.Departure = run.word == .yielded ? .yielded : .died
      let message = departure == .died ? "its worker \(how)" : nil
      let state = try store.settle(
        run.job, attempt: run.attempt, departure, crashLimit: configuration.crashLimit, message: message)
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
          runs[index].ask(.kill)
          continue
        }
        switch (job.state, job.cancelMode) {
        case (.cancelling, .now):
          runs[index].ask(.stop, graceMilliseconds: configuration.killGraceMilliseconds)
        case (.cancelling, _): runs[index].ask(.finishStep)
        case (.pausing, _): runs[index].ask(.yield)
        default: break
        }
      } catch {
        return refuse("job \(runs[index].job): it cannot be read: \(error)")
      }
    }
  }

  /// Claims jobs for the slots that are free.
  private mutating func fillSlots() {
    do {
      while runs.count < configuration.workers, let job = try store.claimNext(bootID: bootID) {
        if let run = launch(job) { runs.append(run) }
      }
    } catch {
      refuse("the queue cannot be read: \(error)")
    }
  }
}
