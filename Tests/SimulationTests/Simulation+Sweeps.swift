import JSONText
import JobModel
import JobStore
import Recipe
import SweepRunner
import Sweeps
import Text

// What users and the daemon do with sweeps. Their jobs are run by the dispatcher as all others are.
extension Simulation {
  private static let sweepsMax = 4

  /// Makes jobs that differ in nothing but their place.
  struct Trials: TrialSource {
    let newID: @Sendable () -> JobID

    func jobs(for order: TrialOrder) throws -> [NewJob] {
      (0..<order.specification.seeds).map { seed in
        var job = NewJob(
          id: newID(), labelling: JobLabelling(priority: order.priority),
          specification: .train(.preset(.small)), needs: order.previous)
        job.place = TrialPlace(sweep: order.sweep, trial: order.trial, rung: order.rung, seed: seed)
        return job
      }
    }
  }

  /// Another daemon has sweeps go on.
  func startSweeps() {
    let store = store
    sweeps = SweepLoop(store: store, source: Trials(newID: { store.newID() }))
  }

  func beginSweep() throws {
    let known = try knownSweeps()
    if known.count >= Self.sweepsMax {
      guard let done = pick(known.filter(\.state.isFinished)) else { return }
      return try ask { try store.deleteSweep(done.id) { _ in } }
    }
    func roll(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &world.dice) }
    var specification = SweepSpecification()
    specification.space = [Parameter("/seed", .int(low: 0, high: roll(1...9), step: 1))]
    specification.search = .init(name: pick([Searcher.random, .grid, .sobol, .tpe]) ?? .random, seed: 1)
    specification.maxTrials = roll(1...6)
    specification.maxConcurrent = world.dice.oneIn(3) ? nil : roll(1...3)
    specification.maxFailed = roll(0...2)
    specification.seeds = roll(1...2)
    specification.maxDurationSeconds = world.dice.oneIn(6) ? roll(1...20) : nil
    if world.dice.oneIn(2) {
      var stopping = SweepSpecification.EarlyStopping()
      (stopping.reductionFactor, stopping.maxEpochs) = (2, 4)
      specification.earlyStopping = stopping
    }
    let sweep = NewSweep(id: store.newID(), labelling: JobLabelling(), specification: specification)
    try ask { _ = try store.add(sweep) { _ in StoredAnswer(status: 201, headers: [:], body: "") } }
  }

  func askOfSweep() throws {
    guard let sweep = pick(try knownSweeps()) else { return }
    let what = Int.random(in: 0..<10, using: &world.dice)
    try ask {
      switch what {
      case 0..<3: _ = try store.pauseSweep(sweep.id) { _ in }
      case 3..<6: _ = try store.resumeSweep(sweep.id) { _ in }
      case 6: _ = try store.cancelSweep(sweep.id) { _ in }
      default:
        _ = try store.extendSweep(sweep.id, if: { _ in }) { record, _ in
          var (specification, _) = try record.specification()
          specification.maxTrials = (specification.maxTrials ?? 0) + 1
          return specification
        }
      }
    }
  }

  func lookAtSweeps() throws {
    try following {
      let outcome = sweeps?.turn()
      if let failure = outcome?.failure, !isStoreBroken { throw failure }
    }
    inbox.messages.append(.look)
  }

  /// Sweeps that users let rest go on.
  func resumeSweeps() throws {
    for sweep in try knownSweeps() where sweep.request == .pause && !sweep.state.isFinished {
      try ask { _ = try store.resumeSweep(sweep.id) { _ in } }
    }
  }

  func knownSweeps() throws -> [SweepRecord] {
    try store.sweeps(SweepFilter(), SweepOrder(), after: nil, limit: 1_000).sweeps
  }

  private func ask(_ body: () throws -> Void) throws { try following { try request(body) } }

  /// Tells the oracle what became of the jobs of sweeps.
  private func following(_ body: () throws -> Void) throws {
    func jobs() throws -> [JobID: JobRecord] {
      let all = try store.list(limit: .max).filter { $0.place != nil || oracle.jobs.contains($0.id) }
      return Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
    }
    let before = try jobs()
    let result = Result(catching: body)
    for (id, job) in try jobs().sorted(by: { $0.key < $1.key }) {
      guard let old = before[id] else {
        try oracle.acknowledge(job)
        continue
      }
      if old.state == job.state { continue }
      if old.state.isFinished { oracle.acknowledgeRetry(id) }
      if old.state == .paused { oracle.acknowledgeResume(id) }
      if job.state == .paused { oracle.acknowledgePause(job) }
      if job.state == .cancelling || job.state == .cancelled { oracle.acknowledgeCancel(job) }
    }
    try result.get()
  }
}

/// What must hold of sweeps whatever happens. The invariants:
///
/// 12. A sweep has no more trials than its budget, and no more of them are under way than may be.
/// 13. No configuration has two trials.
/// 14. Every trial is in one state: it is under way exactly as long as a job of its rung is.
/// 15. A finished sweep asks for nothing: no trial or job is added to it, unless it is extended.
struct SweepOracle {
  private struct Known {
    var trials: Int
    var maxTrials: Int?
    var rungs: [Int]
  }
  private var finished: [JobID: Known] = [:]
  /// Sweeps of which a user has retried a job, so that more is under way than they have asked for.
  private var retried: Set<JobID> = []

  mutating func acknowledgeRetry(_ job: JobRecord) {
    if let place = job.place { retried.insert(place.sweep) }
  }

  /// Looks at every sweep.
  mutating func check(_ store: JobStore, _ sweeps: [SweepRecord]) throws {
    for sweep in sweeps {
      guard let standing = try store.standing(ofSweep: sweep.id) else { continue }
      try check(standing)
    }
  }

  private mutating func check(_ standing: SweepStanding) throws {
    let record = standing.record
    let (specification, plan) = try record.specification()
    func fail(_ what: String) -> Oracle.Violation {
      Oracle.Violation(description: "sweep \(record.id), \(record.state.rawValue): \(what)")
    }
    let trials = standing.trials
    if trials.count > plan.trialsMax ?? .max { throw fail("\(trials.count) trials") }
    let unfinished = trials.count { $0.outcome == nil }
    if !retried.contains(record.id), unfinished > specification.maxConcurrent ?? .max {
      throw fail("\(unfinished) at once")
    }
    if Set(trials.map(\.configuration)).count != trials.count { throw fail("a configuration twice") }
    if trials.map(\.number) != Array(0..<trials.count) { throw fail("the numbers of its trials") }
    for trial in trials {
      let jobs = standing.jobs.filter { $0.trial == trial.number && $0.rung == trial.rung }
      let isUnderWay = jobs.contains { !$0.state.isFinished }
      if (trial.outcome == nil) != isUnderWay {
        let state = trial.outcome?.rawValue ?? "under way"
        throw fail("trial \(trial.number) is \(state) with jobs \(jobs.map(\.state))")
      }
    }
    guard record.state.isFinished else {
      finished[record.id] = nil
      return
    }
    let known = Known(trials: trials.count, maxTrials: specification.maxTrials, rungs: trials.map(\.rung))
    if let old = finished[record.id], old.maxTrials == known.maxTrials,
      old.trials != known.trials || old.rungs != known.rungs
    {
      throw fail("it went on")
    }
    finished[record.id] = known
  }

  /// When nothing disturbs any more, every sweep has ended.
  func checkRest(_ sweeps: [SweepRecord]) throws {
    for sweep in sweeps where !sweep.state.isFinished {
      throw Oracle.Violation(description: "sweep \(sweep.id) is left \(sweep.state.rawValue)")
    }
  }
}
