import JSONText
import Platform
import RunFolder
import SharedWork
import Testing

@testable import Embedder

/// An embedder whose processes write some bytes, whatever they are asked, and wait.
private final class Bench: Sendable {
  let path = "\(FileSystem.temporaryDirectory)/vicregd-embedder-\(UInt64.random(in: 0 ... .max))"
  let embedder: ImageEmbedder
  /// Processes that were started.
  var starts: Int { (try? FileSystem.size("\(path)/starts")) ?? 0 }

  /// - Parameters:
  ///   - bytes: what a process writes.
  ///   - last: what it does then.
  init(_ bytes: [UInt8], then last: String = "exec cat > /dev/null", seconds: Int = 60) throws {
    try FileSystem.makeDirectories(path)
    try AtomicFile.write(bytes, to: "\(path)/answers")
    let script = "printf . >> \(path)/starts; cat \(path)/answers; \(last)\n"
    try AtomicFile.write(Array(script.utf8), to: "\(path)/process.sh")
    embedder = try ImageEmbedder(
      ImageEmbedder.Configuration(
        program: "/bin/bash", arguments: ["\(path)/process.sh"], datasetArguments: ["\(path)/process.sh"],
        environment: ["PATH": "/usr/bin:/bin"], threads: 1, processesMax: 2, idleSeconds: 60,
        seconds: seconds, datasetSeconds: 60, memoryBytes: 1 << 30, folder: "\(path)/features",
        folderBytesMax: 1 << 20))
  }

  deinit {
    embedder.close()
    // A folder that stays behind in the temporary directory harms no test.
    try? FileSystem.removeTree(path)
  }

  static let encoder = EncoderOrder(
    checkpointPath: "/c", checkpointSHA256: "s", layer: .pooled, storedSide: 32)

  /// What comes of an order for so many images, or for their neighbours.
  func embed(images: Int = 1, isSearch: Bool = false) throws -> EmbedFinding {
    let order = EmbedOrder(
      encoder: Self.encoder, path: "/i", parts: Array(repeating: 0..<1, count: images), mean: [0, 0, 0],
      std: [1, 1, 1], pixelsMax: 9, search: isSearch ? .init(bankPath: "/b", k: 2) : nil)
    guard case .coming(let ticket) = embedder.embed(order, keeping: self) else { throw Busy() }
    let monitor = Monitor()
    ticket.attach { monitor.signal() }
    monitor.wait { ticket.value() != nil }
    defer { ticket.close() }
    guard let finding = ticket.value() else { throw Busy() }
    return finding
  }

  private struct Busy: Error {}
}

/// A message as it is sent.
private func bytes(_ json: JSON, _ payload: [UInt8] = []) -> [UInt8] {
  let text = json.utf8
  return [text.count, payload.count].flatMap { count in
    (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  } + text + payload
}

private let ready = bytes(["dimension": 2])

@Suite struct `A process that keeps an encoder` {
  @Test func `tells of features`() throws {
    let answer = bytes(["dimension": 2, "neighbours": []], [0, 0, 128, 63, 0, 0, 0, 64])
    let bench = try Bench(ready + answer)
    let expected = ImageEmbeddings(dimension: 2, rows: [0, 0, 128, 63, 0, 0, 0, 64])
    #expect(try bench.embed() == .success(expected))
    #expect(bench.starts == 1)
  }

  @Test(
    arguments: [
      // Not a message, or not an answer.
      ([], 1, false), ([0, 0, 0], 1, false), (bytes("text"), 1, false), (bytes([:]), 1, false),
      ([255, 255, 255, 255, 0, 0, 0, 0], 1, false), ([0, 0, 0, 0, 255, 255, 255, 255], 1, false),
      ([2, 0, 0, 0, 0, 0, 0, 0] + Array("{]".utf8), 1, false),
      // Features of another size than was asked for.
      (bytes(["dimension": 0, "neighbours": []]), 1, false),
      (bytes(["dimension": 1, "neighbours": []], [1, 2, 3]), 1, false),
      (bytes(["dimension": 1, "neighbours": []], [1, 2, 3, 4]), 2, false),
      (bytes(["dimension": 1_048_577, "neighbours": []]), 1, false),
      (bytes(["dimension": 1], [1, 2, 3, 4]), 1, false),
      // Features where neighbours were asked for, and the other way.
      (bytes(["dimension": 1, "neighbours": []], [1, 2, 3, 4]), 1, true),
      (bytes(["dimension": 1, "neighbours": [[]]]), 1, false),
      // Neighbours that are none.
      (bytes(["dimension": 1, "neighbours": [[[1, nil]]]]), 1, true),
      (bytes(["dimension": 1, "neighbours": [[[-1, nil, 0.5]]]]), 1, true),
      (bytes(["dimension": 1, "neighbours": [7]]), 1, true),
      (bytes(["dimension": 1, "neighbours": [[], []]]), 1, true),
    ] as [([UInt8], Int, Bool)])
  func `gives no answer by bytes that are none`(answer: [UInt8], images: Int, isSearch: Bool) throws {
    let bench = try Bench(ready + answer, then: "exit 3")
    guard case .failure(let problem) = try bench.embed(images: images, isSearch: isSearch) else {
      Issue.record("it is an answer")
      return
    }
    #expect(problem.kind == .failed, "\(problem)")
  }

  @Test func `tells of neighbours with and without labels`() throws {
    let bench = try Bench(ready + bytes(["dimension": 2, "neighbours": [[[4, 1, 0.5], [0, nil, -1]]]]))
    let finding = try bench.embed(isSearch: true)
    let neighbours: [ImageEmbeddings.Neighbour] = [
      .init(index: 4, label: 1, similarity: 0.5), .init(index: 0, label: nil, similarity: -1),
    ]
    #expect(finding == .success(ImageEmbeddings(dimension: 2, neighbours: [neighbours])))
  }

  @Test func `tells of images that cannot be decoded, and is kept`() throws {
    let problem = OrderProblem(.images, "the first", parts: [.init(number: 2, message: "is\nnot one")])
    let bench = try Bench(ready + bytes(problem.json))
    guard case .failure(let found) = try bench.embed(images: 2) else { throw Missing() }
    #expect(found.kind == .images && found.parts.map(\.number) == [2])
    // What comes from outside is shown in one line.
    #expect(found.parts.first.map { !$0.message.contains("\n") } == true)
  }

  @Test func `that cannot begin says why`() throws {
    let bench = try Bench(bytes(OrderProblem(.memory, "too large").json))
    #expect(try bench.embed() == .failure(OrderProblem(.memory, "too large")))
  }

  @Test func `that takes too long is ended`() throws {
    let bench = try Bench(ready, seconds: 1)
    guard case .failure(let problem) = try bench.embed() else { throw Missing() }
    #expect(problem.kind == .overTime)
  }

  private struct Missing: Error {}
}
