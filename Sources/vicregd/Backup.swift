import JobStore
import Platform

/// `vicregd backup FILE`: a copy of the database, also while a daemon uses it. Checkpoints never change once
/// they are there, so the folder `runs/` can be copied by any means afterwards.
enum Backup {
  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments == ["--help"] {
      StandardStream.output.write(
        "usage: vicregd backup FILE [FLAGS]\n\n\(Settings.help([ServeSettings.data]))")
      return 0
    }
    guard let target = arguments.first, !target.hasPrefix("-") else {
      throw UsageError("usage: vicregd backup FILE [--data DIR]")
    }
    let settings = try Settings(
      [ServeSettings.data], arguments: Array(arguments.dropFirst()), environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable))
    let path = DataFolder.databasePath(in: settings.text(ServeSettings.data.name))
    try JobStore.backUp(path, to: target)
    let bytes = try FileSystem.size(target)
    StandardStream.output.write("\(path) is copied to \(target), \(bytes) bytes\n")
    return 0
  }
}
