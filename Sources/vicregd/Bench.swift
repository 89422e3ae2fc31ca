import JSONText
import Platform

/// `vicregd bench WHAT`: measures parts of the engine on this machine.
enum Bench {
  private static let subjects = [
    Command(name: "augmentation", help: "views made in a second", run: BenchAugmentation.run),
    Command(name: "checkpoint", help: "writing a checkpoint and reading it back", run: BenchCheckpoint.run),
    Command(name: "forward", help: "images embedded in a second", run: BenchForward.run),
    Command(name: "layers", help: "time and rate of each layer in a step", run: BenchLayers.run),
    Command(name: "memory", help: "what a training step needs, by purpose", run: BenchMemory.run),
    Command(name: "online", help: "the online evaluation beside the steps", run: BenchOnline.run),
    Command(name: "profile", help: "where the time of a step goes, as it runs", run: BenchProfile.run),
    Command(name: "products", help: "a 1×1 convolution and a Linear layer", run: BenchProducts.run),
    Command(name: "regions", help: "what it costs to hand out work", run: BenchRegions.run),
    Command(name: "scaling", help: "steps on one thread and on all, by turns", run: BenchScaling.run),
    Command(name: "step", help: "time of whole training steps", run: BenchStep.run),
  ]

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    let lines = subjects.map { "  \($0.name.padded(to: 14))\($0.help)\n" }
    let usage = "usage: vicregd bench WHAT [--help]\n\n\(lines.joined())"
    guard let name = arguments.first else { throw UsageError("what to measure is missing\n\n\(usage)") }
    if name == "--help" {
      StandardStream.output.write(usage)
      return 0
    }
    guard let subject = subjects.first(where: { $0.name == name }) else {
      throw UsageError("there is no benchmark \"\(name)\"\(suggestion(for: name, in: subjects.map(\.name)))")
    }
    return try subject.run(Array(arguments.dropFirst()))
  }
}

extension Bench {
  /// A flag of every benchmark.
  static let json = Setting(
    name: "json", kind: .flag, standard: "false", help: "one JSON object instead of a table")

  /// The values of a benchmark's flags; `nil` after `--help`, which is then answered.
  static func settings(
    of name: String, _ table: [Setting], _ arguments: [String]
  ) throws(UsageError) -> Settings? {
    if arguments.contains("--help") {
      StandardStream.output.write("usage: vicregd bench \(name) [FLAGS]\n\n\(Settings.help(table))")
      return nil
    }
    return try Settings(
      table, arguments: arguments, environment: Environment.all,
      foreign: ServeSettings.table.map(\.variable))
  }

  /// Prints figures, a line each or as one JSON object.
  static func write(_ figures: [(String, JSON)], asJSON: Bool) {
    if asJSON {
      StandardStream.output.write(
        "\(JSON.object(Dictionary(figures, uniquingKeysWith: { $1 })).text)\n")
      return
    }
    for (name, value) in figures {
      StandardStream.output.write("\(name.padded(to: 28))\(value.string?.string ?? value.text)\n")
    }
  }

  /// A number with so many decimals, right-aligned.
  static func fixed(_ value: Double, _ decimals: Int, width: Int = 0) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    let factor = Mathematics.power(10, Double(decimals))
    let scaled = Int((abs(value) * factor).rounded())
    var text = "\(scaled / Int(factor))"
    if decimals > 0 {
      let digits = "\(scaled % Int(factor))"
      text += "." + String(repeating: "0", count: decimals - digits.count) + digits
    }
    if value < 0 { text = "-" + text }
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
