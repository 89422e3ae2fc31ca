import JobModel
import Platform

/// `vicregd bench step`: times the training steps of a preset's network on random images.
enum BenchStep {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "steps", kind: .number(1...100_000), standard: "5", help: "timed steps, after one untimed"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the median.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "step", table, arguments) else { return 0 }
    let network = try BenchNetwork(settings)
    let model = try network.model()
    let optimizer = try network.optimizer(of: model)
    let seconds = Bench.seconds(of: settings.number("steps")) { network.step(model, optimizer) }
    let median = Bench.median(seconds)
    Bench.write(
      network.figures + [
        ("parameters", .integer(model.parameters.elementCount)),
        ("seconds", .array(seconds.map { JSON.number($0) })), ("median_seconds", .number(median)),
        ("images_per_second", .number(Double(network.batch) / median)),
      ], asJSON: settings.isSet("json"))
    return 0
  }
}
