import Access
import Platform

/// `vicregd token WHAT`: creates, lists and revokes the access tokens of a data folder. A running daemon that
/// asks for tokens knows of it at once.
enum Token {
  private static let subjects = [
    Command(name: "create", help: "create a token, and print it this once", run: create),
    Command(name: "list", help: "names, roles and ages", run: list),
    Command(name: "revoke", help: "end a token, and what it was used for", run: revoke),
  ]

  private static let name = Setting(
    name: "name", kind: .text("NAME"), standard: nil, help: "the token's name")
  private static let role = Setting(
    name: "role", kind: .choice(Role.allCases.map(\.rawValue)), standard: Role.write.rawValue,
    help: "what it allows: to look, or to change things too")

  /// As of `serve`, but without a default, so that a folder nobody named can be told.
  private static let data = Setting(
    name: ServeSettings.data.name, kind: ServeSettings.data.kind, standard: nil,
    help: "the daemon's data folder, which has the file of tokens; \(dataDefault) without it")
  private static let dataDefault = ServeSettings.data.standard ?? "."

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let name = arguments.first, let subject = subjects.first(where: { $0.name == name }) else {
      let lines = subjects.map { "  \($0.name.padded(to: 10))\($0.help)\n" }
      let usage =
        "usage: vicregd token WHAT [FLAGS]\n\n\(lines.joined())\n\(Settings.help(table([name, role])))"
      if arguments.first != "--help" { throw UsageError(usage) }
      StandardStream.output.write(usage)
      return 0
    }
    return try subject.run(Array(arguments.dropFirst()))
  }

  @Sendable
  private static func create(_ arguments: [String]) throws -> Int32 {
    let settings = try settings([name, role], arguments)
    guard let role = Role(rawValue: settings.text("role")) else {
      preconditionFailure("the table offers roles only")
    }
    let file = file(settings)
    try FileSystem.makeDirectories(FileSystem.parent(of: file.path))
    let secret = try file.create(name: try named(settings), role: role)
    StandardStream.output.write("\(secret)\n")
    if settings.optionalText("data") == nil, settings.optionalText("tokens") == nil {
      let folder = try FileSystem.resolve(dataDefault)
      StandardStream.error.write(
        "The token is for the daemon of this data folder: vicregd serve --data \(shellWord(folder))\n")
    }
    return 0
  }

  @Sendable
  private static func list(_ arguments: [String]) throws -> Int32 {
    for token in try file(settings([], arguments)).tokens() {
      StandardStream.output.write("\(token.name)\t\(token.role.rawValue)\t\(token.createdAt)\n")
    }
    return 0
  }

  @Sendable
  private static func revoke(_ arguments: [String]) throws -> Int32 {
    let settings = try settings([name], arguments)
    try file(settings).revoke(name: try named(settings))
    return 0
  }

  private static func table(_ own: [Setting]) -> [Setting] { own + [data, WebSettings.tokens] }

  private static func settings(_ own: [Setting], _ arguments: [String]) throws -> Settings {
    let table = table(own)
    let foreign = ServeSettings.table.map(\.variable).filter { variable in
      !table.contains { $0.variable == variable }
    }
    return try Settings(table, arguments: arguments, environment: Environment.all, foreign: foreign)
  }

  private static func named(_ settings: Settings) throws -> String {
    guard let name = settings.optionalText("name") else { throw UsageError("--name is missing") }
    return name
  }

  private static func file(_ settings: Settings) -> TokenFile {
    TokenFile(settings.optionalText("tokens") ?? "\(settings.optionalText("data") ?? dataDefault)/tokens")
  }

  /// A text as one word of a shell's command line.
  static func shellWord(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || "/._-".utf8.contains($0)
    }
    return isPlain ? text : "'\(text.replacing("'", with: "'\\''"))'"
  }
}
