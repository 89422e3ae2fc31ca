import JSONText
import Platform

/// `vicregd bench step`: times the training steps of a preset's network, on the same random numbers in every
/// step, or on images that are augmented beside the steps, as in a training.
enum BenchStep {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "steps", kind: .number(1...100_000), standard: "5", help: "timed steps, after one untimed"),
      Setting(
        name: "images", kind: .choice(["fixed", "augmented"]), standard: "fixed",
        help: "fixed: random numbers, the same in every step; augmented: new views of images for each"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the median.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "step", table, arguments) else { return 0 }
    let network = try BenchNetwork(settings)
    let model = try network.model()
    let optimizer = try network.optimizer(of: model)
    let steps = settings.number("steps")
    let seconds: [Double]
    var waiting: [(String, JSON)] = []
    if settings.text("images") == "augmented" {
      let stream = try network.augmentedViews(for: model, steps: steps + 1)
      var waits = [0.0]
      seconds = Bench.seconds(of: steps) {
        network.step(model, optimizer, stream.next().views)
        waits.append(Double(stream.waitedNanoseconds) / 1e9)
      }
      // The first step has nothing to hide its augmentation behind.
      let each = zip(waits.dropFirst(2), waits.dropFirst()).map { $0 - $1 }
      waiting = [("median_wait_seconds", .number(Bench.median(each)))]
    } else {
      let views = try network.randomViews()
      seconds = Bench.seconds(of: steps) { network.step(model, optimizer, views) }
    }
    let median = Bench.median(seconds)
    Bench.write(
      network.figures + [
        ("parameters", .integer(model.parameters.elementCount)),
        ("seconds", .array(seconds.map { JSON.number($0) })), ("median_seconds", .number(median)),
        ("images_per_second", .number(Double(network.batch) / median)),
      ] + waiting, asJSON: settings.isSet("json"))
    return 0
  }
}
