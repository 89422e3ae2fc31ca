import Benchmarks
import JSONText
import Kernels
import Parallel
import Platform

/// `vicregd bench products`: time and rate of two layers that are nothing but matrix products: a 1×1
/// convolution 256→1024 on 14×14 pixels, as in ResNet-50's third stage, and Linear 2048→2048.
enum BenchProducts {
  /// The flags of the subcommand.
  static let table = [
    Setting(name: "batch", kind: .number(1...65536), standard: "256", help: "images, or rows"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Setting(
      name: "rounds", kind: .number(1...1000), standard: "5", help: "timed rounds, after one untimed"),
    Bench.json,
  ]

  /// Measures forward, input gradient and weight gradient of each.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "products", table, arguments) else { return 0 }
    let asked = settings.number("threads")
    let threads = asked > 0 ? asked : CPU.availableCores
    let instructionSet = try InstructionSet.fromEnvironment()
    let compute = Compute(team: try ThreadTeam(threads: threads), instructionSet: instructionSet)
    let kinds = LayerBenchmark.products(batch: settings.number("batch"))
    let isJSON = settings.isSet("json")
    let peak = compute.peakGigaflops()
    if !isJSON {
      BenchLayers.printHead("batch \(settings.number("batch"))", instructionSet, threads: threads, peak)
    }
    var measurements: [LayerBenchmark.Measurement] = []
    try LayerBenchmark.measure(kinds, compute: compute, rounds: settings.number("rounds")) { measurement in
      measurements.append(measurement)
      if !isJSON { StandardStream.output.write(BenchLayers.line(measurement)) }
    }
    if isJSON {
      Bench.write(
        [
          ("batch", .integer(settings.number("batch"))), ("threads", .integer(threads)),
          ("isa", .string(instructionSet.rawValue)), ("peak_gigaflops", .number(peak)),
          ("layers", .array(measurements.map(BenchLayers.json))),
        ], asJSON: true)
    }
    return 0
  }
}
