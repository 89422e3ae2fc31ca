import Benchmarks
import JSONText
import Kernels
import Platform

/// `vicregd bench profile`: where the time of a training step goes, operation by operation as it runs.
///
/// Unlike `bench layers`, which measures each layer alone, it sees the passes in between, and operations with
/// their neighbours' data in the caches.
enum BenchProfile {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "steps", kind: .number(1...100_000), standard: "3",
        help: "measured steps, after one that is not"),
      Bench.json,
    ]

  /// Runs the steps and prints each operation, the longest first.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "profile", table, arguments) else { return 0 }
    let network = try BenchNetwork.read(settings)
    let steps = settings.number("steps")
    let result = try ProfileBenchmark(network, steps: steps)
    let (peak, seconds, entries) = (result.peakGigaflops, result.stepSeconds, result.entries)
    if settings.isSet("json") {
      Bench.write(
        try BenchNetwork.figures(network) + [
          ("peak_gigaflops", .number(peak)), ("step_seconds", .number(seconds)),
          ("operations", .array(entries.map { json($0, steps, peak) })),
        ], asJSON: true)
      return 0
    }
    printTable(entries, steps: steps, seconds: seconds, peak: peak)
    return 0
  }

  private static func printTable(
    _ entries: [OperationProfile.Entry], steps: Int, seconds: Double, peak: Double
  ) {
    var rest = seconds
    StandardStream.output.write(
      "\("operation".padded(to: 46))  times        ms  of step   GFLOP/s   of peak\n")
    for entry in entries {
      let own = Double(entry.nanoseconds) / 1e9 / Double(steps)
      rest -= own
      let rate = Double(entry.flops) / Double(entry.nanoseconds)
      let speed =
        entry.flops > 0
        ? "\(Bench.fixed(rate, 1, width: 10))\(Bench.fixed(100 * rate / peak, 0, width: 8)) %" : ""
      StandardStream.output.write(
        entry.name.padded(to: 46) + Bench.fixed(Double(entry.calls / steps), 0, width: 7)
          + Bench.fixed(1e3 * own, 2, width: 10) + Bench.fixed(100 * own / seconds, 1, width: 7) + " %"
          + speed + "\n")
    }
    StandardStream.output.write(
      "rest: \(Bench.fixed(1e3 * rest, 2)) ms of \(Bench.fixed(1e3 * seconds, 2)) ms a step\n")
  }

  private static func json(_ entry: OperationProfile.Entry, _ steps: Int, _ peak: Double) -> JSON {
    let seconds = Double(entry.nanoseconds) / 1e9
    var members: [String: JSON] = [
      "operation": .string(entry.name), "calls": .integer(entry.calls / steps),
      "seconds": .number(seconds / Double(steps)),
    ]
    if entry.flops > 0 {
      members["gigaflops"] = .number(Double(entry.flops) / 1e9 / seconds)
      members["share_of_peak"] = .number(Double(entry.flops) / 1e9 / seconds / peak)
    }
    return .object(members)
  }
}
