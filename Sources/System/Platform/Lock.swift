import Glibc

/// An exclusive advisory lock on a file (`flock(2)`), which holds the owner's process id as text and, on a
/// line below, what the owner has noted last.
///
///     4711 8123456
///     1 60000
///
/// The kernel releases it when the process ends, however it ends. Children do not inherit it; but one that is
/// being started has the descriptor for a moment, and a lock lasts as long as any descriptor of it: so it is
/// let go of explicitly.
///
/// Anybody who can open a file can lock it. So only its owner can open it; a lock counts as held only while
/// the process that the file names is alive; and a file that a stranger has locked is replaced by another.
package final class FileLock: Sendable {
  private let file: File
  /// Where the note begins.
  private let noteOffset: Int

  /// How often a lock whose owner is not alive is looked at again before it counts as a stranger's: the owner
  /// writes its id directly after it has taken the lock.
  private static let looks = 10
  private static let lookMilliseconds = 5

  private init(_ file: File, noteOffset: Int) {
    self.file = file
    self.noteOffset = noteOffset
  }

  deinit { FileLock.unlock(file) }

  /// Takes the lock, creating the file if it is missing; `nil` at once if a living owner holds it.
  ///
  /// What is not a regular file, and a file that a stranger has locked, is replaced.
  package static func acquire(_ path: String) throws(SystemError) -> FileLock? {
    do throws(SystemError) {
      if let file = try lockedFile(path) { return try claim(file) }
      for _ in 0..<looks {
        if isOwnerAlive(path) { return nil }
        SystemClock.sleep(milliseconds: lookMilliseconds)
        if let file = try lockedFile(path) { return try claim(file) }
      }
    } catch  where error.isNotRegular {
      // It never was a lock of ours.
    }
    return try replace(path)
  }

  /// Leaves a note, a few bytes without a newline, in place of the one before, which must not have been
  /// longer. One write, so a death leaves the one or the other; the file's time of modification is now.
  package func note(_ text: String) throws(SystemError) {
    try file.write(Array("\(text)\n".utf8), at: noteOffset)
  }

  /// Whether a living owner holds the lock; a missing file is not held, nor is what is not a regular file.
  ///
  /// Asking takes the lock for an instant, so an owner that starts meanwhile has to try twice.
  package static func isHeld(_ path: String) throws(SystemError) -> Bool {
    do throws(SystemError) {
      let file = try File(path, .read, links: .refused)
      guard try tryLock(file) else { return isOwnerAlive(path) }
      unlock(file)
      return false
    } catch  where error.isNotFound || error.isNotRegular {
      return false
    }
  }

  /// The process id that the last owner left; `nil` if the file is missing, empty or no lock file.
  package static func owner(_ path: String) -> Int32? { ownerWords(path).first.flatMap { Int32($0) } }

  /// The note that the last owner left; `nil` if there is none.
  package static func note(_ path: String) -> String? {
    lines(path).dropFirst().first.map(String.init)
  }

  /// Whether the process that the file names is alive, and is the one that wrote it.
  private static func isOwnerAlive(_ path: String) -> Bool {
    guard let id = owner(path), ProcessID.isAlive(id) else { return false }
    guard let ticks = ownerWords(path).dropFirst().first.flatMap({ Int($0) }) else { return true }
    return ProcessID.beginTicks(of: id) == ticks
  }

  private static func ownerWords(_ path: String) -> [Substring] {
    lines(path).first?.split(separator: " ") ?? []
  }

  private static func lines(_ path: String) -> [Substring] {
    // Whatever keeps the file from being read, the answer is that nothing is known.
    guard let bytes = try? File.content(of: path, .lock) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  /// Writes this process's id into a file that is locked, and makes it the owner's alone.
  private static func claim(_ file: File) throws(SystemError) -> FileLock {
    try file.restrictToOwner()
    // First the id and then the end, so that whoever reads meanwhile finds an id. The note before goes.
    let ticks = ProcessID.beginTicks(of: getpid()).map { " \($0)" } ?? ""
    let text = Array("\(getpid())\(ticks)\n".utf8)
    try file.write(text, at: 0)
    try file.truncate(to: text.count)
    return FileLock(file, noteOffset: text.count)
  }

  /// Puts another file in place of one that a stranger has locked, and takes that one's lock. Several that do
  /// so at once take turns by a lock of its own, in a file that no stranger has ever been able to open.
  private static func replace(_ path: String) throws(SystemError) -> FileLock? {
    let turnPath = "\(path).turn"
    guard let turn = try lockedFile(turnPath) else { return nil }
    defer {
      // Removed while it is held: whoever has opened it meanwhile sees that it is gone, and begins again.
      unlink(turnPath)
      unlock(turn)
    }
    do throws(SystemError) {
      if let file = try lockedFile(path) { return try claim(file) }
      if isOwnerAlive(path) { return nil }
    } catch  where error.isNotRegular {
      // It is replaced below.
    }
    let temporary = "\(path).new"
    unlink(temporary)
    let file = try File(temporary, .readWrite, links: .refused)
    guard try tryLock(file) else { return nil }
    let lock = try claim(file)
    try FileSystem.rename(temporary, to: path)
    return lock
  }

  /// The file at a path, created if missing and locked by this opening; `nil`: somebody else holds it.
  private static func lockedFile(_ path: String) throws(SystemError) -> File? {
    while true {
      let file = try File(path, .readWrite, links: .refused)
      guard try tryLock(file) else { return nil }
      // The name may have got another file between opening and locking: that one is the lock then.
      let (own, named) = (try file.status(), FileIdentity(path: path))
      if let named, named.inode == UInt64(own.st_ino) { return file }
      unlock(file)
    }
  }

  /// For all descriptors of this opening of the file, in whatever process they are.
  private static func unlock(_ file: File) {
    _ = flock(file.descriptor, LOCK_UN)
  }

  private static func tryLock(_ file: File) throws(SystemError) -> Bool {
    do {
      try retrying("lock", file.path) { flock(file.descriptor, LOCK_EX | LOCK_NB) }
      return true
    } catch  where error.errno == EWOULDBLOCK {
      return false
    }
  }
}
