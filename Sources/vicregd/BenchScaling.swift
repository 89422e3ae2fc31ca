import Benchmarks
import JSONText

/// `vicregd bench scaling`: how many times as fast a training step is on all threads as on one.
enum BenchScaling {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "pairs", kind: .number(1...100_000), standard: "5",
        help: "timed pairs of steps, after one untimed"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the ratios.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "scaling", table, arguments) else { return 0 }
    let network = try BenchNetwork.read(settings)
    guard network.threads > 1 else {
      throw UsageError("--threads must be from 2 to 1024, as they are compared with 1 thread, got 1")
    }
    let result = try ScalingBenchmark(network, pairs: settings.number("pairs"))
    Bench.write(
      try BenchNetwork.figures(network) + [
        ("parameters", .integer(result.parameterCount)),
        ("seconds_one_thread", .array(result.secondsOnOneThread.map(JSON.number))),
        ("seconds", .array(result.seconds.map(JSON.number))),
        ("ratios", .array(result.ratios.map(JSON.number))),
        ("median_ratio", .number(Timing.median(result.ratios))),
        ("median_peak_ratio", .number(Timing.median(result.peakRatios))),
      ], asJSON: settings.isSet("json"))
    return 0
  }
}
