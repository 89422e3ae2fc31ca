import Foundation
import Platform
import Testing

/// Files that are not what their names promise.
@Suite struct `Odd files` {
  let folder = TemporaryFolder()

  private var path: String { "\(folder.path)/odd" }

  private static let kinds = ["fifo", "socket", "folder", "device", "link to device"]

  private func make(_ kind: String) throws {
    switch kind {
    case "fifo": #expect(mkfifo(path, 0o600) == 0)
    case "socket": try makeSocket()
    case "folder": try FileSystem.makeDirectories(path)
    default: #expect(symlink("/dev/zero", path) == 0)
    }
  }

  private func makeSocket() throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bytes = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, bytes) }
    }
    #expect(result == 0)
  }

  @Test(arguments: kinds)
  func `are refused in every mode at once, with what they are`(kind: String) throws {
    try make(kind)
    for mode in [File.Mode.read, .append, .readWrite] {
      for links in [File.Links.followed, .refused] {
        let error = try #require(throws: SystemError.self) { try File(path, mode, links: links) }
        #expect(error.isNotRegular)
        #expect("\(error)".contains("must be a regular file"), "\(error)")
        #expect("\(error)".contains(path))
      }
    }
    #expect(throws: SystemError.self) { try File.content(of: path, .lock) }
    #expect(FileSystem.regularFileSize(path) == nil)
    #expect(ConfinedFile(root: folder.path, relativePath: "odd") == nil)
    #expect(throws: SystemError.self) { try ChildProcess("/bin/true", [], logPath: path) }
  }

  @Test(arguments: [
    ReadLimit.checkpointManifest, .runSpecification, .convolutionRecord, .lock, .tokens, .certificate, .other,
  ])
  func `of three terabytes are refused before memory is taken, and full ones are read`(limit: ReadLimit)
    throws
  {
    let file = try File(path, .createNew)
    try file.truncate(to: 3 << 40)
    let before = ProcessMemory.peakResidentBytes
    let error = try #require(throws: SystemError.self) { try File.content(of: path, limit) }
    #expect("\(error)".contains("at most \(limit.bytesMax) bytes"), "\(error)")
    #expect(ProcessMemory.peakResidentBytes - before < 64 << 20)
    try file.truncate(to: limit.bytesMax + 1)
    #expect(throws: SystemError.self) { try File.content(of: path, limit) }
    if limit.bytesMax <= 4 << 20 {
      try file.truncate(to: limit.bytesMax)
      #expect(try File.content(of: path, limit).count == limit.bytesMax)
      try file.truncate(to: 0)
      #expect(try File.content(of: path, limit).isEmpty)
    }
  }

  @Test func `the kernel's files are read although they have no size`() throws {
    #expect(try !File.content(of: "/proc/self/stat", .kernel).isEmpty)
    #expect(MachineMemory.totalBytes ?? 0 > 0)
  }

  @Test func `a link is followed only where it may be`() throws {
    try AtomicFile.write([1, 2], to: "\(folder.path)/target")
    #expect(symlink("target", path) == 0)
    #expect(try File(path, .read).readAll() == [1, 2])
    let error = try #require(throws: SystemError.self) { try File(path, .read, links: .refused) }
    #expect("\(error)".contains("it is a symbolic link"), "\(error)")
    #expect(FileSystem.regularFileSize(path) == nil)
    // A new file appears under the name, and the target stays.
    try AtomicFile.write([3], to: path)
    #expect(try File(path, .read, links: .refused).readAll() == [3])
    #expect(try File("\(folder.path)/target", .read).readAll() == [1, 2])
  }

  /// 1901, before 1970, 2300, the last second of 9999, and what no calendar has.
  @Test(arguments: [-2_177_452_800, -1, 0, 10_413_792_000, 253_402_300_799, 1 << 40, -(1 << 40), .max, .min])
  func `have any time without harm`(seconds: Int) throws {
    try AtomicFile.write([1], to: path)
    let fresh = try #require(FileIdentity(path: path))
    let times = [timespec(tv_sec: seconds, tv_nsec: 999_999_999), timespec(tv_sec: seconds, tv_nsec: 0)]
    // The file system may know fewer times than the kernel, or refuse.
    guard utimensat(AT_FDCWD, path, times, 0) == 0 else { return }
    let dated = try #require(FileIdentity(path: path))
    #expect(dated != fresh && dated == FileIdentity(path: path))
    #expect(try FileSystem.modificationTime(path) == dated.modified)
    #expect(try File(path, .read).readAll() == [1])
  }

  @Test func `new files and folders are their owner's alone, whatever the mask`() throws {
    let old = umask(0)
    defer { umask(old) }
    for (name, mode) in [("a", File.Mode.append), ("b", .readWrite), ("c", .createNew)] {
      _ = try File("\(folder.path)/\(name)", mode)
      #expect(try FileSystem.permissions("\(folder.path)/\(name)") == 0o600)
    }
    try AtomicFile.write([1], to: "\(folder.path)/d")
    #expect(try FileSystem.permissions("\(folder.path)/d") == 0o600)
    _ = try ChildProcess("/bin/true", [], logPath: "\(folder.path)/e").wait()
    #expect(try FileSystem.permissions("\(folder.path)/e") == 0o600)
    try FileSystem.makeDirectories("\(folder.path)/f/g")
    #expect(try FileSystem.permissions("\(folder.path)/f") == 0o700)
    #expect(try FileSystem.permissions("\(folder.path)/f/g") == 0o700)
  }
}

/// Locks that strangers hold, and lock files that are none.
@Suite struct `Strangers' locks` {
  let folder = TemporaryFolder()

  private var path: String { "\(folder.path)/lock" }

  /// Opens the file and locks it, as whoever could open it once may do at any time.
  private func lockAsStranger(_ operation: Int32 = LOCK_EX) throws -> Int32 {
    let descriptor = open(path, O_RDONLY)
    #expect(flock(descriptor, operation | LOCK_NB) == 0)
    return descriptor
  }

  /// The id of a process that has ended.
  private func deadID() throws -> Int32 {
    let child = try ChildProcess("/bin/true", [], logPath: "\(folder.path)/log")
    _ = try child.wait()
    return child.id
  }

  @Test(arguments: [LOCK_EX, LOCK_SH])
  func `a stranger's lock is not held, and the owner gets a file of its own`(operation: Int32) throws {
    let dead = try deadID()
    for content in ["", "\(dead)\n", "\(dead) 12\n1 5\n", "-1\n", "0\n", "rubbish\n1 -5\n"] {
      try AtomicFile.write(Array(content.utf8), to: path)
      chmod(path, 0o644)
      let stranger = try lockAsStranger(operation)
      defer { close(stranger) }
      #expect(try !FileLock.isHeld(path), "\(content)")
      let lock = try FileLock.acquire(path)
      #expect(lock != nil, "\(content)")
      #expect(try FileLock.isHeld(path))
      #expect(try FileLock.acquire(path) == nil)
      #expect(FileLock.owner(path) == ProcessID.own)
      #expect(try FileSystem.permissions(path) == 0o600)
      withExtendedLifetime(lock) {}
    }
    #expect(try FileSystem.list(folder.path) == ["lock", "log"])
  }

  @Test func `a process that got the id of a dead owner is not the owner`() throws {
    // This process began at another tick.
    try AtomicFile.write(Array("\(ProcessID.own) 1\n".utf8), to: path)
    let stranger = try lockAsStranger()
    defer { close(stranger) }
    #expect(try !FileLock.isHeld(path))
    #expect(try FileLock.acquire(path) != nil)
  }

  @Test func `a lock file that others can read is theirs no longer once it is taken`() throws {
    try AtomicFile.write([], to: path)
    chmod(path, 0o644)
    let lock = try FileLock.acquire(path)
    #expect(lock != nil)
    #expect(try FileSystem.permissions(path) == 0o600)
  }

  @Test(arguments: ["fifo", "link"])
  func `what is not a regular file is not held, and is replaced`(kind: String) throws {
    if kind == "fifo" { #expect(mkfifo(path, 0o600) == 0) } else { #expect(symlink("/dev/zero", path) == 0) }
    #expect(try !FileLock.isHeld(path))
    #expect(FileLock.owner(path) == nil && FileLock.note(path) == nil)
    let lock = try FileLock.acquire(path)
    #expect(lock != nil)
    #expect(try FileLock.isHeld(path))
    #expect(FileSystem.regularFileSize(path) ?? 0 > 0)
  }

  @Test func `of many that want a stranger's lock at once one gets it`() throws {
    for _ in 0..<20 {
      try AtomicFile.write([], to: path)
      let stranger = try lockAsStranger()
      defer { close(stranger) }
      let held = Held()
      let threads = try (0..<6).map { _ in
        try Thread(name: "wants") { [path] in
          // A turn that another has is an error to nobody.
          if let lock = try? FileLock.acquire(path) { held.keep(lock) }
        }
      }
      for thread in threads { thread.join() }
      #expect(held.count <= 1)
      #expect(try FileLock.isHeld(path) == (held.count == 1))
    }
  }

  private final class Held: @unchecked Sendable {
    private let lock = NSLock()
    private var locks: [FileLock] = []
    func keep(_ one: FileLock) { lock.withLock { locks.append(one) } }
    var count: Int { lock.withLock { locks.count } }
  }
}
