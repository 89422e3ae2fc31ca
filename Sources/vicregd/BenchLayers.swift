import Benchmarks
import JSONText
import Kernels
import Parallel
import Platform

/// `vicregd bench layers`: time and rate of every kind of layer in a network's step, and how much of a whole
/// step that is.
enum BenchLayers {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "rounds", kind: .number(1...1000), standard: "3", help: "timed rounds, after one untimed"),
      Bench.json,
    ]

  /// Measures whole steps, then every kind of layer, and prints what is in the layers and what is not.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "layers", table, arguments) else { return 0 }
    let network = try BenchNetwork.read(settings)
    let isJSON = settings.isSet("json")
    let compute = Compute(
      team: try ThreadTeam(threads: network.threads), instructionSet: try .fromEnvironment())
    let peak = compute.peakGigaflops()
    let (kinds, step) = try measureStep(network, steps: settings.number("rounds"))
    if !isJSON {
      printHead(
        "\(network.specification.preset.rawValue), batch \(network.batch)", compute.instructionSet,
        threads: network.threads, peak)
    }
    var measurements: [LayerBenchmark.Measurement] = []
    try LayerBenchmark.measure(kinds, compute: compute, rounds: settings.number("rounds")) { measurement in
      measurements.append(measurement)
      if !isJSON { StandardStream.output.write(line(measurement)) }
    }
    let sum = measurements.reduce(0) { $0 + $1.secondsOfStep }
    if isJSON {
      Bench.write(
        try BenchNetwork.figures(network) + [
          ("peak_gigaflops", .number(peak)), ("layers", .array(measurements.map(json))),
          ("layers_seconds", .number(sum)), ("step_seconds", .number(step)),
          ("rest_seconds", .number(step - sum)),
        ], asJSON: true)
    } else {
      printSum(sum, of: step)
    }
    return 0
  }

  /// The network's layers and the seconds of one of its steps; its memory is free again afterwards.
  private static func measureStep(
    _ network: BenchmarkNetwork, steps: Int
  ) throws -> (kinds: [LayerBenchmark.Kind], seconds: Double) {
    let training = try network.training()
    let views = try network.randomViews()
    let seconds = Timing.seconds(of: steps) { training.step(views) }
    return (try LayerBenchmark.kinds(of: training.model), Timing.median(seconds))
  }

  /// Prints what is measured and the heads of the columns.
  static func printHead(
    _ what: String, _ instructionSet: InstructionSet, threads: Int, _ peak: Double
  ) {
    let how = "\(instructionSet.rawValue), \(threads) threads"
    StandardStream.output.write(
      """
      \(what), \(how), peak of multiply-adds \(Bench.fixed(peak, 1)) GFLOP/s
      \(columns("layer", "", "algorithm", "times", "ms", "GFLOP/s", "of peak"))

      """)
  }

  /// A line of the table.
  static func line(_ m: LayerBenchmark.Measurement) -> String {
    columns(
      m.kind.name, m.operation, m.algorithm, "\(m.kind.count)", Bench.fixed(1e3 * m.seconds, 2),
      m.flops > 0 ? Bench.fixed(m.gigaflops, 1) : "",
      m.flops > 0 ? "\(Bench.fixed(100 * m.shareOfPeak, 0)) %" : "") + "\n"
  }

  /// Three texts and then numbers, aligned.
  private static func columns(_ name: String, _ operation: String, _ algorithm: String, _ numbers: String...)
    -> String
  {
    let widths = [6, 11, 10, 9]
    let aligned = zip(numbers, widths).map { text, width in
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    return name.padded(to: 22) + operation.padded(to: 9) + algorithm.padded(to: 12) + aligned.joined()
  }

  private static func printSum(_ sum: Double, of step: Double) {
    for (name, seconds) in [("a whole step", step), ("in these layers", sum), ("in the rest", step - sum)] {
      StandardStream.output.write(
        "\(name.padded(to: 49))\(Bench.fixed(1e3 * seconds, 2, width: 11))"
          + "\(Bench.fixed(100 * seconds / step, 1, width: 8)) %\n")
    }
  }

  /// A measurement's figures for `--json`.
  static func json(_ m: LayerBenchmark.Measurement) -> JSON {
    [
      "layer": .string(m.kind.name), "operation": .string(m.operation), "algorithm": .string(m.algorithm),
      "count": .integer(m.kind.count), "seconds": .number(m.seconds), "gigaflops": .number(m.gigaflops),
      "share_of_peak": .number(m.shareOfPeak),
    ]
  }
}
