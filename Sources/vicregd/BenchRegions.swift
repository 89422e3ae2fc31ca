import Benchmarks
import JSONText
import Parallel
import Platform

/// `vicregd bench regions`: what it costs the thread team to hand out work, in microseconds a region whose
/// tasks do nothing. A training step has some hundred regions.
enum BenchRegions {
  /// The flags of the subcommand.
  static let table = [
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Setting(name: "regions", kind: .number(1...10_000_000), standard: "20000", help: "in a round"),
    Setting(name: "rounds", kind: .number(1...1000), standard: "9", help: "the median counts"),
    Bench.json,
  ]

  /// Measures regions with as many tasks as threads, and with several times as many.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "regions", table, arguments) else { return 0 }
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let team = try ThreadTeam(threads: threads)
    let regions = settings.number("regions")
    let figures = RegionBenchmark.tasksPerThread.map { factor -> (String, JSON) in
      let seconds = RegionBenchmark.secondsPerRegion(
        team, tasksPerThread: factor, regions: regions, rounds: settings.number("rounds"))
      return ("microseconds_\(factor)_a_thread", .number(seconds * 1e6))
    }
    Bench.write([("threads", .integer(threads))] + figures, asJSON: settings.isSet("json"))
    return 0
  }
}
