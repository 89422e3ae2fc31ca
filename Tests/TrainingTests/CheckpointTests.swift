import JSONText
import Platform
import Recipe
import Testing

@testable import Training

@Suite("Checkpoint")
struct CheckpointTests {
  private static let checkpoint = Checkpoint(
    step: 7, epoch: 2, position: 1, specification: .preset(.seed), instructionSet: "avx512",
    tensors: ["encoder.bn1.weight": TensorValue(shape: [2], .float32([1, 2]))])

  @Test(arguments: Preset.allCases) func `carries the whole specification of every preset`(preset: Preset)
    throws
  {
    var specification = TrainSpecification.preset(preset)
    specification.seed = 1 << 40 + 1
    let checkpoint = Checkpoint(
      step: 0, epoch: 0, position: 0, specification: specification, instructionSet: "avx2", tensors: [:])
    #expect(try Checkpoint(checkpoint.file) == checkpoint)
  }

  @Test func `holds nothing in its metadata that depends on time, attempt or threads`() {
    #expect(
      Set(Self.checkpoint.file.metadata.keys) == [
        "format", "version", "kind", "step", "epoch", "position", "seed", "isa", "spec",
      ])
  }

  @Test(arguments: ["version", "step", "epoch", "position", "isa", "spec"])
  func `refuses metadata without an entry and names it`(key: String) throws {
    var file = Self.checkpoint.file
    file.metadata[key] = nil
    #expect(throws: CheckpointError.metadata(key: key, "is missing")) { try Checkpoint(file) }
  }

  @Test func `of a version that knew fewer fields has their defaults`() throws {
    guard case .object(var members) = Self.checkpoint.specification.json else {
      Issue.record("no object")
      return
    }
    members["divergence"] = nil
    members["max_steps"] = nil
    members["convolution"] = nil
    var file = Self.checkpoint.file
    file.metadata["spec"] = " \(JSON.object(members).text)"
    #expect(try Checkpoint(file) == Self.checkpoint)
  }

  @Test func `refuses wrong metadata`() {
    for (key, value) in [
      ("step", "-1"), ("step", "9223372036854775807"), ("step", "9007199254740993"), ("position", "1e3"),
      ("rollbacks", "9007199254740992"), ("epoch", "one"), ("spec", "{\"epochz\":1}"), ("spec", "{"),
    ] {
      var file = Self.checkpoint.file
      file.metadata[key] = value
      #expect(throws: CheckpointError.self) { try Checkpoint(file) }
    }
    var newer = Self.checkpoint.file
    newer.metadata["version"] = "2"
    #expect(throws: CheckpointError.version("2")) { try Checkpoint(newer) }
  }

  @Test func `is the same file by any number of threads, and unpacks to the same tensors`() throws {
    let values = (0..<3_000_000).map { Float($0 % 977) * 0.125 }
    let file = TensorFile(
      metadata: ["version": "1"],
      tensors: [
        "a": TensorValue(shape: [values.count], .float32(values)), "b": TensorValue(shape: [], .int64([7])),
      ])
    func bytes(_ threads: Int) throws -> [UInt8] {
      var bytes: [UInt8] = []
      try CheckpointFormat.write(file, threads: threads) { bytes += $0 }
      return bytes
    }
    let one = try bytes(1)
    for threads in [2, 3, 8] { #expect(try bytes(threads) == one) }
    let path = "\(FileSystem.temporaryDirectory)/vicregd-members-\(UInt64.random(in: 0 ... .max))"
    try AtomicFile.write(one, to: path)
    defer { try? FileSystem.remove(path) }
    #expect(try CheckpointFormat.read(path: path) == file)
    let members = one.indices.count { one[$0...].starts(with: [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]) }
    #expect(members >= 3)
  }

  @Test func `carries its rollbacks, and says nothing of none`() throws {
    let checkpoint = Checkpoint(
      step: 1, epoch: 0, position: 1, specification: .preset(.small), instructionSet: "avx2", rollbacks: 2,
      tensors: [:])
    #expect(checkpoint.file.metadata["rollbacks"] == "2")
    #expect(try Checkpoint(checkpoint.file) == checkpoint)
    #expect(Self.checkpoint.file.metadata["rollbacks"] == nil)
  }

  @Test func `names the file that cannot be read`() throws {
    let error = try #require(throws: CheckpointError.self) { try Checkpoint(path: "/nonexistent/step.gz") }
    #expect(error.description.contains("/nonexistent/step.gz"))
  }
}
