import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import SweepRunner
import Sweeps
import Synchronization
import Testing
import Text

/// Sweeps over a store of their own, whose jobs the test brings to their ends.
final class SweepFixture {
  private(set) var store: JobStore
  private(set) var loop: SweepLoop
  private let folder: String
  private let source = PlainTrials()

  init() throws {
    folder = "\(FileSystem.temporaryDirectory)/vicregd-sweeps-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(folder)
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let migrations = try JobStore.migrations(in: "/\(root)/migrations")
    store = try JobStore(path: "\(folder)/jobs.sqlite", migrations: migrations)
    loop = SweepLoop(store: store, source: source)
  }

  deinit {
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(folder)
  }

  /// Another daemon on the same rows.
  func restart() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    store = try JobStore(
      path: "\(folder)/jobs.sqlite", migrations: JobStore.migrations(in: "/\(root)/migrations"))
    loop = SweepLoop(store: store, source: source)
  }

  /// Begins a sweep of a specification, and looks at it.
  func begin(_ text: String) throws -> JobID {
    let (specification, _) = try SweepSpecification.parse(JSON.parse(text))
    let id = store.newID()
    _ = try store.add(NewSweep(id: id, labelling: JobLabelling(name: "s"), specification: specification)) {
      _ in
      StoredAnswer(status: 201, headers: [:], body: "")
    }
    look()
    return id
  }

  /// Looks until there is nothing to do.
  func look() {
    for _ in 0..<1_000 {
      let outcome = loop.turn()
      if let failure = outcome.failure { Issue.record("\(failure)") }
      // A step that was done may be one that the sweep has to be looked at for.
      if !outcome.isMore, (try? store.sweepsToLookAt())?.isEmpty ?? true { return }
    }
    Issue.record("there is always something to do")
  }

  func standing(_ id: JobID) throws -> SweepStanding { try #require(try store.standing(ofSweep: id)) }
  func state(_ id: JobID) throws -> SweepRecord.State { try standing(id).record.state }
  func trials(_ id: JobID) throws -> [TrialRecord] { try standing(id).trials }

  /// Claims the next job; nil: none is queued.
  func claim() throws -> JobRecord? { try store.claimNext(bootID: "boot") }

  /// Brings a job that runs to its end, with a loss or an accuracy, and looks.
  func end(_ job: JobRecord, _ value: Double?, _ state: JobState = .succeeded, _ reason: Reason? = nil) throws
  {
    var lines: [String] = []
    if state == .succeeded, job.kind == .train {
      let loss = value.map { JSON.number($0).text } ?? "null"
      lines.append(#"{"event":"metric","step":1,"epoch":0,"loss":\#(loss)}"#)
    } else if state == .succeeded {
      lines.append(#"{"event":"result","result":{"top1":\#(value.map { JSON.number($0).text } ?? "null")}}"#)
    }
    let start = job.ingestOffset
    let end = start + lines.reduce(0) { $0 + $1.utf8.count + 1 }
    _ = try store.ingest(job.id, attempt: job.attempt, from: start, to: end, lines: lines)
    try store.transition(job.id, attempt: job.attempt, to: state, reason: reason)
    look()
  }

  /// Runs jobs until none is queued, each with a loss that is made of its specification.
  func runAll(_ value: (JobRecord) throws -> Double? = SweepFixture.rate) throws {
    while let job = try claim() { try end(job, try value(job)) }
  }

  /// The learning rate of a training.
  static func rate(_ job: JobRecord) throws -> Double? {
    try job.specification().train?.optimizer.learningRate
  }
}

/// Makes the jobs of trials without looking at anything but the values.
struct PlainTrials: TrialSource {
  func jobs(for order: TrialOrder) throws -> [NewJob] {
    var spec = order.specification.base["spec"] ?? [:]
    for (pointer, value) in order.configuration.values { _ = PointerPath(pointer).set(value.json, in: &spec) }
    if let epochs = order.epochs { _ = PointerPath("/epochs").set(.integer(epochs), in: &spec) }
    var jobs: [NewJob] = []
    for seed in 0..<order.specification.seeds {
      _ = PointerPath("/seed").set(.integer(seed), in: &spec)
      let place = TrialPlace(sweep: order.sweep, trial: order.trial, rung: order.rung, seed: seed)
      var training = NewJob(
        id: Self.id(), labelling: JobLabelling(priority: order.priority),
        specification: .train(try TrainSpecification.parse(spec)), needs: order.previous)
      training.place = place
      jobs.append(training)
      guard order.specification.evaluate != nil else { continue }
      var evaluation = NewJob(
        id: Self.id(), labelling: JobLabelling(priority: order.priority),
        specification: .evaluate(
          try EvaluateSpecification.parse(["checkpoint": ["job": .string(training.id.text)]])))
      evaluation.place = place
      jobs.append(evaluation)
    }
    return jobs
  }

  private static let count = Mutex<UInt64>(0)

  private static func id() -> JobID {
    JobID(
      unixMilliseconds: 1_790_000_000_000
        + count.withLock { count in
          count += 1
          return count
        }, random: 0)
  }
}
