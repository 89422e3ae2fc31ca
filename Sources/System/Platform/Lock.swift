import Glibc

/// An exclusive advisory lock on a file (`flock(2)`), which holds the owner's process id as text.
///
/// The kernel releases it when the process ends, however it ends. Children do not inherit it.
package final class FileLock: Sendable {
  private let file: File

  private init(_ file: File) { self.file = file }

  /// Takes the lock, creating the file if it is missing; `nil` at once if another open file holds it.
  package static func acquire(_ path: String) throws(SystemError) -> FileLock? {
    let file = try File(path, .readWrite)
    guard try tryLock(file) else { return nil }
    // First the id and then the end, so that whoever reads meanwhile finds an id.
    let text = Array("\(getpid())\n".utf8)
    try file.write(text)
    try file.truncate(to: text.count)
    return FileLock(file)
  }

  /// Sets the lock file's time of modification to now.
  package func touch() throws(SystemError) {
    try retrying("touch", file.path) { futimens(file.descriptor, nil) }
  }

  /// Whether somebody holds the lock; a missing file is not held.
  ///
  /// Asking takes the lock for an instant, so an owner that starts meanwhile has to try twice.
  package static func isHeld(_ path: String) throws(SystemError) -> Bool {
    do {
      return try !tryLock(File(path, .read))
    } catch  where error.isNotFound {
      return false
    }
  }

  /// The process id that the last owner left; `nil` if the file is missing or empty.
  package static func owner(_ path: String) -> Int32? {
    // Whatever keeps the file from being read, the answer is that the owner is unknown.
    guard let bytes = try? File(path, .read).readAll() else { return nil }
    return Int32(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
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
