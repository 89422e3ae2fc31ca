import Glibc

/// The only one, among all threads and processes, to do something with a file: each makes one of the same path
/// before it begins, and lets go of it when it has finished.
///
/// Nobody but the owner can open the file of the lock, so no other user can keep it. It stays where it is: one
/// that is removed would leave two who each believe to be the only one.
package final class FileTurn: Sendable {
  private let file: File

  private static let pauseMilliseconds = 5

  /// Waits until it is this one's turn; nil if it does not come in time.
  ///
  /// - Throws: `SystemError`.
  package init?(_ path: String, secondsMax: Int) throws(SystemError) {
    file = try File(path, .readWrite, links: .refused)
    try file.restrictToOwner()
    let deadline = SystemClock.monotonicNanoseconds + UInt64(secondsMax) * 1_000_000_000
    while try !FileTurn.lock(file) {
      if SystemClock.monotonicNanoseconds >= deadline { return nil }
      SystemClock.sleep(milliseconds: FileTurn.pauseMilliseconds)
    }
  }

  // A child that is being started has the descriptor for a moment: closing alone would not be enough.
  deinit { flock(file.descriptor, LOCK_UN) }

  private static func lock(_ file: File) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try retrying("lock", file.path) { flock(file.descriptor, LOCK_EX | LOCK_NB) }
      return true
    } catch  where error.errno == EWOULDBLOCK {
      return false
    }
  }
}
