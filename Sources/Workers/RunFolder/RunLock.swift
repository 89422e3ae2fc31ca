import Platform

/// A worker's claim on its run folder, held until the process ends, however it ends.
package struct RunLock: Sendable {
  private let lock: FileLock

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

  /// Shows that the worker is alive and gets on: the time of the lock file changes.
  package func beat() throws(SystemError) { try lock.touch() }

  private static let attempts = 100
  private static let pauseMilliseconds = 5
}
