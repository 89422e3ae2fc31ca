import JSONText
import JobModel
import JobStore
import Recipe

/// What must hold whatever happens. The invariants:
///
/// 1. An acknowledged job exists exactly once, until its deletion is acknowledged.
/// 2. One live attempt a job: a job is started only when it is `running` by the present attempt, and no
///    worker of the job is at work already that the daemon knows of.
/// 3. A finished job never runs again, unless somebody has retried it.
/// 4. Every accepted cancel is remembered until the job has ended, in `cancelled` or by what its worker had
///    already said; no further attempt is made.
/// 5. Finished ⇔ it has a time of finishing.
/// 6. The record of a job's life is a chain of legal steps that ends in its state.
/// 7. The visible series of a job has no gap and no repetition.
/// 8. No more jobs are active than there are workers.
/// 9. A job that is paused by a user is not started.
/// 10. A worker that is at work when a daemon starts is adopted: its attempt goes on.
/// 11. The numbers of jobs by state are those of the jobs that are there.
struct Oracle {
  struct Violation: Error, CustomStringConvertible { let description: String }

  /// Acknowledged and not deleted.
  private(set) var jobs: Set<JobID> = []
  /// Seen finished, and not retried since.
  private var finished: Set<JobID> = []
  /// The attempt at which a cancel was accepted.
  private var cancelled: [JobID: Int] = [:]
  private var restingByUser: Set<JobID> = []
  /// What a launch has shown, which cannot throw.
  private(set) var launchViolation: Violation?

  mutating func acknowledge(_ job: JobRecord) throws {
    guard jobs.insert(job.id).inserted else { throw Violation(description: "\(job.id) was given twice") }
  }

  mutating func acknowledgeDeletion(_ id: JobID) {
    jobs.remove(id)
    finished.remove(id)
    cancelled[id] = nil
    restingByUser.remove(id)
  }

  mutating func acknowledgeCancel(_ job: JobRecord) {
    restingByUser.remove(job.id)
    if !job.state.isFinished || job.state == .cancelled { cancelled[job.id] = job.attempt }
  }

  mutating func acknowledgeRetry(_ id: JobID) {
    finished.remove(id)
    cancelled[id] = nil
  }

  mutating func acknowledgePause(_ job: JobRecord) {
    if job.state == .paused { restingByUser.insert(job.id) }
  }

  mutating func acknowledgeResume(_ id: JobID) { restingByUser.remove(id) }

  mutating func launch(_ job: JobRecord) {
    var cause: String?
    if job.state != .running { cause = "is \(job.state.rawValue)" }
    if !jobs.contains(job.id) { cause = "is not acknowledged" }
    if finished.contains(job.id) { cause = "had finished" }
    if let attempt = cancelled[job.id], attempt < job.attempt { cause = "had been cancelled" }
    if restingByUser.contains(job.id) { cause = "rests" }
    if let cause { launchViolation = Violation(description: "job \(job.id) is started although it \(cause)") }
  }

  /// Looks at every job.
  mutating func check(_ store: JobStore, workers: Int) throws {
    if let launchViolation { throw launchViolation }
    let records = try store.list(limit: .max)
    guard records.count == jobs.count, Set(records.map(\.id)) == jobs else {
      throw Violation(description: "\(records.count) jobs are stored, \(jobs.count) were acknowledged")
    }
    let active = records.filter(\.state.isActive).count
    if active > workers { throw Violation(description: "\(active) jobs are active by \(workers) workers") }
    let counts = try store.counts()
    if counts != records.reduce(into: [:], { $0[$1.state, default: 0] += 1 }) {
      throw Violation(description: "the jobs by state are counted as \(counts)")
    }
    for job in records { try check(job, store) }
  }

  private mutating func check(_ job: JobRecord, _ store: JobStore) throws {
    func fail(_ what: String) -> Violation {
      Violation(description: "job \(job.id), \(job.state.rawValue), attempt \(job.attempt): \(what)")
    }
    if job.state.isFinished != (job.finishedAtMilliseconds != nil) { throw fail("its time of finishing") }
    if finished.contains(job.id), !job.state.isFinished { throw fail("it had finished") }
    if job.state.isFinished { finished.insert(job.id) }
    if let attempt = cancelled[job.id], job.attempt != attempt { throw fail("cancelled at \(attempt)") }
    if cancelled[job.id] != nil, job.state != .cancelling, !job.state.isFinished {
      throw fail("its cancel is forgotten")
    }
    try checkLife(of: job, store, fail)
    let steps = try store.lines(job.id, limit: .max).filter { $0.event == "metric" }.compactMap {
      try JSON.parse($0.line)["step"]?.int
    }
    if steps != Array(1..<(1 + steps.count)) { throw fail("its visible steps are \(steps)") }
    if job.state == .succeeded, steps.count != World.steps { throw fail("it ended after \(steps.count)") }
  }

  private func checkLife(
    of job: JobRecord, _ store: JobStore, _ fail: (String) -> Violation
  ) throws {
    let life = try store.transitions(of: job.id, limit: .max)
    var state: JobState?
    for step in life {
      guard step.from == state, state.map({ Transition.isLegal(from: $0, to: step.to) }) ?? true else {
        throw fail("its record goes from \(String(describing: step.from)) to \(step.to)")
      }
      state = step.to
    }
    if state != job.state { throw fail("its record ends in \(String(describing: state))") }
  }

  /// A daemon has started beside workers that were at work on these attempts.
  func checkAdoption(of attempts: [JobID: Int], by store: JobStore) throws {
    for (id, attempt) in attempts {
      guard let job = try store.job(id), job.attempt == attempt, job.state.isActive || job.state.isFinished
      else { throw Violation(description: "job \(id): its live worker of attempt \(attempt) is not adopted") }
    }
  }

  /// When nothing disturbs any more, nothing is left undone.
  func checkRest(_ store: JobStore) throws {
    for job in try store.list(limit: .max) {
      if job.state.isActive || job.state == .queued {
        throw Violation(description: "job \(job.id) is left \(job.state.rawValue)")
      }
      if cancelled[job.id] != nil, !job.state.isFinished {
        throw Violation(description: "job \(job.id) was cancelled and is \(job.state.rawValue)")
      }
    }
  }
}
