import JSONText
import NeuralNet
import Platform
import Tensors
import Training

/// `vicregd bench scaling`: what more threads bring a training step.
///
/// Two models of the same network do single steps by turns, one on one thread and one on all, so that
/// both meet the same minutes of the machine; every other pair begins with the other. The ratio is the
/// median over the pairs. Multiply-adds in registers, timed around each pair, tell how far the machine
/// itself scales then.
enum BenchScaling {
  /// The flags of the subcommand.
  static let table =
    BenchNetwork.flags + [
      Setting(
        name: "pairs", kind: .number(1...100_000), standard: "5",
        help: "timed pairs of steps, after one untimed"),
      Bench.json,
    ]

  /// Runs the benchmark and prints the ratios.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard let settings = try Bench.settings(of: "scaling", table, arguments) else { return 0 }
    let many = try BenchNetwork(settings)
    guard many.threads > 1 else {
      throw UsageError("--threads: 1 thread is what the others are compared with; allowed are 2 to 1024")
    }
    let contenders = [try Contender(many.with(threads: 1)), try Contender(many)]
    let pairs = (0...settings.number("pairs")).map { turn -> [Measurement] in
      var pair = contenders.map { _ in Measurement() }
      for index in turn.isMultiple(of: 2) ? [0, 1] : [1, 0] { pair[index] = contenders[index].measure() }
      return pair
    }.dropFirst()
    let ratios = pairs.map { $0[0].seconds / $0[1].seconds }
    let seconds = (0...1).map { index in pairs.map { $0[index].seconds } }
    Bench.write(
      many.figures + [
        ("parameters", .integer(contenders[0].model.parameters.elementCount)),
        ("seconds_one_thread", .array(seconds[0].map(JSON.number))),
        ("seconds", .array(seconds[1].map(JSON.number))),
        ("ratios", .array(ratios.map(JSON.number))), ("median_ratio", .number(Bench.median(ratios))),
        ("median_peak_ratio", .number(Bench.median(pairs.map { $0[1].peak / $0[0].peak }))),
      ], asJSON: settings.isSet("json"))
    return 0
  }

  private struct Measurement {
    /// Of one step.
    var seconds = 0.0
    /// Multiply-adds a second just before and after it.
    var peak = 0.0
  }

  private struct Contender {
    let network: BenchNetwork
    let model: PretrainingModel
    let optimizer: Optimizer
    let views: Floats

    init(_ network: BenchNetwork) throws {
      self.network = network
      model = try network.model()
      optimizer = try network.optimizer(of: model)
      views = try network.randomViews()
    }

    func measure() -> Measurement {
      var flops = 0
      var peakSeconds = Bench.seconds(of: { flops += model.compute.multiplyAtPeak(steps: 5_000_000) })
      let seconds = Bench.seconds(of: { network.step(model, optimizer, views) })
      peakSeconds += Bench.seconds(of: { flops += model.compute.multiplyAtPeak(steps: 5_000_000) })
      return Measurement(seconds: seconds, peak: Double(flops) / peakSeconds)
    }
  }
}
