import JobModel
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

  @Test func `refuses wrong metadata`() {
    for (key, value) in [("step", "-1"), ("epoch", "one"), ("spec", "{\"epochz\":1}"), ("spec", "{")] {
      var file = Self.checkpoint.file
      file.metadata[key] = value
      #expect(throws: CheckpointError.self) { try Checkpoint(file) }
    }
    var newer = Self.checkpoint.file
    newer.metadata["version"] = "2"
    #expect(throws: CheckpointError.version("2")) { try Checkpoint(newer) }
  }

  @Test func `names the file that cannot be read`() throws {
    let error = try #require(throws: CheckpointError.self) { try Checkpoint(path: "/nonexistent/step.gz") }
    #expect(error.description.contains("/nonexistent/step.gz"))
  }
}
