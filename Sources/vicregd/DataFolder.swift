import JobStore
import Logging
import Platform

/// The data folder of a daemon, held by an exclusive lock as long as this value lives.
struct DataFolder: Sendable {
  /// Absolute, without links.
  let path: String
  private let lock: FileLock

  /// Makes the folder if it is missing, for its owner alone, and locks it. One that others can look into
  /// stays as it is, with a warning.
  ///
  /// - Throws: `DataFolderError` if another daemon holds it, `SystemError`.
  init(_ path: String) throws {
    try FileSystem.makeDirectories(path)
    self.path = try FileSystem.resolve(path)
    let permissions = try FileSystem.permissions(self.path)
    if permissions & 0o077 != 0 {
      Log("serve").warning(
        "the data folder \(self.path) has mode 0\(String(permissions, radix: 8)): other users of this "
          + "machine can reach into it; mend it by: chmod -R go= \(self.path)")
    }
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
  ///
  /// - Parameters:
  ///   - machine: by which the rates of this machine's workers are kept.
  ///   - workersMax: jobs that run at the same time, at most.
  func openStore(migrations: String, machine: String = "", workersMax: Int = 1) throws -> JobStore {
    try JobStore(
      path: databasePath, migrations: JobStore.migrations(in: migrations), machine: machine,
      workersMax: workersMax)
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
