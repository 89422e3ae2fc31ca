import JSONText
import JobModel
import Platform
import RunFolder
import Testing

@Suite struct `Events` {
  let scratch = ScratchRun()
  var folder: RunFolder { scratch.folder }

  static let digest = String(repeating: "ab", count: 32)

  static let all: [WorkerEvent] = [
    .started(
      RunStart(
        attempt: 2, step: 10, steps: 100, epochs: 5,
        host: JobHost(
          cpu: "A processor", cores: 4, threads: 2, isa: "avx2", memoryBytes: 1 << 34, version: "1.2.3"))
    ),
    .metric(MetricLine(step: 11, epoch: 1, values: [.init("cov", 1.25), .init("inv", 0.1)])),
    .evaluation(
      MetricLine(step: 12, epoch: 1, values: [.init("holdout_loss", 1.25), .init("knn_top1", 0.5)])),
    .checkpoint(
      CheckpointManifest(name: "step-00000020.safetensors.gz", step: 20, epoch: 1, bytes: 7, sha256: digest)),
    .warning(message: "a \"quoted\" word\nand a line"),
    .result(["top1": 0.875, "baselines": ["raw_pixels": 0.5]]),
    .yielded(step: 20), .yielded(step: 0, reason: .diskFull),
    .checkpoint(CheckpointManifest(name: "n", step: 2, epoch: 1, bytes: 7, sha256: digest, metric: 0.5)),
    .end(RunEnd(state: .failed, reason: .diverged, message: "the loss is not finite")),
    .end(RunEnd(state: .succeeded)),
  ]

  @Test(arguments: all) func `what is written reads back equal`(event: WorkerEvent) throws {
    let line = event.line(time: "2026-11-24T00:00:00.000Z")
    #expect(!line.contains("\n"))
    #expect(WorkerEvent(json: try JSON.parse(line)) == event)
  }

  @Test func `a metric line has its keys in the order of the documentation`() {
    let metric = MetricLine(
      step: 10, epoch: 0, values: [.init("inv", 0.41), .init("var", .nan), .init("lr", 2e-4)])
    #expect(
      WorkerEvent.metric(metric).line(time: "T")
        == #"{"event":"metric","step":10,"epoch":0,"time":"T","inv":0.41,"var":null,"lr":0.0002}"#)
  }

  @Test(arguments: [
    #"{"event":"metric","step":-1,"epoch":0}"#, #"{"event":"metric","step":9223372036854775807,"epoch":0}"#,
    #"{"event":"metric","step":1,"epoch":-9223372036854775808}"#,
    #"{"event":"metric","step":9007199254740993,"epoch":0}"#, #"{"event":"metric","step":1e300,"epoch":0}"#,
    #"{"event":"metric","step":1.5,"epoch":0}"#,
    #"{"event":"started","attempt":0,"step":0,"steps":1,"epochs":1,"threads":1,"isa":"a"}"#,
    #"{"event":"started","attempt":1,"step":0,"steps":1,"epochs":1,"threads":1025,"isa":"a"}"#,
    #"{"event":"started","attempt":2147483648,"step":0,"steps":1,"epochs":1,"threads":1,"isa":"a"}"#,
    #"{"event":"yielded","step":-1}"#,
    #"{"event":"checkpoint","name":"n","step":1,"epoch":0,"bytes":-1,"sha256":"\#(digest)"}"#,
    #"{"event":"checkpoint","name":"n","step":1,"epoch":0,"bytes":1,"sha256":"a\r\nX: y"}"#,
  ])
  func `a number outside its range is no event`(text: String) throws {
    #expect(WorkerEvent(json: try JSON.parse(text)) == nil)
  }

  @Test func `the largest numbers are events`() throws {
    let text = """
      {"event":"started","attempt":2147483647,"step":9007199254740992,"steps":9007199254740992,\
      "epochs":9007199254740992,"threads":1024,"isa":"a"}
      """
    #expect(WorkerEvent(json: try JSON.parse(text)) != nil)
  }

  @Test(arguments: [
    "{}", #"{"event":"dance"}"#, #"{"event":"end","state":"running"}"#, #"{"event":"metric"}"#, "3",
  ])
  func `what no worker writes is no event`(text: String) throws {
    #expect(WorkerEvent(json: try JSON.parse(text)) == nil)
  }

  @Test func `lines come once, in order, and a torn last line only when it is complete`() throws {
    var tail = EventTail(path: folder.eventsPath)
    #expect(try tail.next().isEmpty)
    let file = try File(folder.eventsPath, .append)
    try file.write(Array("one\ntwo\nthr".utf8))
    #expect(
      try tail.next() == [.init(bytes: Array("one".utf8), end: 4), .init(bytes: Array("two".utf8), end: 8)])
    #expect(try tail.next().isEmpty)
    try file.write(Array("ee\n".utf8))
    #expect(try tail.next() == [.init(bytes: Array("three".utf8), end: 14)])
    var later = EventTail(path: folder.eventsPath, offset: 8)
    #expect(try later.next().map(\.end) == [14])
  }

  @Test func `a file cut at every byte gives the same lines`() throws {
    let text = Array("ab\n\ncde\nf\n".utf8)
    for cut in 0...text.count {
      let path = "\(folder.path)/cut-\(cut)"
      let file = try File(path, .append)
      var tail = EventTail(path: path)
      var lines: [String] = []
      for part in [text[..<cut], text[cut...]] {
        try file.write(part)
        lines += try tail.next().map { String(decoding: $0.bytes, as: UTF8.self) }
      }
      #expect(lines == ["ab", "", "cde", "f"])
    }
  }

  @Test func `a line over the limit is an error that says where`() throws {
    try File(folder.eventsPath, .append).write([UInt8](repeating: 65, count: EventTail.lineBytesMax + 1))
    var tail = EventTail(path: folder.eventsPath)
    let error = #expect(throws: RunFolderError.self) { try tail.next() }
    #expect(error?.cause.contains("byte 0") == true)
  }

  @Test func `a new writer cuts off the line that a killed one left unfinished`() throws {
    try File(folder.eventsPath, .append).write(Array("{\"event\":\"x\"}\n{\"ev".utf8))
    let writer = try EventWriter(folder)
    try writer.append(.yielded(step: 3))
    var tail = EventTail(path: folder.eventsPath)
    let lines = try tail.next().map { String(decoding: $0.bytes, as: UTF8.self) }
    #expect(lines.count == 2)
    #expect(lines.first == "{\"event\":\"x\"}")
    #expect(lines.last?.hasPrefix("{\"event\":\"yielded\"") == true)
  }

  @Test func `a new writer empties a file that holds nothing but a torn line`() throws {
    try File(folder.eventsPath, .append).write([UInt8](repeating: 65, count: 200_000))
    _ = try EventWriter(folder)
    #expect(try FileSystem.size(folder.eventsPath) == 0)
  }
}

/// A run folder that goes with the test.
final class ScratchRun: Sendable {
  let folder = RunFolder("\(FileSystem.temporaryDirectory)/vicregd-run-\(UInt64.random(in: 0 ... .max))")

  init() {
    do {
      try folder.create()
    } catch {
      preconditionFailure("\(error)")
    }
  }

  deinit {
    // A folder that stays behind in the temporary directory harms no test.
    try? folder.remove()
  }
}
