import API
import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import SharedWork
import Synchronization
import Testing
import Text

/// The routes over a store and a data folder of their own, without a socket.
final class APIFixture: Sendable {
  let store: JobStore
  let data: String
  let control = CountingControl()
  let events: EventHub
  let pins: CheckpointPins
  let exports = FakeExports()
  let embedder = FakeEmbedder()
  let router: Router
  let api: API
  var routes: [(method: HTTP.Method, pattern: String, access: RouteAccess)] { router.routes }

  private static let migrations: String = {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/migrations"
  }()

  /// - Parameter clock: Unix time in milliseconds.
  init(
    datasets: any DatasetDirectory = FakeDatasets(), limits: [String: Int] = [:],
    clock: @escaping @Sendable () -> Int = { SystemClock.unixMilliseconds }
  ) throws {
    data = "\(FileSystem.temporaryDirectory)/vicregd-api-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(data)
    store = try JobStore(
      path: "\(data)/vicregd.sqlite", migrations: JobStore.migrations(in: Self.migrations),
      machine: JobHost(cpu: "C", threads: 2, isa: "avx2").rateKey, clock: clock)
    var router = Router(problem: API.problem)
    events = try EventHub(store: store)
    pins = CheckpointPins(data: data)
    api = API(
      store: store, data: data, datasets: datasets, control: control, events: events, pins: pins,
      exports: exports, checkModel: { try FakeModels.check($0, $1) }, embedder: embedder, limits: limits,
      version: "1.2.3")
    try ModelFolder(data: data).sweep(keeping: [])
    api.addRoutes(to: &router)
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
    return settled(response, request)
  }

  /// Sends a request whose content goes to a sink, as the server would.
  func upload(_ target: String, _ pieces: [String], length: Int? = nil) -> Response {
    upload(.put, target, pieces, headers: length.map { [("Content-Length", "\($0)")] } ?? [])
  }

  /// The same with any method and header fields.
  func upload(
    _ method: Method, _ target: String, _ pieces: [String], headers: [(String, String)] = []
  ) -> Response {
    let request = request(method, target, "", headers)
    do {
      // The server makes a sink for a body that has bytes, or says so.
      let isEmpty = pieces.isEmpty && request.headers["Content-Length"] == nil
      let sink = isEmpty ? nil : try router.sink(for: request)
      for piece in pieces { try sink?.write(Array(piece.utf8)) }
      return settled(router.respond(to: request.with(body: [], sink: sink)), request)
    } catch {
      return API.problem(for: error).response
    }
  }

  private func settled(_ response: Response, _ request: Request) -> Response {
    // What is written or computed is waited for; who waits for a change of a job sees to it itself.
    guard request.headers["Prefer"] == nil, case .pending(let pending) = response.body else {
      return response.conditioned(by: request)
    }
    return Self.answer(to: pending).conditioned(by: request)
  }

  /// What the routes answer, which may be pending.
  func respond(_ method: Method, _ target: String, _ body: String = "") -> Response {
    router.respond(to: request(method, target, body, []))
  }

  /// The answer when it has come.
  static func answer(to pending: any PendingAnswer) -> Response {
    let monitor = Monitor()
    let isWoken = Atomic<Bool>(false)
    pending.attach { monitor.signal { isWoken.store(true, ordering: .relaxed) } }
    while true {
      switch try? pending.next(mustAnswer: false) {
      case .answer(let answer):
        pending.close()
        return answer
      case .idle: monitor.wait { isWoken.exchange(false, ordering: .relaxed) }
      case nil: return Response(status: 500)
      }
    }
  }

  /// What is at hand in memory for a GET.
  func instant(_ target: String, headers: [(String, String)]) -> InstantResponse? {
    router.instantResponse(to: request(.get, target, "", headers))
  }

  private func request(
    _ method: Method, _ target: String, _ body: String, _ headers: [(String, String)]
  ) -> Request {
    let (path, parameters) = ByteString(target).divided(at: 0x3F)
    let query = (parameters?.split(0x26) ?? []).map { pair in
      let (name, value) = pair.divided(at: 0x3D)
      return (name: name, value: value ?? "")
    }
    var fields = Headers()
    for (name, value) in headers { fields.add(ByteString(name), value) }
    return Request(
      method: method, segments: path.split(0x2F), query: query,
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
  func checkpoint(
    _ id: JobID, step: Int, metric: Double? = nil, _ content: String
  ) throws -> CheckpointManifest {
    let folder = RunFolder(data: data, job: id)
    try folder.create()
    return try folder.checkpoints.store(step: step, epoch: 0, metric: metric) { write in
      try write(Array(content.utf8))
    }
  }
}

/// Counts how often it was told to look.
final class CountingControl: JobControl {
  private let count = Mutex(0)
  var wakes: Int { count.withLock { $0 } }
  private let reason = Mutex<String?>(nil)
  var refusal: String? { reason.withLock { $0 } }
  private let lack = Mutex<String?>(nil)
  var shortage: String? { lack.withLock { $0 } }
  func wake() { count.withLock { $0 += 1 } }
  /// A megabyte for each image of the batch, for each thousand of a limit and each number of a wide
  /// projector, of a machine with a thousand.
  let machineMemoryBytes: Int? = 1_000 << 20
  /// A thousand multiply-adds for each of a thousand images of an epoch, or of an evaluation.
  func cost(of specification: JobSpecification, training: TrainSpecification?) -> JobCost {
    switch specification.work {
    case let own as TrainSpecification:
      JobCost(
        memoryBytes: (own.batchSize * (own.views + (own.localViews?.count ?? 0)) / 2
          + Self.megabytes(own.dataset.limit, own.projector.widths)) << 20,
        diskBytes: 7 << 20,
        work: Work(kind: "train", amount: Double(own.epochs) * 1e6, perImage: 1000), epochs: own.epochs,
        stepImages: own.batchSize)
    case let own as EvaluateSpecification:
      JobCost(
        memoryBytes: training.map {
          ($0.batchSize + (own.protocol == .finetune ? 8 * own.finetune.batchSize : 0)
            + Self.megabytes(own.dataset.limit, $0.projector.widths)) << 20
        }, diskBytes: 1 << 20,
        work: Work(kind: "evaluate \(own.protocol.rawValue)", amount: 1e6, perImage: 1000),
        epochs: own.protocol == .logistic ? nil : own.epochs)
    default: JobCost()
    }
  }
  private static func megabytes(_ limit: Int?, _ widths: [Int]) -> Int {
    (limit ?? 0) / 1_000 + (widths.max() ?? 0) / 4_096 * 1_000
  }
  func refuse(_ text: String?) { reason.withLock { $0 = text } }
  func lack(_ text: String?) { lack.withLock { $0 = text } }
}

/// Writes what was ordered where a file would be, or refuses.
final class FakeExports: ModelExports {
  private let state = Mutex<(orders: [ExportOrder], problem: OrderProblem?, forgotten: [JobID])>(
    ([], nil, []))
  var forgotten: [JobID] { state.withLock { $0.forgotten } }
  func forget(_ job: JobID) { state.withLock { $0.forgotten.append(job) } }
  var orders: [ExportOrder] { state.withLock { $0.orders } }
  func refuse(_ problem: OrderProblem?) { state.withLock { $0.problem = problem } }

  func export(_ order: ExportOrder) -> Asked<ExportFinding> {
    let problem = state.withLock { state in
      state.orders.append(order)
      return state.problem
    }
    if let problem { return .known(.failure(problem)) }
    let path = "\(FileSystem.temporaryDirectory)/vicregd-export-\(order.digest)"
    let bytes = Array("\(order.format) \(order.part)".utf8)
    // Without the file its answer is empty, which a test sees.
    try? AtomicFile.write(bytes, to: path)
    return .known(.success(ExportedFile(path: path, bytes: bytes.count)))
  }
}

/// Takes every file but one that says that it is wrong for the model that the upload says it is, or for a
/// small one.
enum FakeModels {
  static func check(_ path: String, _ claims: ModelClaims) throws -> ModelFinding {
    let text = String(decoding: try File.content(of: path, .other), as: UTF8.self)
    if text.hasPrefix("wrong") { throw SpecificationProblems([("/body/conv1.weight", "must be right")]) }
    let encoder = EncoderSpecification(
      architecture: claims.architecture ?? .resnet18, width: claims.width ?? 16,
      stem: claims.stem ?? .imagenet, fc: text.hasPrefix("fc") ? 10 : nil)
    return ModelFinding(
      description: ModelDescription(encoder: encoder, imageSize: claims.imageSize), parameterCount: 7)
  }
}

/// Two datasets that are there, and one that is not installed.
struct FakeDatasets: DatasetDirectory {
  func names() -> [String] { ["fashion-mnist", "synthetic", "absent"] }

  func look(_ name: String, _ depth: DatasetDepth) -> Asked<DatasetLook> {
    let counts: [DatasetSelection.Split: Int]
    switch ByteString(name) {
    case "fashion-mnist": counts = [.train: 60_000, .test: 10_000]
    case "synthetic": counts = [.train: 1025, .test: 100]
    case "single": counts = [.train: 1, .test: 0]
    case "unlabelled": counts = [.train: 512, .test: 8]
    case "tiny": counts = [.train: 512, .test: 8]
    case "absent": return refused("absent.gz is not there: install it", isAbsent: true)
    case "damaged": return refused("damaged.gz is not what it should be", isAbsent: false)
    default:
      return refused("there is no dataset \"\(name)\"; there are fashion-mnist, synthetic", isAbsent: true)
    }
    var summary = DatasetSummary(
      name: name, classes: ByteString(name) == "unlabelled" ? ["a"] : ["a", "b"], counts: counts,
      shape: ByteString(name) == "tiny" ? [3, 8, 8] : [3, 32, 32], fingerprint: Self.fingerprint(counts))
    if depth == .statistics { summary.classCounts = [.train: [1000, 25], .test: [60, 40]] }
    return .known(.success(summary))
  }

  func picture(
    name: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) -> Asked<PictureLook> {
    // There is no folder: the fake draws by the choice alone.
    let drawn = try? picture(folder: "", split: split, choice)
    return .known(.success(drawn ?? nil))
  }

  func picture(folder: String, split: DatasetSelection.Split, _ choice: PictureChoice) throws -> [UInt8]? {
    switch choice {
    case .one(let index): index < 3 ? Array("\(split) \(index)".utf8) : nil
    case .sample(let count, let label): Array("\(split) \(count) \(label ?? -1)".utf8)
    }
  }

  static func fingerprint(_ counts: [DatasetSelection.Split: Int]) -> DatasetFingerprint {
    DatasetFingerprint(
      classes: 2, classNames: "ab", shape: [3, 32, 32], planes: 1, mean: [0.1, 0.2, 0.3],
      std: [0.4, 0.5, 0.6], splits: counts.mapValues { .init(images: $0, pixels: "p", labels: "l") })
  }

  private func refused(_ text: String, isAbsent: Bool) -> Asked<DatasetLook> {
    .known(.failure(DatasetRefusal(isAbsent: isAbsent, text)))
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
      ($0["pointer"]?.string?.string ?? "", $0["message"]?.string?.string ?? "")
    }
    return Dictionary(pairs, uniquingKeysWith: { "\($0); \($1)" })
  }
}
