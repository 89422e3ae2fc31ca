import JobModel
import Platform
import Testing

/// The real program on a data folder of its own and a free port. It may be killed and started again.
final class Daemon {
  let data: String
  private(set) var port = 0
  private var process: ChildProcess?
  private var starts = 0

  /// Starts the program and waits for its first line.
  init() throws {
    data = "\(FileSystem.temporaryDirectory)/vicregd-e2e-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(data)
    try start()
  }

  deinit {
    send(.kill)
    // Whatever fails here, the next test does not need it.
    _ = try? process?.wait()
    for run in (try? FileSystem.list("\(data)/runs")) ?? [] {
      if let worker = FileLock.owner("\(data)/runs/\(run)/lock") { ProcessID.send(.kill, to: worker) }
    }
    try? FileSystem.removeTree(data)
  }

  /// The program that the tests were built with.
  static func program() throws -> String {
    "\(FileSystem.parent(of: try FileSystem.executablePath()))/vicregd"
  }

  /// Starts a daemon, which a watchdog ends after three minutes whatever becomes of the test.
  func start() throws {
    starts += 1
    let output = "\(data)/daemon-\(starts).txt"
    process = try launch(logPath: output)
    port = try eventually {
      let text =
        FileSystem.exists(output) ? String(decoding: try File(output, .read).readAll(), as: UTF8.self) : ""
      for line in text.split(separator: "\n") {
        guard let url = (try? JSON.parse(String(line)))?["url"]?.string else { continue }
        return url.split(separator: ":").last.flatMap { Int($0) }
      }
      return nil
    }
  }

  /// Another process of the same program on the same data folder.
  func launch(logPath: String) throws -> ChildProcess {
    try ChildProcess(
      "/usr/bin/timeout",
      [
        "--signal=KILL", "180", try Daemon.program(), "serve", "--port", "0", "--data", data, "--workers",
        "1",
        "--threads-per-worker", "2",
      ], logPath: logPath)
  }

  /// Sends the daemon itself a signal.
  func send(_ signal: Signal) {
    if let id = FileLock.owner("\(data)/lock") { ProcessID.send(signal, to: id) }
  }

  /// Waits until the daemon has gone.
  func ending() throws -> ChildProcess.Ending? {
    defer { process = nil }
    return try process?.wait()
  }

  /// Kills the daemon; its workers live on.
  func kill() throws {
    send(.kill)
    _ = try ending()
  }

  /// Kills the worker of a job, if it has one.
  func killWorker(of job: String) throws {
    let path = "\(data)/runs/\(job)/lock"
    if try FileLock.isHeld(path), let id = FileLock.owner(path) { ProcessID.send(.kill, to: id) }
  }

  /// Answers to a request on a connection of its own.
  func request(_ method: String, _ path: String, _ body: String? = nil) throws -> Answer {
    try Answer(port: port, method: method, path: path, body: body)
  }

  /// The JSON value under a path.
  func get(_ path: String) throws -> JSON {
    let answer = try request("GET", path)
    try #require(answer.status == 200, "\(path): \(answer.status) \(answer.text)")
    return try JSON.parse(answer.body)
  }

  /// Queues a job and returns its id.
  func queue(_ job: JSON) throws -> String {
    let answer = try request("POST", "/jobs", job.text)
    try #require(answer.status == 201, "\(answer.status) \(answer.text)")
    return try #require(try JSON.parse(answer.body)["id"]?.string)
  }

  /// The job as soon as the condition holds.
  @discardableResult
  func job(_ id: String, when condition: (JSON) -> Bool) throws -> JSON {
    try eventually {
      let job = try get("/jobs/\(id)")
      return condition(job) ? .some(job) : .none
    }
  }

  /// The job when it has ended, however it did.
  func finishedJob(_ id: String) throws -> JSON {
    try job(id) { ["succeeded", "failed", "cancelled"].contains($0["state"]?.string) }
  }

  /// The steps of the job's metric lines, in their order.
  func steps(_ id: String) throws -> [Int] {
    try request("GET", "/jobs/\(id)/metrics").events.filter { $0["event"] == "metric" }.compactMap {
      $0["step"]?.int
    }
  }

  /// The digest of the job's newest checkpoint.
  func lastDigest(_ id: String) throws -> String {
    let list = try get("/jobs/\(id)/checkpoints")["checkpoints"]?.array ?? []
    return try #require(list.last?["sha256"]?.string)
  }
}

/// The first answer that is not `nil`, within a minute.
func eventually<T>(_ answer: () throws -> T?) throws -> T {
  let deadline = SystemClock.monotonicNanoseconds + 60_000_000_000
  while SystemClock.monotonicNanoseconds < deadline {
    if let value = try answer() { return value }
    SystemClock.sleep(milliseconds: 10)
  }
  return try #require(try answer(), "it did not come within a minute")
}
