import Benchmarks
import JSONText

/// `vicregd bench step`: times the training steps of a network and prints their share of the arithmetic
/// floor.
enum BenchStep {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "steps", kind: .number(1...100_000), standard: "5", help: "timed steps, after one untimed"),
      Setting(
        name: "images", kind: .choice(StepBenchmark.Images.allCases.map(\.rawValue)), standard: "fixed",
        help: "fixed: random numbers, the same in every step; augmented: new views of images for each"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the median.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "step", table, arguments) else { return 0 }
    let network = try BenchNetwork.read(settings)
    guard let images = StepBenchmark.Images(rawValue: settings.text("images")) else {
      preconditionFailure("the table offers these words only")
    }
    let result = try StepBenchmark(network, steps: settings.number("steps"), images: images)
    var figures: [(String, JSON)] = [
      ("parameters", .integer(result.parameterCount)),
      ("seconds", .array(result.seconds.map { JSON.number($0) })),
      ("median_seconds", .number(result.medianSeconds)),
      ("images_per_second", .number(Double(network.batch) / result.medianSeconds)),
      ("peak_gigaflops", .number(result.peakGigaflops)),
      ("floor_gigaflop", .number(result.floor.gigaflop)),
      ("floor_seconds", .number(result.floorSeconds)),
      ("share_of_floor", .number(result.shareOfFloor)),
    ]
    if let wait = result.medianWaitSeconds { figures.append(("median_wait_seconds", .number(wait))) }
    Bench.write(try BenchNetwork.figures(network) + figures, asJSON: settings.isSet("json"))
    return 0
  }
}
