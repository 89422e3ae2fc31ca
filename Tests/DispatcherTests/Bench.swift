import Dispatcher
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Support
import Testing

/// A data folder with a store, and workers that are shell scripts: `$RUN` is the run folder, `say LINE`
/// appends an event, and the lock is held as a worker holds it.
final class Bench: Sendable {
  static let bootID = "this"
  let data = "\(FileSystem.temporaryDirectory)/vicregd-dispatch-\(UInt64.random(in: 0 ... .max))"
  let store: JobStore
  var databasePath: String { "\(data)/jobs.sqlite" }
  private var script: String { "\(data)/worker.sh" }

  init(script: String) throws {
    try FileSystem.makeDirectories(data)
    store = try JobStore(
      path: "\(data)/jobs.sqlite", migrations: JobStore.migrations(in: Bench.migrations))
    let text = """
      RUN="$1"
      exec 9>>"$RUN/lock"
      flock -n 9 || exit 9
      echo $$ > "$RUN/lock"
      say() { printf '%s\\n' "$1" >> "$RUN/events.jsonl"; }
      \(script)
      """
    try AtomicFile.write(Array(text.utf8), to: self.script)
  }

  deinit {
    // A folder that stays behind in the temporary directory harms no test.
    try? FileSystem.removeTree(data)
  }

  func start(
    workers: Int = 1, placement: Placement? = nil,
    _ change: (inout DispatcherConfiguration) -> Void = { _ in }
  ) throws -> Dispatcher {
    var configuration = DispatcherConfiguration(
      dataPath: data, program: "/bin/bash", arguments: [script],
      placement: placement ?? .fixed(workers: workers, threads: 2))
    configuration.pollMilliseconds = 5
    configuration.lockPollMilliseconds = 20
    change(&configuration)
    let dispatcher = Dispatcher(
      configuration, store: store, bootID: Bench.bootID, pins: CheckpointPins(data: data))
    try dispatcher.start()
    return dispatcher
  }

  func queue(_ policy: JobPolicy = JobPolicy(), cost: JobCost = JobCost()) throws -> JobID {
    var job = NewJob(
      id: store.newID(), labelling: JobLabelling(), specification: .train(.preset(.small)), policy: policy)
    job.cost = cost
    return try #require(try store.enqueue([job]).first).id
  }

  func queueEvaluation(of training: JobID) throws -> JobID {
    let specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: training, which: "last"), protocol: .linear, features: .cached,
      dataset: EvaluationDataset(name: "fashion-mnist"), baselines: false, epochs: 1, seed: 0)
    let job = NewJob(id: store.newID(), labelling: JobLabelling(), specification: .evaluate(specification))
    return try #require(try store.enqueue([job]).first).id
  }

  func folder(_ job: JobID) -> RunFolder { RunFolder(data: data, job: job) }

  func storeCheckpoint(of job: JobID, step: Int) throws -> CheckpointManifest {
    try folder(job).create()
    return try folder(job).checkpoints.store(step: step, epoch: 1) { try $0([1, 2, 3]) }
  }

  /// Claims the next job and starts its worker as a daemon does that then dies.
  func startWorker(of job: JobID) throws -> ChildProcess {
    let claimed = try #require(try store.claimNext(bootID: "earlier"))
    #expect(claimed.id == job)
    try folder(job).create()
    return try ChildProcess("/bin/bash", [script, folder(job).path], logPath: folder(job).logPath)
  }

  /// The job as soon as the condition holds, within `Patience`.
  func wait(for job: JobID, _ condition: (JobRecord) -> Bool) throws -> JobRecord {
    try until { try store.job(job).flatMap { condition($0) ? $0 : nil } }
  }

  /// The first answer that is not `nil`, within `Patience`.
  @discardableResult
  func until<T>(_ answer: () throws -> T?) throws -> T {
    let deadline = SystemClock.monotonicNanoseconds + Patience.nanoseconds
    while SystemClock.monotonicNanoseconds < deadline {
      if let value = try answer() { return value }
      SystemClock.sleep(milliseconds: 2)
    }
    return try #require(try answer(), "it did not come in \(Patience.seconds) seconds")
  }

  private static var migrations: String {
    let file = String(describing: #filePath)
    return file.components(upTo: "/Tests/") + "/migrations"
  }
}

extension String {
  /// What stands before the last occurrence of a mark.
  fileprivate func components(upTo mark: String) -> String {
    var text = Substring(self)
    while !text.isEmpty, !text.hasSuffix(mark) { text.removeLast() }
    return String(text.dropLast(mark.count))
  }
}
