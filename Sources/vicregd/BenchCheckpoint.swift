import Benchmarks
import Platform
import Recipe
import RunFolder

/// `vicregd bench checkpoint`: times what a worker does for a checkpoint, and what a resumed one does.
enum BenchCheckpoint {
  /// The flags of the subcommand.
  static let table = [
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: Preset.seed.rawValue,
      help: "network and optimiser"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Setting(name: "rounds", kind: .number(1...1000), standard: "3", help: "timed rounds, after one untimed"),
    Setting(
      name: "folder", kind: .text("PATH"), standard: nil,
      help: "below which folder to write [that for temporary files]"),
    Bench.json,
  ]

  /// Times copying the state, writing it and reading it back, and prints the medians.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "checkpoint", table, arguments) else { return 0 }
    guard let preset = Preset(rawValue: settings.text("preset")) else {
      preconditionFailure("the table offers presets only")
    }
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let parent = settings.optionalText("folder") ?? FileSystem.temporaryDirectory
    let path = "\(parent)/vicregd-bench-\(SystemClock.monotonicNanoseconds)"
    try FileSystem.makeDirectories(path)
    defer {
      // The benchmark has its figures; a folder that stays is named by them.
      try? FileSystem.removeTree(path)
    }
    let rounds = try CheckpointBenchmark.rounds(
      settings.number("rounds"), of: preset, folder: CheckpointFolder(path), threads: threads)
    func median(_ figure: (CheckpointBenchmark.Round) -> Double) -> Double {
      Timing.median(rounds.map(figure))
    }
    let bytes = Double(rounds.first?.tensorBytes ?? 0)
    Bench.write(
      [
        ("preset", .string(preset.rawValue)), ("threads", .integer(threads)), ("folder", .string(path)),
        ("tensor_bytes", .number(bytes)),
        ("file_bytes", .integer(rounds.first?.fileBytes ?? 0)),
        ("copy_seconds", .number(median(\.copySeconds))), ("write_seconds", .number(median(\.writeSeconds))),
        ("write_megabytes_per_second", .number(bytes / 1e6 / median(\.writeSeconds))),
        ("read_seconds", .number(median(\.readSeconds))),
        ("read_megabytes_per_second", .number(bytes / 1e6 / median(\.readSeconds))),
      ], asJSON: settings.isSet("json"))
    return 0
  }
}
