import JSONText
import Platform
import Testing

/// Datasets are looked at in processes of their own, and named by a path only below roots (issue 14, lines 5,
/// 6 and 12).
@Suite(.serialized) struct `Datasets of the daemon` {
  /// Folders for datasets, which go with the value.
  private final class Place {
    let path: String
    var root: String { "\(path)/below" }

    init() throws {
      let folder = try FileSystem.resolve(FileSystem.temporaryDirectory)
      path = "\(folder)/vicregd-datasets-\(UInt64.random(in: 0 ... .max))"
      for name in ["below/digits", "outside"] { try FileSystem.makeDirectories("\(path)/\(name)") }
      for name in ["below/digits", "outside"] { try write("\(path)/\(name)") }
    }

    func write(_ folder: String) throws {
      for (prefix, count) in [("train", UInt8(16)), ("t10k", 8)] {
        let header: [UInt8] = [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8]
        let pixels = (0..<64 * Int(count)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try AtomicFile.write(header + pixels, to: "\(folder)/\(prefix)-images-idx3-ubyte")
        let labels = (0..<count).map { $0 % 4 }
        try AtomicFile.write(
          [0, 0, 8, 1, 0, 0, 0, count] + labels, to: "\(folder)/\(prefix)-labels-idx1-ubyte")
      }
    }

    // A folder that stays behind in the temporary directory harms no test.
    deinit { try? FileSystem.removeTree(path) }
  }

  private func encoded(_ name: String) -> String {
    name.utf8.map { $0 == UInt8(ascii: "/") ? "%2F" : String(UnicodeScalar($0)) }.joined()
  }

  private func run(_ program: String, _ arguments: [String], in place: Place) throws {
    let child = try ChildProcess(program, arguments, logPath: "\(place.path)/run.txt")
    try #require(try child.wait() == .exited(code: 0))
  }

  @Test func `a path is taken below a root only, with the same answer whether or not something is there`()
    throws
  {
    let place = try Place()
    let daemon = try Daemon(arguments: [
      "--workers", "1", "--dataset-root", place.root, "--dataset-root=/usr",
    ])
    let inside = "mnist-idx:\(place.root)/digits"
    let found = try daemon.get("/datasets/\(encoded(inside))")
    #expect(found["counts"] == ["train": 16, "test": 8] && found["classes"] == ["0", "1", "2", "3"])
    let job = try daemon.finishedJob(try daemon.queue(SmallRun.job(epochs: 2, dataset: inside)))
    #expect(job["state"] == "succeeded", "\(job.text)")

    let outside = [
      "outside", "absent", "below/../outside", "below/../absent", "outside/train-images-idx3-ubyte",
    ]
    var texts: Set<String> = []
    for name in outside.map({ "mnist-idx:\(place.path)/\($0)" }) + ["mnist-idx:below/digits"] {
      let shown = try daemon.request("GET", "/datasets/\(encoded(name))")
      #expect(shown.status == 422)
      texts.insert(try JSON.parse(shown.body)["detail"]?.string?.string ?? "")
      let posted = try daemon.request("POST", "/jobs", SmallRun.job(dataset: name).text)
      #expect(posted.status == 422)
      let error = try JSON.parse(posted.body)["errors"]?.array?.first
      #expect(error?["pointer"] == "/spec/dataset/name")
      texts.insert(error?["message"]?.string?.string ?? "")
    }
    #expect(
      texts.count == 1
        && texts.first?.contains("must lie below one of the roots set by --dataset-root") == true)
    #expect(try daemon.request("GET", "/datasets/nothing").status == 404)
  }

  @Test func `a link that is swapped after a job was queued leads its worker nowhere`() throws {
    let place = try Place()
    let daemon = try Daemon(arguments: ["--workers", "1", "--dataset-root", place.root])
    try run("/bin/ln", ["-sfn", "digits", "\(place.root)/link"], in: place)
    let first = try daemon.queue(SmallRun.job(epochs: 10_000))
    let second = try daemon.queue(SmallRun.job(dataset: "mnist-idx:\(place.root)/link"))
    try run("/bin/ln", ["-sfn", "../outside", "\(place.root)/link"], in: place)
    #expect(try daemon.request("POST", "/jobs/\(first)/cancel", #"{"mode":"now"}"#).status == 202)
    let record = try daemon.finishedJob(second)
    #expect(record["state"] == "failed" && record["reason"] == "bad_input")
    #expect(record["message"]?.string?.string.contains("--dataset-root") == true, "\(record.text)")
  }

  @Test func `a dataset that takes too long or too much is refused, and the daemon answers meanwhile`() throws
  {
    let place = try Place()
    let daemon = try Daemon(
      arguments: ["--dataset-root", place.root, "--inspection-seconds", "1", "--inspection-mib", "256"])
    // Its statistics take longer than a second; many ask, and none holds a handler.
    let slow = try (0..<20).map { _ in try PendingAnswer(daemon, "/datasets/synthetic:side=512,count=500") }
    #expect(try daemon.get("/healthz")["status"] == "ok")
    for answer in slow {
      let text = try answer.text()
      #expect(text.contains(" 422 ") && text.contains("took longer than 1 s"), "\(text)")
    }
    // A header that promises more than memory holds.
    let path = "\(place.root)/digits/train-labels-idx1-ubyte"
    try AtomicFile.write([0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3], to: path)
    let name = encoded("mnist-idx:\(place.root)/digits")
    #expect(try daemon.request("GET", "/datasets/\(name)").status == 422)
    #expect(
      try daemon.request("POST", "/jobs", SmallRun.job(dataset: "mnist-idx:\(place.root)/digits").text).status
        == 422)
    #expect(try daemon.get("/healthz")["status"] == "ok")
  }

  /// A request whose answer is read later.
  private final class PendingAnswer {
    private let socket: Socket

    init(_ daemon: Daemon, _ path: String) throws {
      socket = try Socket.connect(host: "127.0.0.1", port: daemon.port, timeoutSeconds: 120)
      let head = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(daemon.port)\r\nConnection: close\r\n\r\n"
      let bytes = Array(head.utf8)
      var sent = 0
      while sent < bytes.count, case .moved(let count) = socket.write(bytes, from: sent) { sent += count }
    }

    func text() throws -> String {
      var received: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 64 << 10)
      while case .moved(let count) = socket.read(into: &piece) { received += piece[..<count] }
      return String(decoding: received, as: UTF8.self)
    }
  }

  @Test func `a worker inherits the variables on the list and no others`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-variables-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(data)
    defer { try? FileSystem.removeTree(data) }
    var variables = Environment.all
    variables["SECRET_KEY"] = "s3cret"
    variables["OMP_NUM_THREADS"] = "7"
    variables["LAB_ONE"] = "passed"
    let process = try WatchedProcess(
      ChildProcess(
        try Daemon.program(),
        ["serve", "--port", "0", "--data", data, "--worker-environment", "LAB_*,LANGUAGE"],
        environment: variables, logPath: "\(data)/log.txt"))
    defer { if let id = FileLock.owner("\(data)/lock") { ProcessID.send(.kill, to: id) } }
    let port = try eventually { () -> Int? in
      let line = try Faults.text(of: "\(data)/log.txt").split(separator: "\n").compactMap {
        try? JSON.parse(String($0))
      }.first
      return line?["url"]?.string?.string.split(separator: ":").last.flatMap { Int($0) }
    }
    let answer = try Answer(
      port: port, method: "POST", path: "/jobs", body: SmallRun.job(epochs: 10_000).text)
    let job = try #require(try JSON.parse(answer.body)["id"]?.string?.string)
    let worker = try eventually { FileLock.owner("\(data)/runs/\(job)/lock") }
    defer { ProcessID.send(.kill, to: worker) }
    let bytes = try File("/proc/\(worker)/environ", .read).read(at: 0, countMax: 1 << 16)
    let names = Set(
      bytes.split(separator: 0).map { String(decoding: $0.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self) }
    )
    #expect(
      names.isSuperset(of: ["PATH", "HOME", "LAB_ONE", "VICREGD_FASHION_MNIST", "VICREGD_DATASET_ROOT"]))
    #expect(names.isDisjoint(with: ["SECRET_KEY", "OMP_NUM_THREADS"]))
    #expect(process.ending == nil)
  }
}
