import Datasets
import Inspector
import Platform
import Recipe
import SharedWork
import Testing

/// A dataset root with a folder of IDX files, and a shell script in place of the inspecting process: `$4` is
/// what to look at and `$5` the name; each run leaves a line in `runs`.
private final class Bench: Sendable {
  let path: String
  let inspector: DatasetInspector
  var name: String { "mnist-idx:\(path)/below/digits" }
  var runs: Int { ((try? File("\(path)/runs", .read).readAll()) ?? []).count { $0 == UInt8(ascii: "\n") } }

  static let answer = """
    echo '{"classes":["0","1"],"counts":{"train":3,"test":2},"shape":[3,32,32],"planes":1,\
    "is_packed":false,"class_counts":{"train":[2,1]},\
    "fingerprint":{"classes":2,"class_names_sha256":"c","shape":[3,32,32],"planes":1,"mean":[0,0,0],\
    "std":[1,1,1],"splits":{"train":{"images":3,"pixels_sha256":"p","labels_sha256":"l"}}}}'
    """

  init(_ script: String, seconds: Int = 60) throws {
    let folder = try FileSystem.resolve(FileSystem.temporaryDirectory)
    path = "\(folder)/vicregd-inspector-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories("\(path)/below/digits")
    try AtomicFile.write([1, 2, 3], to: "\(path)/below/digits/train-images-idx3-ubyte")
    try AtomicFile.write(Array("echo \"$3 $4\" >> \(path)/runs\n\(script)\n".utf8), to: "\(path)/look.sh")
    inspector = DatasetInspector(
      DatasetInspector.Configuration(
        program: "/bin/bash", arguments: ["\(path)/look.sh"], environment: ["PATH": "/usr/bin:/bin"],
        seconds: seconds, memoryBytes: 1 << 30),
      catalog: DatasetCatalog(roots: try RootFolders(["\(path)/below"])))
  }

  // A folder that stays behind in the temporary directory harms no test.
  deinit { try? FileSystem.removeTree(path) }

  func look(_ name: String? = nil, _ depth: DatasetDepth = .layout) -> DatasetFinding? {
    switch inspector.look(name ?? self.name, depth) {
    case .known(let finding): return finding
    case .busy: return nil
    case .coming(let ticket):
      let monitor = Monitor()
      ticket.attach { monitor.signal() }
      monitor.wait { ticket.value() != nil }
      defer { ticket.close() }
      return ticket.value()
    }
  }

  /// Why the dataset cannot be used.
  func problem(_ name: String? = nil) -> DatasetProblem? {
    if case .failure(let problem)? = look(name) { problem } else { nil }
  }
}

@Suite struct `The inspector of datasets` {
  @Test func `looks once at a dataset whose files stay the same, and again when they have changed`() throws {
    let bench = try Bench(Bench.answer)
    for _ in 0..<5 { #expect(try bench.look()?.get().counts == [.train: 3, .test: 2]) }
    #expect(try bench.look("mnist-idx:\(bench.path)/below/./digits/")?.get().classes == ["0", "1"])
    #expect(bench.runs == 1)
    for depth in [DatasetDepth.contents, .statistics] {
      let fingerprint = try bench.look(nil, depth)?.get().fingerprint
      #expect(fingerprint?.std == [1, 1, 1] && fingerprint?.splits[.train]?.images == 3)
    }
    #expect(bench.runs == 2)
    try AtomicFile.write([1, 2, 3], to: "\(bench.path)/below/digits/train-images-idx3-ubyte")
    _ = bench.look()
    #expect(bench.runs == 3, "another file of the same size")
    try AtomicFile.write([1], to: "\(bench.path)/below/digits/t10k-labels-idx1-ubyte.gz")
    _ = bench.look()
    #expect(bench.runs == 4, "one more file")
  }

  @Test func `a picture is drawn once, and a problem or nothing is told from it`() throws {
    let bench = try Bench(
      """
      case "$5" in 0) echo PNG;; 1) ;; *) echo '{"problem":"unusable","message":"is damaged"}';; esac
      """)
    func picture(_ index: Int) throws -> PictureFinding {
      let monitor = Monitor()
      switch bench.inspector.picture(bench.name, .test, .one(index: index)) {
      case .known(let finding): return finding
      case .busy: throw DatasetProblem(.unusable, "busy")
      case .coming(let ticket):
        ticket.attach { monitor.signal() }
        monitor.wait { ticket.value() != nil }
        defer { ticket.close() }
        return try #require(ticket.value())
      }
    }
    for _ in 0..<2 { #expect(try picture(0).get() == Array("PNG\n".utf8)) }
    #expect(bench.runs == 1)
    #expect(try picture(1).get() == nil)
    #expect(try picture(2) == .failure(DatasetProblem(.unusable, "is damaged")))
  }

  @Test func `whether a dataset is packed passes through the process`() {
    let report = finding(
      of: [
        "classes": ["a"], "counts": ["train": 3, "test": 2], "shape": [3, 8, 8], "planes": 3,
        "is_packed": true, "class_counts": ["train": [3]], "fingerprint": nil,
      ])
    guard case .success(let report)? = report else {
      Issue.record("it is no finding")
      return
    }
    #expect(report.extent.isPacked && report.classCounts == [.train: [3]])
    #expect(finding(of: json(of: .success(report))) == .success(report))
  }

  @Test func `starts no process for what the name alone says`() throws {
    let bench = try Bench(Bench.answer)
    #expect(try bench.look("synthetic:count=50,side=512")?.get().counts == [.train: 50, .test: 10])
    #expect(bench.problem("nothing")?.kind == .absent)
    #expect(bench.problem("synthetic:count=x")?.kind == .unusable)
    #expect(bench.problem("cifar10:/etc")?.description.contains("--dataset-root") == true)
    #expect(bench.problem(String(repeating: "é", count: 100_000))?.description.utf8.count ?? .max < 1_000)
    #expect(bench.runs == 0)
  }

  @Test(arguments: [
    ("kill -KILL $$", "was killed by signal 9"), ("exit 3", "exited with code 3"),
    ("echo '{'", "gave no answer"),
    ("echo '{\"classes\":[]}'", "gave no answer"), ("while true; do echo 0123456789; done", "is over"),
  ])
  func `a process that fails is a problem of the dataset, which is remembered`(
    script: String, text: String
  ) throws {
    let bench = try Bench(script)
    let problem = try #require(bench.problem())
    #expect(problem.kind == .unusable && problem.description.contains(text), "\(problem)")
    #expect(bench.problem() == problem)
    #expect(bench.runs == 1)
  }

  @Test func `a process that takes too long is killed`() throws {
    let bench = try Bench("exec sleep 1000", seconds: 1)
    #expect(bench.problem()?.description.contains("took longer than 1 s") == true)
  }

  @Test func `a problem that the process prints is passed on`() throws {
    let bench = try Bench(#"echo '{"problem":"absent","message":"it is not there"}'"#)
    #expect(bench.problem() == DatasetProblem(.absent, "it is not there"))
  }

  @Test func `a line that is full is said, and one process runs at a time`() throws {
    let bench = try Bench("until [ -e \"$(dirname \"$0\")/go\" ]; do sleep 0.01; done; \(Bench.answer)")
    var asked: [Asked<DatasetFinding>] = []
    for index in 0..<100 {
      try FileSystem.makeDirectories("\(bench.path)/below/\(index)")
      asked.append(bench.inspector.look("mnist-idx:\(bench.path)/below/\(index)", .layout))
    }
    let busy = asked.count { if case .busy = $0 { true } else { false } }
    #expect((60...70).contains(busy), "\(busy)")
    try AtomicFile.write([], to: "\(bench.path)/go")
    for case .coming(let ticket) in asked {
      let monitor = Monitor()
      ticket.attach { monitor.signal() }
      monitor.wait { ticket.value() != nil }
    }
    #expect(bench.runs == 100 - busy)
  }
}
