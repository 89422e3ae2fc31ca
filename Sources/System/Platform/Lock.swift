import Glibc

/// An exclusive advisory lock on a file (`flock(2)`), which holds the owner's process id as text and, on a
/// line below, what the owner has noted last.
///
/// The kernel releases it when the process ends, however it ends. Children do not inherit it; but one that is
/// being started has the descriptor for a moment, and a lock lasts as long as any descriptor of it: so it is
/// let go of explicitly.
package final class FileLock: Sendable {
  private let file: File
  /// Where the note begins.
  private let noteOffset: Int

  private init(_ file: File, noteOffset: Int) {
    self.file = file
    self.noteOffset = noteOffset
  }

  deinit { FileLock.unlock(file) }

  /// Takes the lock, creating the file if it is missing; `nil` at once if another open file holds it.
  package static func acquire(_ path: String) throws(SystemError) -> FileLock? {
    let file = try File(path, .readWrite)
    guard try tryLock(file) else { return nil }
    // First the id and then the end, so that whoever reads meanwhile finds an id. The note before goes.
    let text = Array("\(getpid())\n".utf8)
    try file.write(text)
    try file.truncate(to: text.count)
    return FileLock(file, noteOffset: text.count)
  }

  /// Leaves a note, a few bytes without a newline, in place of the one before, which must not have been
  /// longer. One write, so a death leaves the one or the other; the file's time of modification is now.
  package func note(_ text: String) throws(SystemError) {
    try file.write(Array("\(text)\n".utf8), at: noteOffset)
  }

  /// Whether somebody holds the lock; a missing file is not held.
  ///
  /// Asking takes the lock for an instant, so an owner that starts meanwhile has to try twice.
  package static func isHeld(_ path: String) throws(SystemError) -> Bool {
    do {
      let file = try File(path, .read)
      guard try tryLock(file) else { return true }
      unlock(file)
      return false
    } catch  where error.isNotFound {
      return false
    }
  }

  /// The process id that the last owner left; `nil` if the file is missing or empty.
  package static func owner(_ path: String) -> Int32? {
    lines(path).first.flatMap { Int32($0) }
  }

  /// The note that the last owner left; `nil` if there is none.
  package static func note(_ path: String) -> String? {
    lines(path).dropFirst().first.map(String.init)
  }

  private static func lines(_ path: String) -> [Substring] {
    // Whatever keeps the file from being read, the answer is that nothing is known.
    guard let bytes = try? File(path, .read).readAll() else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
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
