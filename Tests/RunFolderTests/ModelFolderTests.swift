import Platform
import Recipe
import RunFolder
import Testing

/// The files of uploaded models, whenever a daemon was killed (issue 17).
@Suite struct `The folder of models` {
  private let data = "\(FileSystem.temporaryDirectory)/vicregd-models-\(UInt64.random(in: 0 ... .max))"
  private let folder: ModelFolder
  private let id = JobID(unixMilliseconds: 1, random: 0)

  init() throws {
    folder = ModelFolder(data: data)
    try folder.sweep(keeping: [])
  }

  private var names: [String] {
    get throws { try FileSystem.list("\(data)/models").sorted() }
  }

  /// Brings an upload as far as a daemon got before it was killed, and starts another one.
  private func afterKill(
    isRegistered: Bool, _ steps: (ModelFolder, JobID) throws -> Void
  ) throws -> [String] {
    // A folder left behind in the temporary one harms nobody.
    defer { try? FileSystem.removeTree(data) }
    try AtomicFile.write([1, 2], to: folder.uploadPath(of: id))
    try steps(folder, id)
    try folder.sweep(keeping: isRegistered ? [id] : [])
    return try names
  }

  @Test func `an upload that was not registered goes`() throws {
    #expect(try afterKill(isRegistered: false) { _, _ in } == [])
  }

  @Test func `an upload that has its second name and was not registered goes`() throws {
    #expect(try afterKill(isRegistered: false) { try $0.accept($1) } == [])
  }

  @Test func `a model that was registered stays`() throws {
    #expect(try afterKill(isRegistered: true) { try $0.accept($1) } == ["\(id).safetensors"])
  }

  @Test func `a deletion that had no effect is taken back`() throws {
    let names = try afterKill(isRegistered: true) { folder, id in
      try folder.accept(id)
      try FileSystem.remove(folder.uploadPath(of: id))
      try folder.doom(id)
    }
    #expect(names == ["\(id).safetensors"])
  }

  @Test func `a deletion whose row is gone comes to its end`() throws {
    let names = try afterKill(isRegistered: false) { folder, id in
      try folder.accept(id)
      try FileSystem.remove(folder.uploadPath(of: id))
      try folder.doom(id)
    }
    #expect(names == [])
  }

  @Test func `what is unknown stays`() throws {
    let names = try afterKill(isRegistered: false) { folder, id in
      try folder.accept(id)
      try FileSystem.remove(folder.uploadPath(of: id))
      try AtomicFile.write([3], to: "\(data)/models/notes.txt")
      try AtomicFile.write([3], to: "\(data)/models/\(id).bak")
    }
    #expect(names == ["\(id).bak", "\(id).safetensors", "notes.txt"])
  }

  @Test func `has the digest of a whole file`() throws {
    // A folder left behind in the temporary one harms nobody.
    defer { try? FileSystem.removeTree(data) }
    try AtomicFile.write(Array("abc".utf8), to: folder.uploadPath(of: id))
    #expect(
      try RunFolder.sha256(of: folder.uploadPath(of: id))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
