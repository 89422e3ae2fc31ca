import Foundation
import Platform
import Recipe
import RunFolder
import Testing
import Text

/// Run folders in which somebody has put something else.
@Suite struct `Odd run folders` {
  let scratch = ScratchRun()
  var folder: RunFolder { scratch.folder }

  @Test func `a pipe in place of any file is an error at once`() throws {
    for path in [folder.specPath, folder.convolutionsPath, folder.eventsPath] {
      #expect(mkfifo(path, 0o600) == 0)
    }
    #expect(throws: RunFolderError.self) { try folder.readSpec() }
    #expect(throws: RunFolderError.self) { try folder.readConvolutions() }
    #expect(throws: SystemError.self) { try folder.lastEvent() }
    #expect(throws: SystemError.self) { try EventWriter(folder) }
    #expect(throws: SystemError.self) { try EventTail.end(of: folder.eventsPath) }
    var tail = EventTail(path: folder.eventsPath)
    #expect(throws: RunFolderError.self) { try tail.next() }
    // A new specification takes the pipe's place.
    let spec = RunSpec(
      job: JobID(unixMilliseconds: 1, random: 1), attempt: 1, specification: .train(.preset(.small)),
      threads: 1)
    try folder.writeSpec(spec)
    #expect(try folder.readSpec() == spec)
  }

  @Test func `events of three terabytes without a line are an error, not hours of reading`() throws {
    try File(folder.eventsPath, .createNew).truncate(to: 3 << 40)
    #expect(throws: SystemError.self) { try folder.lastEvent() }
    #expect(throws: SystemError.self) { try EventWriter(folder) }
    var tail = EventTail(path: folder.eventsPath)
    #expect(throws: RunFolderError.self) { try tail.next() }
  }

  @Test(
    arguments: [
      ("1 60000", 60_000), ("1 0", 0), ("1 -5", nil), ("1 9223372036854775807", nil), ("1 315360000001", nil),
      ("1 315360000000", 315_360_000_000), ("1", nil), ("1 2 3", nil), ("1  2", nil), ("x y", nil), ("", nil),
      ("0 5", nil), ("-1 5", nil), ("1 5\u{301}", nil), ("1 99999999999999999999", nil),
    ] as [(String, Int?)])
  func `a sign of life counts only if a worker may have given it`(note: String, age: Int?) throws {
    try AtomicFile.write(Array("77 1\n\(note)\n".utf8), to: folder.lockPath)
    #expect(folder.ageMilliseconds(ofAttempt: 1) == age)
    #expect(folder.ageMilliseconds(ofAttempt: 2) == nil)
  }

  @Test func `numbers of a specification outside their ranges are refused`() throws {
    let spec = RunSpec(
      job: JobID(unixMilliseconds: 1, random: 1), attempt: 1, specification: .train(.preset(.small)),
      threads: 1)
    for (key, value) in [
      ("attempt", 0), ("attempt", -1), ("attempt", .max), ("threads", 0), ("threads", 1025),
      ("threads", .min),
    ] as [(String, Int)] {
      var members = try #require(spec.json.object)
      members[ByteString(key)] = .integer(value)
      #expect(throws: RunFolderError.self) { try RunSpec(json: .object(members)) }
    }
  }

  @Test func `files that a run writes are its owner's alone`() throws {
    let lock = try RunLock(folder)
    let events = try EventWriter(folder)
    try events.append(.warning(message: "a"))
    try lock.beat(attempt: 1)
    #expect(folder.ageMilliseconds(ofAttempt: 1) != nil)
    #expect(try folder.isAlive())
    for path in [folder.lockPath, folder.eventsPath] {
      #expect(try FileSystem.permissions(path) == 0o600)
    }
  }
}
