import Glibc

/// A turn at changing a file: at any moment at most one thread of one process has it. Whoever wants to change
/// the file makes a `FileTurn` with the same path first, and lets go of it when the change is done.
///
/// Only the owner can open the file of the lock, so no other user can keep the turn. The file is never
/// removed: whoever still waits for the removed one would not see who has the new one.
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
