import JSONText
import Platform
import RunFolder
import Testing

@Suite("The folder of artifacts")
struct ArtifactFolderTests {
  private struct Killed: Error {}

  @Test func `has whole files with their manifests, each replaced by the next of its name`() throws {
    let folder = RunFolder(
      "\(FileSystem.temporaryDirectory)/vicregd-artifacts-\(UInt64.random(in: 0 ... .max))")
    try folder.create()
    // A folder left behind in the temporary one harms nobody.
    defer { try? FileSystem.removeTree(folder.path) }
    let artifacts = folder.artifacts
    #expect(try artifacts.list() == [])
    let first = try artifacts.store("a.json", mediaType: "application/json") {
      try $0([1])
      try $0([2])
    }
    #expect(first.bytes == 2)
    #expect(try artifacts.list() == [first])
    #expect(throws: Killed.self) {
      _ = try artifacts.store("a.json", mediaType: "application/json") {
        try $0([3])
        throw Killed()
      }
    }
    #expect(try artifacts.list() == [first])
    let second = try artifacts.store("a.json", mediaType: "text/plain") { try $0([4]) }
    #expect(try artifacts.list() == [second])
    // What a worker leaves that is killed while it writes.
    try AtomicFile.write([2], to: "\(artifacts.path)/b.json.tmp-1")
    try folder.removeLeftovers()
    #expect(try artifacts.list() == [second])
    #expect(try FileSystem.list(artifacts.path).sorted() == ["a.json", "a.json.manifest"])
  }

  @Test func `manifests read back equal, and wrong ones are none`() throws {
    let manifest = ArtifactManifest(
      name: "a.npy", mediaType: "application/x-npy", bytes: 7, sha256: String(repeating: "a", count: 64),
      createdAtMilliseconds: 1_790_000_000_123)
    #expect(ArtifactManifest(json: manifest.json) == manifest)
    let event = WorkerEvent.artifact(manifest)
    #expect(WorkerEvent(json: try JSON.parse(event.line(time: "2026-01-01T00:00:00Z"))) == event)
    for (key, value) in [
      ("name", "../a"), ("name", "a.manifest"), ("media_type", "plain"), ("media_type", "a/b\nc"),
      ("sha256", "x"), ("created_at", "now"),
    ] {
      guard case .object(var members) = manifest.json else { Issue.record("no object"); return }
      members[.init(key)] = .string(value)
      #expect(ArtifactManifest(json: .object(members)) == nil)
    }
  }
}
