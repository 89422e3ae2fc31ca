import JobModel
import JobStore
import Platform
import Recipe
import RunFolder

extension DispatchLoop {
  /// Starts the worker of a job that has been claimed; `nil` if the job had to be failed instead.
  mutating func launch(_ job: JobRecord) -> Run? {
    let now = host.monotonicNanoseconds
    var run = Run(
      job: job.id, attempt: job.attempt, isAdopted: false, offset: job.ingestOffset, begunNanoseconds: now,
      nowNanoseconds: now)
    run.overdueNanoseconds = overdue(job, ranMilliseconds: job.ranMilliseconds)
    // What its folder has told without anybody listening; a worker must not write before it is read.
    if follow(&run) != .upToDate { return unstarted(run) }
    if run.word == .ended { return nil }
    run.word = .none
    do {
      if try isPostponed(job) { return nil }
      run.threads = try threads(for: job)
      let report = report
      let (id, attempt) = (job.id, job.attempt)
      try host.launch(job, threads: run.threads) { report(.gone(id, attempt: attempt, how: $0)) }
      return run
    } catch {
      return fail(job, error) ? nil : unstarted(run)
    }
  }

  /// Whether another worker may be started.
  var hasRoom: Bool { configuration.placement.hasRoom(besides: runs.map(\.threads)) }

  /// The threads of a job's worker.
  private func threads(for job: JobRecord) throws -> Int {
    let placement = configuration.placement
    if case .fixed(_, let threads) = placement { return threads }
    let waiting = try store.claimableCount(max: placement.workersMax)
    return placement.threads(
      stepWork: job.cost.stepWork, waiting: waiting, besides: runs.map(\.threads))
  }

  /// A run without a worker, which is settled as soon as the store allows.
  private func unstarted(_ run: Run) -> Run {
    var run = run
    run.isAdopted = true
    run.wasStarted = false
    run.ending = "could not be started"
    return run
  }

  /// Puts a job back into the queue that there is no memory for now, or of which that is not known yet.
  private func isPostponed(_ job: JobRecord) throws -> Bool {
    let specification = try job.specification()
    guard let needed = configuration.memoryBytes(specification) else {
      guard configuration.isMemoryComing(specification) else { return false }
      return try store.postpone(
        job.id, attempt: job.attempt, nil, byMilliseconds: configuration.retryMilliseconds,
        message: "its dataset is being read")
    }
    guard let available = host.availableMemoryBytes, needed > available else { return false }
    let message = "it needs \(needed >> 20) MiB of memory, \(available >> 20) are free"
    log.info("job \(job.id): \(message)")
    let wait = configuration.memoryWaitMilliseconds
    // What workers of this daemon take is free again when they end: that is no shortage of the machine.
    if runs.isEmpty { noteShortage(of: job.id, message, retryMilliseconds: wait) }
    return try store.postpone(
      job.id, attempt: job.attempt, .outOfMemory, byMilliseconds: wait, message: message)
  }

  /// Takes note that something was short for a job, until it will have been tried again.
  func noteShortage(of job: JobID, _ message: String, retryMilliseconds: Int) {
    let milliseconds = retryMilliseconds + Self.shortageSlackMilliseconds
    launches.note(
      shortage: message, of: job,
      untilNanoseconds: host.monotonicNanoseconds + UInt64(milliseconds) * 1_000_000)
  }

  /// How long after the time for another try what was short before it still counts.
  private static let shortageSlackMilliseconds = 1_000

  /// When a job that has run for so long will have run for as long as it may.
  func overdue(_ job: JobRecord, ranMilliseconds: Int) -> UInt64? {
    job.policy.maxDurationSeconds.map {
      // Both are in a range by now (`JobRecord`), so nothing overflows for 500 years.
      host.monotonicNanoseconds + UInt64(max(0, $0 * 1000 - ranMilliseconds)) * 1_000_000
    }
  }

  /// Takes over the worker of an earlier daemon.
  mutating func adopt(_ job: JobRecord) -> Run {
    let now = host.monotonicNanoseconds
    let ran = RecordedRange.ageMilliseconds.nearest(to: host.ranMilliseconds(of: job) ?? 0)
    var run = Run(
      job: job.id, attempt: job.attempt, isAdopted: true, offset: job.ingestOffset,
      begunNanoseconds: now - min(now, UInt64(ran) * 1_000_000), nowNanoseconds: now)
    run.overdueNanoseconds = overdue(job, ranMilliseconds: job.ranMilliseconds + ran)
    run.threads = host.preparedThreads(of: job.id) ?? 1
    return run
  }

  /// Whether an error passes by itself: descriptors, processes, threads or memory are short.
  static func isShortage(_ error: any Error) -> Bool {
    let cause = error as? SystemError ?? (error as? RunFolderError)?.system
    return cause?.passesByItself ?? false
  }

  /// Fails a job that cannot be started; a full disk pauses it instead, and want of memory, processes or
  /// descriptors puts it back into the queue for a while.
  ///
  /// - Returns: false if the store refuses, also because the job has been told to end or to pause meanwhile.
  private mutating func fail(_ job: JobRecord, _ error: any Error) -> Bool {
    let failure = error as? LaunchError
    let isDiskFull = (error as? SystemError)?.isDiskFull ?? false
    let message = failure?.message ?? "cannot start its worker: \(error)"
    log.error("job \(job.id): \(message)")
    do {
      if Self.isShortage(error) {
        let wait = max(configuration.retryMilliseconds, troubles.backOffMilliseconds(afterAnotherOf: job.id))
        noteShortage(of: job.id, message, retryMilliseconds: wait)
        return try store.postpone(
          job.id, attempt: job.attempt, .shortage, byMilliseconds: wait, message: message)
      }
      return try store.transition(
        job.id, attempt: job.attempt, to: isDiskFull ? .paused : .failed,
        reason: isDiskFull ? .diskFull : failure?.reason ?? .workerError, message: message)
    } catch {
      refuse("job \(job.id): it cannot be failed: \(error)")
      return false
    }
  }
}
