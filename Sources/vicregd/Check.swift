import Platform

/// `vicregd check`: whether everything that a data folder keeps is sound, also while a daemon uses it. Says
/// what is wrong, line by line; exit code 1 if anything is.
enum Check {
  private static let table = [ServeSettings.data]

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments == ["--help"] {
      StandardStream.output.write("usage: vicregd check [FLAGS]\n\n\(Settings.help(table))")
      return 0
    }
    let settings = try Settings(
      table, arguments: arguments, environment: Environment.all, foreign: ServeSettings.table.map(\.variable))
    let check = try DataCheck(data: settings.text(ServeSettings.data.name))
    for problem in check.problems { StandardStream.output.write(problem + "\n") }
    let files = check.counts.map { "\($0.kind) (\($0.count))" }.joined(separator: ", ")
    let verdict = check.problems.isEmpty ? "nothing is wrong" : "damaged: \(check.problems.count)"
    StandardStream.output.write("the database and the files of \(files) were checked: \(verdict)\n")
    return check.problems.isEmpty ? 0 : 1
  }
}
