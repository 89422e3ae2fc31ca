import Benchmarks
import JSONText
import Platform
import Recipe

/// `vicregd bench online`: what the online evaluation of a training takes of the time of its steps.
enum BenchOnline {
  /// The flags of the subcommand.
  static let table = [
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: Preset.small.rawValue,
      help: "network and optimiser"),
    Setting(
      name: "dataset", kind: .text("NAME"), standard: "fashion-mnist",
      help: "images; 2% of them are held back"),
    Setting(name: "batch", kind: .number(2...65_536), standard: "256", help: "images per step"),
    Setting(
      name: "steps", kind: .number(2...100_000), standard: "10", help: "timed steps, after one untimed"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Bench.json,
  ]

  /// Runs the benchmark and prints its figures.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "online", table, arguments) else { return 0 }
    guard let preset = Preset(rawValue: settings.text("preset")) else {
      preconditionFailure("the table offers presets only")
    }
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let result = try OnlineBenchmark(
      preset, dataset: settings.text("dataset"), batch: settings.number("batch"),
      steps: settings.number("steps") + 1, threads: threads)
    Bench.write(
      [
        ("preset", .string(preset.rawValue)), ("threads", .integer(threads)),
        ("held_back", .integer(result.heldBack)), ("steps_per_epoch", .integer(result.stepsPerEpoch)),
        ("step_seconds", .number(result.stepSeconds)), ("probe_seconds", .number(result.probeSeconds)),
        ("evaluation_seconds", .number(result.evaluationSeconds)), ("share", .number(result.share)),
      ], asJSON: settings.isSet("json"))
    return 0
  }
}
