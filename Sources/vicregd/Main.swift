import Platform

/// One binary: the first argument names what it is to be.
@main
enum Main {
  static func main() {
    FileSystem.keepNewFilesPrivate()
    do {
      // Swift reads them from there: without it not even the program's own name is among them.
      guard !CommandLine.arguments.isEmpty else {
        throw UsageError("cannot read the arguments in /proc/self/cmdline; /proc must be mounted")
      }
      exitProcess(try run(Array(CommandLine.arguments.dropFirst())))
    } catch let error as UsageError {
      StandardStream.error.write("vicregd: \(error)\n")
      exitProcess(UsageError.exitCode)
    } catch {
      StandardStream.error.write("vicregd: \(error)\n")
      exitProcess(1)
    }
  }

  /// Runs a subcommand and answers with the exit code.
  private static func run(_ arguments: [String]) throws -> Int32 {
    guard let name = arguments.first else { throw UsageError("a command is missing\n\n\(usage)") }
    if ["--help", "-h", "help"].contains(name) {
      StandardStream.output.write(usage)
      return 0
    }
    guard let command = commands.first(where: { $0.name == name }) else {
      throw UsageError("there is no command \"\(name)\"\(suggestion(for: name, in: commands.map(\.name)))")
    }
    return try command.run(Array(arguments.dropFirst()))
  }

  private static let commands: [Command] = [
    Command(name: "serve", help: "run the daemon: queue, workers, HTTP, dashboard", run: Serve.run),
    Command(name: "work", help: "run one job in its run folder (started by the daemon)", run: Work.run),
    Command(
      name: DescribeDataset.name, help: "look at the files of a dataset (started by the daemon)",
      run: DescribeDataset.run),
    Command(
      name: ExportCheckpoint.name, help: "make a file of a checkpoint (started by the daemon)",
      run: ExportCheckpoint.run),
    Command(
      name: EmbedImages.name, help: "describe images by an encoder (started by the daemon)",
      run: EmbedImages.run),
    Command(
      name: EmbedDataset.name, help: "describe the images of a dataset (started by the daemon)",
      run: EmbedDataset.run),
    Command(name: "migrate", help: "bring a data folder's database to this version", run: Migrate.run),
    Command(name: "backup", help: "copy the database, also while a daemon uses it", run: Backup.run),
    Command(name: "check", help: "check the database and every file that has a digest", run: Check.run),
    Command(
      name: "replay", help: "repeat a run's step that was not finite, and name the layer", run: Replay.run),
    Command(name: "token", help: "create, list and revoke access tokens", run: Token.run),
    Command(name: "bench", help: "measure the engine on this machine", run: Bench.run),
    Command(name: "version", help: "print the version", run: Version.run),
  ]

  private static var usage: String {
    let lines = commands.map { "  \($0.name.padded(to: 18))\($0.help)\n" }
    return "usage: vicregd COMMAND [--help]\n\n\(lines.joined())"
  }
}

/// A subcommand.
struct Command: Sendable {
  let name: String
  let help: String
  /// Takes the arguments behind the name, answers with the exit code.
  let run: @Sendable ([String]) throws -> Int32
}

/// A command line or an environment that cannot be followed; exit code 2.
struct UsageError: Error, CustomStringConvertible {
  static let exitCode: Int32 = 2
  let description: String
  init(_ description: String) { self.description = description }
}
