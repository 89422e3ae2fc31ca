import Benchmarks
import JSONText
import Platform

/// `vicregd bench memory`: what a training step of a preset's network needs, by purpose, and what the process
/// had at most.
enum BenchMemory {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Bench.json,
      Setting(
        name: "runs", kind: .flag, standard: "false",
        help: "compares the estimates of whole trainings and evaluations with what their processes take"),
    ]

  /// Does two training steps and prints bytes, or compares estimates with whole runs.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "memory", table, arguments) else { return 0 }
    if settings.isSet("runs") {
      let isJSON = settings.isSet("json")
      try MemoryRunsBenchmark.run { write($0, asJSON: isJSON) }
      return 0
    }
    let network = try BenchNetwork.read(settings)
    let lines = try MemoryBenchmark(network).purposes
    if settings.isSet("json") {
      let object = JSON.object(Dictionary(lines, uniquingKeysWith: { $1 }).mapValues { .integer($0) })
      let peak = JSON.integer(ProcessMemory.peakResidentBytes)
      Bench.write(
        try BenchNetwork.figures(network) + [("bytes", object), ("peak_resident_bytes", peak)], asJSON: true)
      return 0
    }
    Bench.write(try BenchNetwork.figures(network), asJSON: false)
    for (name, bytes) in lines + [("peak resident", ProcessMemory.peakResidentBytes)] {
      StandardStream.output.write(
        "\(name.padded(to: 20))\(Bench.fixed(Double(bytes) / 1e6, 1, width: 12)) MB\n")
    }
    return 0
  }

  private static func write(_ row: MemoryRunsBenchmark.Row, asJSON: Bool) {
    if asJSON {
      Bench.write(
        [
          ("run", .string(row.name)), ("estimate_bytes", .integer(row.estimate)),
          ("peak_bytes", .integer(row.peak)), ("ratio", .number(row.ratio)),
        ], asJSON: true)
      return
    }
    StandardStream.output.write(
      row.name.padded(to: 34) + Bench.fixed(Double(row.estimate) / 1e6, 0, width: 8) + " MB estimated"
        + Bench.fixed(Double(row.peak) / 1e6, 0, width: 8) + " MB taken, ratio"
        + Bench.fixed(row.ratio, 2, width: 6) + "\n")
  }
}
