import JSONText
import Platform
import Recipe
import RunFolder
import Testing

@Suite struct `Run specifications` {
  let scratch = ScratchRun()
  static let job = JobID(unixMilliseconds: 1, random: 2)

  static let all: [RunSpec] = [
    RunSpec(
      job: job, attempt: 1, specification: .train(.preset(.small)), threads: 2,
      resumeFrom: "/data/step-00000010.safetensors.gz"),
    RunSpec(
      job: job, attempt: 3,
      specification: .evaluate(
        EvaluateSpecification(
          checkpoint: CheckpointReference(job: job, which: "last"), protocol: .linear, features: .cached,
          dataset: EvaluationDataset(name: "fashion-mnist", limit: 100), baselines: true, epochs: 50, seed: 7)
      ),
      threads: 1, checkpointPath: "/data/step-00000010.safetensors.gz"),
  ]

  @Test(arguments: all) func `what is written reads back equal`(spec: RunSpec) throws {
    try scratch.folder.writeSpec(spec)
    #expect(try scratch.folder.readSpec() == spec)
  }

  @Test(arguments: ["{}", "{", "[]", #"{"job":"x"}"#])
  func `a damaged specification is an error that names the file`(text: String) throws {
    try AtomicFile.write(Array(text.utf8), to: scratch.folder.specPath)
    let error = #expect(throws: RunFolderError.self) { try scratch.folder.readSpec() }
    #expect(error?.subject == scratch.folder.specPath)
  }

  @Test func `recorded convolutions read back equal, are nil before, and damaged an error`() throws {
    let folder = scratch.folder
    #expect(try folder.readConvolutions() == nil)
    let record: JSON = ["encoder.fc": ["forward": "direct"]]
    try folder.writeConvolutions(record)
    #expect(try folder.readConvolutions() == record)
    try AtomicFile.write(Array("{\"encoder".utf8), to: folder.convolutionsPath)
    let error = #expect(throws: RunFolderError.self) { try folder.readConvolutions() }
    #expect(error?.subject == folder.convolutionsPath)
  }

  @Test func `a specification that is not there is an error that names the file`() {
    let error = #expect(throws: RunFolderError.self) { try scratch.folder.readSpec() }
    #expect(error?.subject == scratch.folder.specPath)
  }
}
