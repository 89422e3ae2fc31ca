import JobModel
import Platform

/// A worker's claim on its run folder, held until the process ends, however it ends.
package struct RunLock: Sendable {
  private let lock: FileLock
  private let begunNanoseconds = SystemClock.monotonicNanoseconds

  /// Takes the lock. Tries again for a short while, since whoever asks if a worker is alive holds it for an
  /// instant.
  ///
  /// - Throws: `RunFolderError` if another worker is alive in the folder or the lock file cannot be opened.
  package init(_ folder: RunFolder) throws(RunFolderError) {
    let path = folder.lockPath
    do {
      for _ in 0..<RunLock.attempts {
        if let lock = try FileLock.acquire(path) {
          self.lock = lock
          return
        }
        SystemClock.sleep(milliseconds: RunLock.pauseMilliseconds)
      }
    } catch {
      throw RunFolderError(operation: "lock", subject: path, cause: "\(error)", system: error)
    }
    let owner = FileLock.owner(path).map { "process \($0)" } ?? "another process"
    throw RunFolderError(operation: "lock", subject: path, cause: "\(owner) is at work in this folder")
  }

  /// Shows that the worker is alive and gets on: the lock file, whose time changes, says for how long the
  /// attempt has run, by a clock that nobody sets.
  package func beat(attempt: Int) throws(SystemError) {
    try lock.note("\(attempt) \((SystemClock.monotonicNanoseconds - begunNanoseconds) / 1_000_000)")
  }

  /// For how many milliseconds an attempt had run at its last beat; `nil` if it gave none.
  static func age(_ folder: RunFolder, attempt: Int) -> Int? {
    guard let beat = FileLock.note(folder.lockPath).flatMap(Beat.init), beat.attempt == attempt else {
      return nil
    }
    return beat.ageMilliseconds
  }

  /// A sign of life as it stands in the lock file: `2 61000`.
  struct Beat: Equatable {
    /// Which attempt gave it.
    let attempt: Int
    /// For how long that had run.
    let ageMilliseconds: Int

    /// Reads a note; `nil` for one that no worker writes, such as one with a number outside its
    /// `RecordedRange`.
    init?(_ note: String) {
      let words = note.split(separator: " ", omittingEmptySubsequences: false)
      guard words.count == 2, let attempt = Int(words[0]), RecordedRange.attempts.contains(attempt),
        let age = Int(words[1]), RecordedRange.ageMilliseconds.contains(age)
      else { return nil }
      self.attempt = attempt
      ageMilliseconds = age
    }
  }

  private static let attempts = 100
  private static let pauseMilliseconds = 5
}
