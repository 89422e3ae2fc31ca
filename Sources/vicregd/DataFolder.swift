import JobStore
import Platform

/// The data folder of a daemon, held by an exclusive lock as long as this value lives.
struct DataFolder: Sendable {
  /// Absolute, without links.
  let path: String
  private let lock: FileLock

  /// Makes the folder if it is missing, and locks it.
  ///
  /// - Throws: `DataFolderError` if another daemon holds it, `SystemError`.
  init(_ path: String) throws {
    try FileSystem.makeDirectories(path)
    self.path = try FileSystem.resolve(path)
    let lockPath = "\(self.path)/lock"
    guard let lock = try FileLock.acquire(lockPath) else {
      throw DataFolderError(path: self.path, owner: FileLock.owner(lockPath))
    }
    self.lock = lock
  }

  var databasePath: String { DataFolder.databasePath(in: path) }

  /// The database of a data folder.
  static func databasePath(in path: String) -> String { "\(path)/vicregd.sqlite" }

  /// Opens the database, creating or migrating it.
  func openStore(migrations: String) throws -> JobStore {
    try JobStore(path: databasePath, migrations: JobStore.migrations(in: migrations))
  }
}

/// Another process has the data folder.
struct DataFolderError: Error, CustomStringConvertible {
  let path: String
  let owner: Int32?

  var description: String {
    let who = owner.map { "process \($0)" } ?? "another process"
    return "the data folder \(path) is in use by \(who); stop that one, or take another folder by --data"
  }
}
