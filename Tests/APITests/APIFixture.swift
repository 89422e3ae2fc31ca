import API
import HTTP
import JobModel
import JobStore
import Platform
import RunFolder
import Synchronization
import Testing

/// The routes over a store and a data folder of their own, without a socket.
final class APIFixture: Sendable {
  let store: JobStore
  let data: String
  let control = CountingControl()
  let events: EventHub
  private let router: Router
  var routes: [(method: HTTP.Method, pattern: String, access: RouteAccess)] { router.routes }

  private static let migrations: String = {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/migrations"
  }()

  init() throws {
    data = "\(FileSystem.temporaryDirectory)/vicregd-api-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(data)
    store = try JobStore(
      path: "\(data)/vicregd.sqlite", migrations: JobStore.migrations(in: Self.migrations))
    var router = Router(problem: API.problem)
    events = try EventHub(store: store)
    API(
      store: store, data: data, datasets: FakeDatasets(), control: control, events: events, version: "1.2.3"
    )
    .addRoutes(to: &router)
    self.router = router
  }

  deinit {
    events.stop()
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(data)
  }

  /// Sends a request as the server would hand it over, and applies its conditions.
  func send(
    _ method: Method, _ target: String, _ body: String = "", headers: [(String, String)] = []
  ) -> Response {
    let request = request(method, target, body, headers)
    let response = router.respond(to: request)
    // What is written is waited for; who waits for a change of a job sees to it itself.
    if method == .post, case .pending(let pending) = response.body,
      case .answer(let answer)? = try? pending.next(mustAnswer: true)
    {
      return answer.conditioned(by: request)
    }
    return response.conditioned(by: request)
  }

  /// What is at hand in memory for a GET.
  func instant(_ target: String, headers: [(String, String)]) -> InstantResponse? {
    router.instantResponse(to: request(.get, target, "", headers))
  }

  private func request(
    _ method: Method, _ target: String, _ body: String, _ headers: [(String, String)]
  ) -> Request {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    var query: [(name: String, value: String)] = []
    for pair in parts.dropFirst().flatMap({ $0.split(separator: "&") }) {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      query.append((name: sides[0], value: sides.count > 1 ? sides[1] : ""))
    }
    var fields = Headers()
    for (name, value) in headers { fields.add(name, value) }
    return Request(
      method: method, segments: parts[0].split(separator: "/").map(String.init), query: query,
      headers: fields, body: Array(body.utf8))
  }

  /// Queues a job, which must be taken.
  func post(_ body: String) throws -> JobID {
    let response = send(.post, "/jobs", body)
    try #require(response.status == 201, "\(response.text)")
    return try #require(JobID(response.json["id"]?.string ?? ""))
  }

  /// Claims the next job and brings its run to an end.
  @discardableResult
  func finish(_ state: JobState, reason: Reason? = nil, lines: [String] = []) throws -> JobID {
    let job = try #require(try store.claimNext(bootID: "boot"))
    try tell(job.id, attempt: job.attempt, lines)
    try store.transition(job.id, attempt: job.attempt, to: state, reason: reason)
    return job.id
  }

  /// Records lines of a worker.
  func tell(_ id: JobID, attempt: Int, _ lines: [String]) throws {
    let start = try #require(try store.job(id)).ingestOffset
    let end = start + lines.reduce(0) { $0 + $1.utf8.count + 1 }
    _ = try store.ingest(id, attempt: attempt, from: start, to: end, lines: lines)
  }

  /// Stores a checkpoint as a worker would.
  func checkpoint(_ id: JobID, step: Int, _ content: String) throws -> CheckpointManifest {
    let folder = RunFolder(data: data, job: id)
    try folder.create()
    return try folder.checkpoints.store(step: step, epoch: 0) { write in try write(Array(content.utf8)) }
  }
}

/// Counts how often it was told to look.
final class CountingControl: JobControl {
  private let count = Mutex(0)
  var wakes: Int { count.withLock { $0 } }
  private let reason = Mutex<String?>(nil)
  var refusal: String? { reason.withLock { $0 } }
  func wake() { count.withLock { $0 += 1 } }
  /// A megabyte for each image of the batch, of a machine with a thousand.
  func memoryNeed(of specification: JobSpecification) -> MemoryNeed? {
    guard case .train(let training) = specification else { return nil }
    return MemoryNeed(bytes: training.batchSize << 20, machineBytes: 1_000 << 20)
  }
  func refuse(_ text: String?) { reason.withLock { $0 = text } }
}

/// Two data sets that are there, and one that is not installed.
struct FakeDatasets: DatasetDirectory {
  struct Refusal: Error, CustomStringConvertible { let description: String }

  func names() -> [String] { ["fashion-mnist", "synthetic", "absent"] }

  func imageCounts(_ name: String) throws -> [DatasetSelection.Split: Int] {
    switch name {
    case "fashion-mnist": return [.train: 60_000, .test: 10_000]
    case "synthetic": return [.train: 1025, .test: 100]
    case "absent": throw Refusal(description: "absent.gz is not there: install it")
    default:
      throw Refusal(description: "there is no data set \"\(name)\"; there are fashion-mnist, synthetic")
    }
  }

  func summary(_ name: String) throws -> DatasetSummary {
    DatasetSummary(
      name: name, classes: ["a", "b"], counts: try imageCounts(name), shape: [3, 32, 32],
      mean: [0.1, 0.2, 0.3],
      std: [0.4, 0.5, 0.6])
  }
}

extension Response {
  /// The whole body: bytes, parts of files, and a stream until it ends or has nothing for now.
  var bytes: [UInt8] {
    switch body {
    case .stream(let stream):
      var collected: [UInt8] = []
      while case .bytes(let piece)? = try? stream.next() { collected += piece }
      return collected
    default:
      return body.pieces.flatMap { piece -> [UInt8] in
        switch piece {
        case .bytes(let bytes): return bytes
        case .file(let path, let offset, let count):
          return (try? File(path, .read).read(at: offset, countMax: count)) ?? []
        }
      }
    }
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  var json: JSON { (try? JSON.parse(bytes)) ?? .null }

  /// Pointers and messages of a problem.
  var errors: [String: String] {
    let pairs = (json["errors"]?.array ?? []).map {
      ($0["pointer"]?.string ?? "", $0["message"]?.string ?? "")
    }
    return Dictionary(pairs, uniquingKeysWith: { "\($0); \($1)" })
  }
}
