import JobModel
import Kernels
import Parallel
import Platform

extension BenchLayers {
  /// The flags of the subcommand.
  static let table = [
    Setting(
      name: "batch", kind: .number(1...65536), standard: "256", help: "images of a step; each has two views"),
    Setting(name: "width", kind: .number(1...4096), standard: "64", help: "channels of the first stage"),
    Setting(name: "threads", kind: .number(1...1024), standard: "1", help: "threads of the team"),
    Setting(name: "rounds", kind: .number(1...1000), standard: "5", help: "the shortest of so many counts"),
    Setting(name: "json", kind: .flag, standard: "false", help: "one JSON object a line"),
  ]

  /// Runs the subcommand `bench layers` with the arguments behind its name.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments == ["--help"] {
      StandardStream.output.write("usage: vicregd bench layers [FLAGS]\n\n\(Settings.help(table))")
      return 0
    }
    let settings = try Settings(table, arguments: arguments, environment: [:])
    let set = try InstructionSet.fromEnvironment()
    let compute = Compute(
      team: try ThreadTeam(threads: settings.number("threads")), instructionSet: set)
    let isJSON = settings.isSet("json")
    let peak = peakOfThread(compute)
    if !isJSON {
      StandardStream.output.write("\(set.rawValue), peak \(fixed(peak, 1)) GFLOP/s a thread\n")
    }
    let views = 2 * (settings.number("batch"))
    try measure(
      layers(width: settings.number("width"), views: views), compute: compute,
      rounds: settings.number("rounds")
    ) { m in
      StandardStream.output.write(isJSON ? line(json: m, set, peak) : line(m))
    }
    return 0
  }

  private static func line(_ m: Measurement) -> String {
    let rate = "\(fixed(m.gigaflopsOfThread, 1)) GFLOP/s".padded(to: 16)
    let time = "\(fixed(m.milliseconds, 2)) ms".padded(to: 12)
    return "\(m.layer.padded(to: 22))\(m.operation.padded(to: 9))\(time)\(rate)\(fixed(100 * m.share, 0)) %\n"
  }

  private static func line(json m: Measurement, _ set: InstructionSet, _ peak: Double) -> String {
    let numbers =
      "\"milliseconds\":\(m.milliseconds),\"gigaflops_of_thread\":\(m.gigaflopsOfThread),\"share\":\(m.share)"
    return "{\"layer\":\"\(m.layer)\",\"operation\":\"\(m.operation)\",\"isa\":\"\(set.rawValue)\","
      + "\"peak_gigaflops_of_thread\":\(peak),\(numbers)}\n"
  }

  /// A number with so many decimals.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    let factor = Mathematics.power(10, Double(decimals))
    let scaled = Int((value * factor).rounded())
    guard decimals > 0 else { return "\(scaled)" }
    let digits = "\(scaled % Int(factor))"
    return "\(scaled / Int(factor))." + String(repeating: "0", count: decimals - digits.count) + digits
  }
}
