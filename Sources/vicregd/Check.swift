import JobStore
import Platform
import RunFolder

/// `vicregd check`: whether the database and the checkpoints of a data folder are sound, also while a daemon
/// uses it. Says what is wrong, line by line; exit code 1 if anything is.
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
    let data = settings.text(ServeSettings.data.name)
    let path = DataFolder.databasePath(in: data)
    var problems = try JobStore.problems(of: path).map { "\(path): \($0)" }
    var checked = 0
    let runs = RunFolder.root(data: data)
    for name in FileSystem.isDirectory(runs) ? try FileSystem.list(runs) : [] {
      let checkpoints = RunFolder("\(runs)/\(name)").checkpoints
      for manifest in try checkpoints.list() {
        checked += 1
        if try !checkpoints.isIntact(manifest) {
          problems.append("\(checkpoints.path(of: manifest.name)): it has not the SHA-256 of its manifest")
        }
      }
    }
    for problem in problems { StandardStream.output.write(problem + "\n") }
    let verdict = problems.isEmpty ? "nothing is wrong" : "damaged: \(problems.count)"
    StandardStream.output.write("the database and \(checked) checkpoints were checked: \(verdict)\n")
    return problems.isEmpty ? 0 : 1
  }
}
