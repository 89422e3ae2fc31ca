/// `vicregd bench WHAT`: measures parts of the engine on this machine.
enum Bench {
  private static let subjects = [
    Command(name: "layers", help: "time and rate of each layer's operations", run: BenchLayers.run),
    Command(name: "step", help: "time of whole training steps", run: BenchStep.run),
  ]

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let name = arguments.first, let subject = subjects.first(where: { $0.name == name }) else {
      let lines = subjects.map { "  \($0.name.padded(to: 10))\($0.help)\n" }
      throw UsageError("usage: vicregd bench WHAT [--help]\n\n\(lines.joined())")
    }
    return try subject.run(Array(arguments.dropFirst()))
  }
}
