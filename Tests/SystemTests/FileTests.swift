import Foundation
import Platform
import Testing

@Suite struct `Files` {
  let folder = TemporaryFolder()

  @Test func `what is written atomically is whole and leaves nothing beside it`() throws {
    let path = folder.path + "/a.json"
    try AtomicFile.write(Array("one".utf8), to: path)
    try AtomicFile.write(Array("three".utf8), to: path)
    #expect(try File(path, .read).readAll() == Array("three".utf8))
    #expect(try FileSystem.list(folder.path) == ["a.json"])
  }

  @Test func `an abandoned atomic write leaves the old content and no temporary file`() throws {
    let path = folder.path + "/a.json"
    try AtomicFile.write(Array("old".utf8), to: path)
    do {
      let file = try AtomicFile(path)
      try file.write(Array("new".utf8))
    }
    #expect(try File(path, .read).readAll() == Array("old".utf8))
    #expect(try FileSystem.list(folder.path) == ["a.json"])
  }

  @Test func `appending goes to the end and reading starts where it is told`() throws {
    let path = folder.path + "/log"
    try File(path, .append).write(Array("abc".utf8))
    try File(path, .append).write(Array("def".utf8))
    let file = try File(path, .read)
    #expect(try file.size() == 6)
    #expect(try file.read(at: 2, countMax: 3) == Array("cde".utf8))
    #expect(try file.read(at: 4, countMax: 100) == Array("ef".utf8))
    #expect(try file.read(at: 6, countMax: 100).isEmpty)
  }

  @Test func `writing at an offset leaves the position where it was`() throws {
    let path = folder.path + "/a"
    let file = try File(path, .readWrite)
    try file.write(Array("abc".utf8))
    try file.write(Array("xyz".utf8), at: 1)
    try file.write(Array("d".utf8))
    #expect(try File(path, .read).readAll() == Array("axyd".utf8))
  }

  @Test func `a file that is not there is named with its cause`() throws {
    let error = #expect(throws: SystemError.self) { try File("/no/such/file", .read) }
    #expect(error?.isNotFound == true)
    #expect(error?.description == "cannot open /no/such/file: No such file or directory")
  }

  @Test func `a folder is made with those above it and removed with those below it, following no link`()
    throws
  {
    let outside = TemporaryFolder()
    try AtomicFile.write([1], to: outside.path + "/kept")
    let deep = folder.path + "/x/y/z"
    try FileSystem.makeDirectories(deep)
    try FileSystem.makeDirectories(deep)
    try AtomicFile.write([1], to: deep + "/file")
    #expect(FileSystem.isDirectory(deep))
    try FileSystem.removeTree(folder.path + "/x")
    #expect(!FileSystem.exists(folder.path + "/x"))
    #expect(FileSystem.exists(outside.path + "/kept"))
  }

  @Test(arguments: [("/a/b", "/a"), ("/a", "/"), ("a", "."), ("a/b/c", "a/b")])
  func `the parent of a path is what stands before its last slash`(path: String, parent: String) {
    #expect(FileSystem.parent(of: path) == parent)
  }
}

@Suite struct `File locks` {
  let folder = TemporaryFolder()

  @Test func `a held lock is refused, seen as held, and free after its owner has gone`() throws {
    let path = folder.path + "/lock"
    #expect(try !FileLock.isHeld(path))
    var lock = try FileLock.acquire(path)
    #expect(lock != nil)
    #expect(try FileLock.acquire(path) == nil)
    #expect(try FileLock.isHeld(path))
    #expect(FileLock.owner(path) == ProcessID.own)
    lock = nil
    #expect(try !FileLock.isHeld(path))
    #expect(try FileLock.acquire(path) != nil)
  }

  @Test func `a descriptor that a starting child has copied does not prolong a lock`() throws {
    let path = folder.path + "/lock"
    var lock = try FileLock.acquire(path)
    #expect(lock != nil)
    let entries = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let descriptor = entries.compactMap(Int32.init).first {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
    }
    let copy = dup(try #require(descriptor))
    defer { close(copy) }
    lock = nil
    #expect(try !FileLock.isHeld(path))
    #expect(try FileLock.acquire(path) != nil)
  }

  @Test func `a note outlives its owner, and goes with the next one`() throws {
    let path = folder.path + "/lock"
    var lock = try FileLock.acquire(path)
    #expect(FileLock.note(path) == nil)
    try lock?.note("9 apples")
    try lock?.note("10 apples")
    lock = nil
    #expect(FileLock.note(path) == "10 apples")
    #expect(FileLock.owner(path) == ProcessID.own)
    lock = try FileLock.acquire(path)
    #expect(lock != nil && FileLock.note(path) == nil)
  }
}

/// A folder that goes with the test.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    let name = "vicregd-test-\(ProcessID.own)-\(UInt64.random(in: 0 ... .max))"
    path = "\(FileSystem.temporaryDirectory)/\(name)"
    do {
      try FileSystem.makeDirectories(path)
    } catch {
      preconditionFailure("\(error)")
    }
  }

  deinit {
    // A folder that stays behind in the temporary directory harms no test.
    try? FileSystem.removeTree(path)
  }
}
