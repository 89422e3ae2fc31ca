import Benchmarks
import JSONText

/// `vicregd bench forward`: times the encoder in eval mode on random images, as an evaluation runs it.
enum BenchForward {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "steps", kind: .number(1...100_000), standard: "5", help: "timed batches, after one untimed"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the median.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "forward", table, arguments) else { return 0 }
    let network = try BenchNetwork.read(settings)
    let encoder = try network.encoder()
    let seconds = Timing.seconds(of: settings.number("steps")) {
      _ = encoder.features(count: network.batch)
    }
    let median = Timing.median(seconds)
    Bench.write(
      try BenchNetwork.figures(network) + [
        ("parameters", .integer(encoder.parameters.elementCount)),
        ("seconds", .array(seconds.map { JSON.number($0) })), ("median_seconds", .number(median)),
        ("images_per_second", .number(Double(network.batch) / median)),
      ], asJSON: settings.isSet("json"))
    return 0
  }
}
