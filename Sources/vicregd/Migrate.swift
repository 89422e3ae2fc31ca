import JobStore
import Platform

/// `vicregd migrate`: brings the database of a data folder to this version and ends. `serve` does so by
/// itself.
enum Migrate {
  static let table = [ServeSettings.data, ServeSettings.migrations]

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments == ["--help"] {
      StandardStream.output.write("usage: vicregd migrate [FLAGS]\n\n\(Settings.help(table))")
      return 0
    }
    let settings = try Settings(
      table, arguments: arguments, environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable))
    let data = try DataFolder(settings.text(ServeSettings.data.name))
    let migrations = try Resources.find("migrations", setting: settings.optionalText("migrations"))
    _ = try data.openStore(migrations: migrations)
    StandardStream.output.write("\(data.databasePath) is up to date\n")
    return 0
  }
}
