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
      throw RunFolderError(operation: "lock", subject: path, cause: "\(error)")
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
    let note = FileLock.note(folder.lockPath)?.split(separator: " ").map { Int($0) }
    guard let note, note.count == 2, note[0] == attempt else { return nil }
    return note[1]
  }

  private static let attempts = 100
  private static let pauseMilliseconds = 5
}
