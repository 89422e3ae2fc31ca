import Datasets
import NeuralNet
import Platform
import Recipe
import RunFolder
import Training

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
    let training = try trained(preset, threads: threads)
    let parent = settings.optionalText("folder") ?? FileSystem.temporaryDirectory
    let path = "\(parent)/vicregd-bench-\(SystemClock.monotonicNanoseconds)"
    try FileSystem.makeDirectories(path)
    defer {
      // The benchmark has its figures; a folder that stays is named by them.
      try? FileSystem.removeTree(path)
    }
    let rounds = try (0...settings.number("rounds")).map { _ in
      try Round(training, CheckpointFolder(path), threads: threads)
    }.dropFirst()
    func median(_ figure: (Round) -> Double) -> Double { Bench.median(rounds.map(figure)) }
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

  /// What one checkpoint took.
  private struct Round {
    /// Of all tensors together.
    let tensorBytes: Int
    /// Compressed.
    let fileBytes: Int
    /// Copying the state, for which the training waits.
    let copySeconds: Double
    /// Compressing, hashing, writing and syncing, which happens beside the training.
    let writeSeconds: Double
    /// Reading and decompressing.
    let readSeconds: Double

    init(_ training: Pretraining, _ folder: CheckpointFolder, threads: Int) throws {
      let start = SystemClock.monotonicNanoseconds
      let checkpoint = training.checkpoint()
      let copied = SystemClock.monotonicNanoseconds
      let manifest = try folder.store(step: checkpoint.step, epoch: checkpoint.epoch) { sink in
        try CheckpointFormat.write(checkpoint.file, threads: threads, to: sink)
      }
      let written = SystemClock.monotonicNanoseconds
      let read = try Checkpoint(path: folder.path(of: manifest.name))
      readSeconds = Double(SystemClock.monotonicNanoseconds - written) / 1e9
      writeSeconds = Double(written - copied) / 1e9
      copySeconds = Double(copied - start) / 1e9
      tensorBytes = read.tensors.values.reduce(0) { $0 + $1.byteCount }
      fileBytes = manifest.bytes
    }
  }

  /// A training after its first step, so that the optimiser's state is as hard to compress as ever.
  private static func trained(_ preset: Preset, threads: Int) throws -> Pretraining {
    var specification = TrainSpecification.preset(preset)
    specification.dataset = DatasetSelection(name: "synthetic:count=16", split: .train, limit: nil)
    specification.batchSize = 16
    specification.maxSteps = 1
    let dataset = try DatasetCatalog().open(specification.dataset.name.string, split: .train)
    let training = try Pretraining(specification, dataset: dataset, threads: threads)
    _ = try training.run(Bystander())
    return training
  }

  /// Lets a training run and keeps nothing of what it says.
  private struct Bystander: TrainingObserver {
    func record(_ figures: StepFigures) {}
    func save(_ state: ResumableState) {}
    var stopRequest: StopRequest? { nil }
  }
}
