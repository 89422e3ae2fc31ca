import Benchmarks
import Datasets
import JSONText
import Platform
import Recipe

/// `vicregd bench augmentation`: how many views of a dataset's images are made in a second, by one thread
/// and by all, of the images as they are and, where they have colours, of their first plane alone.
enum BenchAugmentation {
  /// The flags of the subcommand.
  static let table = [
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: Preset.seed.rawValue,
      help: "whose recipe"),
    Setting(
      name: "dataset", kind: .text("NAME"), standard: "synthetic:count=1024",
      help: "whose training images: a name from GET /datasets, or FORMAT:FOLDER"),
    Setting(
      name: "limit", kind: .number(2...1_000_000), standard: "1024", help: "use only its first N images"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "besides one; 0: one a core"),
    Setting(
      name: "rounds", kind: .number(1...100_000), standard: "10",
      help: "two views of every image so often; the median counts"),
    Bench.json,
  ]

  /// Measures and prints.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "augmentation", table, arguments) else { return 0 }
    guard let preset = Preset(rawValue: settings.text("preset")) else {
      preconditionFailure("the table offers presets only")
    }
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let dataset = try DatasetCatalog().open(
      settings.text("dataset"), split: .train, limit: settings.number("limit"))
    let rows = try AugmentationBenchmark.all(
      dataset, .preset(preset), threads: threads, rounds: settings.number("rounds"))
    write(rows, preset, dataset, asJSON: settings.isSet("json"))
    return 0
  }

  private static func write(
    _ rows: [AugmentationBenchmark], _ preset: Preset, _ dataset: ImageDataset, asJSON: Bool
  ) {
    let figures: [(String, JSON)] = [
      ("preset", .string(preset.rawValue)), ("dataset", .string(dataset.name)),
      ("count", .integer(dataset.count)), ("side", .integer(dataset.side)),
    ]
    if asJSON {
      let objects = rows.map { row in
        JSON.object([
          "images": .string(row.images), "threads": .integer(row.threads),
          "views_per_second": .number(row.viewsPerSecond),
          "views_per_second_and_thread": .number(row.viewsPerSecondAndThread),
        ])
      }
      Bench.write(figures + [("rows", .array(objects))], asJSON: true)
      return
    }
    Bench.write(figures, asJSON: false)
    StandardStream.output.write("\nimages    threads     views/s  a thread\n")
    for row in rows {
      let threads = Bench.fixed(Double(row.threads), 0, width: 7)
      let rate = Bench.fixed(row.viewsPerSecond, 0, width: 12)
      let each = Bench.fixed(row.viewsPerSecondAndThread, 0, width: 10)
      StandardStream.output.write("\(row.images.padded(to: 10))\(threads)\(rate)\(each)\n")
    }
  }
}
