import Platform
import RunFolder
import Testing

@Suite struct `The folder of the step that is kept` {
  private struct Killed: Error {}

  private func with(_ body: (RunFolder) throws -> Void) throws {
    let folder = RunFolder("\(FileSystem.temporaryDirectory)/vicregd-kept-\(UInt64.random(in: 0 ... .max))")
    try folder.create()
    // A folder left behind in the temporary one harms nobody.
    defer { try? FileSystem.removeTree(folder.path) }
    try body(folder)
  }

  @Test func `has nothing before, then one file, in whose place the next one comes`() throws {
    try with { folder in
      #expect(try folder.captures.kept() == nil)
      for step in [12, 7] {
        let name = try folder.captures.store(step: step) { try $0([1, 2, UInt8(step)]) }
        #expect(try FileSystem.list(folder.captures.path) == [name])
        #expect(try folder.captures.kept() == "\(folder.captures.path)/\(name)")
      }
    }
  }

  @Test func `keeps the file before where writing fails, and never names a half one`() throws {
    try with { folder in
      let name = try folder.captures.store(step: 3) { try $0([1]) }
      #expect(throws: Killed.self) {
        _ = try folder.captures.store(step: 9) {
          try $0([2])
          throw Killed()
        }
      }
      // What a worker leaves that is killed while it writes.
      let half = "\(folder.captures.path)/step-00000009.safetensors.gz.tmp-1"
      try AtomicFile.write([2], to: half)
      #expect(try folder.captures.kept() == "\(folder.captures.path)/\(name)")
      try folder.removeLeftovers()
      #expect(try FileSystem.list(folder.captures.path) == [name])
    }
  }
}
