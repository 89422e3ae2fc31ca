import JSONText
import Platform
import Support
import Synchronization
import Testing

/// The real program on a data folder of its own and a free port. It may be killed and started again.
final class Daemon {
  let data: String
  private(set) var port = 0
  private var process: WatchedProcess?
  private var starts = 0
  private let arguments: [String]
  /// Has the workers inherit what makes their file operations fail.
  private let faultArguments: [String]
  private let environment: [String: String]?
  private let lifeSeconds: Int
  private let prefix: [String]

  /// Starts the program and waits for its first line.
  ///
  /// - Parameters:
  ///   - arguments: beside port and data folder.
  ///   - faults: which processes' file operations fail, and how (see `Scripts/faults/`).
  ///   - tracing: has those operations written to `tracePath`.
  ///   - lifeSeconds: after so long a watchdog ends each of the daemons, whatever becomes of the test.
  ///   - folder: in which the data folder is made.
  ///   - prefix: a program and its arguments that starts the daemon, given as further arguments.
  ///   - isPatient: waits for the first line, which a fault may keep from coming.
  init(
    arguments: [String] = ["--workers", "1", "--threads-per-worker", "2"],
    faults: (role: String, settings: [String: String])? = nil, tracing: Bool = false,
    folder: String = FileSystem.temporaryDirectory, prefix: [String] = [],
    isPatient: Bool = true, lifeSeconds: Int = 400
  ) throws {
    self.lifeSeconds = lifeSeconds
    self.prefix = prefix
    data = "\(folder)/vicregd-e2e-\(UInt64.random(in: 0 ... .max))"
    self.arguments = arguments
    if let faults {
      faultArguments = ["--worker-environment", "LD_PRELOAD,FAULT_*"]
      var settings = faults.settings
      settings["ONCE"] = settings["ONCE"] ?? "\(data)-once"
      if tracing { settings["TRACE"] = "\(data)-trace" }
      environment = try Faults.environment(data: data, role: faults.role, settings)
    } else {
      faultArguments = []
      environment = nil
    }
    try FileSystem.makeDirectories(data)
    try start(isPatient: isPatient)
  }

  deinit {
    send(.kill)
    // Whatever fails here, the next test does not need it.
    _ = try? ending()
    for run in (try? FileSystem.list("\(data)/runs")) ?? [] {
      if let worker = FileLock.owner("\(data)/runs/\(run)/lock") { ProcessID.send(.kill, to: worker) }
    }
    try? FileSystem.removeTree(data)
    for path in [oncePath, tracePath] { try? FileSystem.remove(path) }
  }

  /// A file that is there once a fault has happened.
  var oncePath: String { "\(data)-once" }
  /// The operations that were traced.
  var tracePath: String { "\(data)-trace" }

  /// The program that the tests were built with.
  static func program() throws -> String {
    "\(FileSystem.parent(of: try FileSystem.executablePath()))/vicregd"
  }

  /// Starts a daemon.
  func start(isPatient: Bool = true) throws {
    starts += 1
    process = try WatchedProcess(launch(logPath: output))
    port = 0
    if isPatient { try eventually { try isListening() ? true : nil } }
  }

  /// What the daemon that was started last has written.
  var output: String { "\(data)/daemon-\(starts).txt" }

  /// Whether the daemon has said where it listens.
  private func isListening() throws -> Bool {
    if port > 0 { return true }
    for line in try Faults.text(of: output).split(separator: "\n") {
      guard let url = (try? JSON.parse(String(line)))?["url"]?.string?.string else { continue }
      port = url.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
    return port > 0
  }

  /// Waits until the daemon listens; starts another one if it has gone.
  func startAgainIfGone() throws {
    try eventually {
      if process?.ending != nil { try start(isPatient: false) }
      return try isListening() && process?.ending == nil ? true : nil
    }
  }

  /// Queues a job at a daemon that may die at any moment and is started again; the job is there once.
  func queueSurely(_ job: JSON) throws -> String {
    try eventually {
      try startAgainIfGone()
      // A daemon that died before it could answer may have stored the job.
      if let id = body("GET", "/jobs")?["jobs"]?.array?.first?["id"]?.string?.string { return id }
      return body("POST", "/jobs", job.text)?["id"]?.string?.string
    }
  }

  /// The job when it has ended, at a daemon that may die at any moment and is started again.
  func finishedJobSurely(_ id: String) throws -> JSON {
    try eventually {
      try startAgainIfGone()
      guard let job = body("GET", "/jobs/\(id)") else { return nil }
      return ["succeeded", "failed", "cancelled"].contains(job["state"]?.string) ? .some(job) : .none
    }
  }

  /// What a daemon that may be gone answers, if it does.
  private func body(_ method: String, _ path: String, _ text: String? = nil) -> JSON? {
    (try? request(method, path, text)).flatMap { try? JSON.parse($0.body) }
  }

  /// Another process of the same program on the same data folder.
  func launch(logPath: String) throws -> ChildProcess {
    try ChildProcess(
      "/usr/bin/timeout",
      ["--signal=KILL", "\(lifeSeconds)"] + prefix
        + [try Daemon.program(), "serve", "--port", "0", "--data", data] + arguments + faultArguments,
      environment: environment ?? Environment.all, logPath: logPath)
  }

  /// Checks database and checkpoints by the program itself.
  func check() throws -> ChildProcess.Ending {
    try ChildProcess(
      try Daemon.program(), ["check", "--data", data], logPath: "\(data)/check.txt"
    ).wait()
  }

  /// Jobs whose worker is alive.
  func liveWorkers() throws -> [String] {
    guard FileSystem.isDirectory("\(data)/runs") else { return [] }
    return try FileSystem.list("\(data)/runs").filter { try FileLock.isHeld("\(data)/runs/\($0)/lock") }
  }

  /// Sends the daemon itself a signal.
  func send(_ signal: Signal) {
    if let id = FileLock.owner("\(data)/lock") { ProcessID.send(signal, to: id) }
  }

  /// Waits until the daemon has gone.
  func ending() throws -> ChildProcess.Ending? {
    guard let process else { return nil }
    self.process = nil
    return try eventually { process.ending }
  }

  /// Kills the daemon; its workers live on.
  func kill() throws {
    send(.kill)
    _ = try ending()
  }

  /// Kills the worker of a job; whether it has one.
  @discardableResult
  func killWorker(of job: String) throws -> Bool {
    let path = "\(data)/runs/\(job)/lock"
    guard try FileLock.isHeld(path), let id = FileLock.owner(path) else { return false }
    ProcessID.send(.kill, to: id)
    return true
  }

  /// Answers to a request on a connection of its own.
  func request(
    _ method: String, _ path: String, _ body: String? = nil, fields: [(name: String, value: String)] = []
  ) throws -> Answer {
    try Answer(port: port, method: method, path: path, body: body, fields: fields)
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
    return try #require(try JSON.parse(answer.body)["id"]?.string?.string)
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
    return try #require(list.last?["sha256"]?.string?.string)
  }
}

/// A child whose end can be asked for without waiting.
final class WatchedProcess: Sendable {
  private let state = Mutex<ChildProcess.Ending?>(nil)

  init(_ child: ChildProcess) throws {
    _ = try Thread(name: "watch", stackBytes: 64 << 10) { [self] in
      // A child that cannot be waited for has ended somehow.
      let ending = (try? child.wait()) ?? .exited(code: -1)
      state.withLock { $0 = ending }
    }
  }

  /// `nil`: it is alive.
  var ending: ChildProcess.Ending? { state.withLock { $0 } }
}

/// The first answer that is not `nil`, within `Patience`.
@discardableResult
func eventually<T>(seconds: Int = Patience.seconds, _ answer: () throws -> T?) throws -> T {
  let deadline = SystemClock.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000
  while SystemClock.monotonicNanoseconds < deadline {
    if let value = try answer() { return value }
    SystemClock.sleep(milliseconds: 10)
  }
  return try #require(try answer(), "it did not come within \(seconds) seconds")
}
