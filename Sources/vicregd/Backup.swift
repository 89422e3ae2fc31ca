import JobStore
import Platform

/// `vicregd backup FILE`: a copy of the database, also while a daemon uses it. Checkpoints never change once
/// they are there, so the folder `runs/` can be copied by any means afterwards.
enum Backup {
  private static let force = Setting(
    name: "force", kind: .flag, standard: "false", help: "replace FILE if it exists already")
  private static let table = [ServeSettings.data, force]

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments.contains("--help") {
      StandardStream.output.write("usage: vicregd backup FILE [FLAGS]\n\n\(Settings.help(table))")
      return 0
    }
    let settings = try Settings(
      table, arguments: arguments, environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable), operandsMax: 1)
    guard let target = settings.operands.first, !target.isEmpty else {
      throw UsageError("the file to write is missing; usage: vicregd backup FILE [--force] [--data DIR]")
    }
    let path = DataFolder.databasePath(in: settings.text(ServeSettings.data.name))
    try check(target, of: path, mayReplace: settings.isSet(force.name))
    try JobStore.backUp(path, to: target)
    let bytes = try FileSystem.size(target)
    StandardStream.output.write("\(path) is copied to \(target), \(bytes) bytes\n")
    return 0
  }

  /// Whether a copy of the database may be written to a path.
  ///
  /// - Throws: `BackupError` that says what is in the way.
  private static func check(_ target: String, of database: String, mayReplace: Bool) throws {
    guard FileSystem.isRegularFile(database) else {
      throw BackupError("there is no database \(database); name the daemon's data folder by --data")
    }
    let folder = FileSystem.parent(of: target)
    guard FileSystem.isDirectory(folder) else {
      throw BackupError("cannot write \(target): there is no folder \(folder)")
    }
    guard let kind = FileKind(path: target, links: .followed) else { return }
    guard kind == .regular else {
      throw BackupError("cannot write \(target): it is \(kind.rawValue), must be the name of a file")
    }
    for file in [database, "\(database)-wal", "\(database)-shm"]
    where FileSystem.isSameFile(file, target) {
      throw BackupError("cannot write \(target): it is the database itself")
    }
    if !mayReplace { throw BackupError("\(target) exists already; give --force to replace it") }
  }
}

/// Why no backup is made, in a sentence.
struct BackupError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
