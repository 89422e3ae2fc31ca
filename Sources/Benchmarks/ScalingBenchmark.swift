import Kernels
import Tensors

/// What more threads bring a training step.
///
/// Two models of the same network do single steps by turns, one on one thread and one on all, so that both
/// meet the same minutes of the machine; every other pair begins with the other. Multiply-adds in registers,
/// timed around each pair, tell how far the machine itself scales then.
package struct ScalingBenchmark {
  /// Numbers in all parameters.
  package let parameterCount: Int
  /// Seconds of the steps on one thread, a pair each.
  package let secondsOnOneThread: [Double]
  /// Seconds of the steps on all threads.
  package let seconds: [Double]
  /// How many times as fast the multiply-adds of all threads were.
  package let peakRatios: [Double]

  /// How many times as fast all threads were, a pair each.
  package var ratios: [Double] { zip(secondsOnOneThread, seconds).map { $0 / $1 } }

  /// Measures `pairs` pairs after one that does not count. Throws what planning the network throws.
  package init(_ network: BenchmarkNetwork, pairs count: Int) throws {
    let contenders = [try Contender(network.with(threads: 1)), try Contender(network)]
    let pairs = (0...count).map { turn -> [Measurement] in
      var pair = contenders.map { _ in Measurement() }
      for index in turn.isMultiple(of: 2) ? [0, 1] : [1, 0] { pair[index] = contenders[index].measure() }
      return pair
    }.dropFirst()
    parameterCount = contenders[0].training.model.parameters.elementCount
    secondsOnOneThread = pairs.map { $0[0].seconds }
    seconds = pairs.map { $0[1].seconds }
    peakRatios = pairs.map { $0[1].peak / $0[0].peak }
  }

  private struct Measurement {
    /// Of one step.
    var seconds = 0.0
    /// Multiply-adds a second just before and after it.
    var peak = 0.0
  }

  private struct Contender {
    let training: BenchmarkTraining
    let views: Floats

    init(_ network: BenchmarkNetwork) throws {
      training = try network.training()
      views = try network.randomViews()
    }

    func measure() -> Measurement {
      let compute = training.model.compute
      var flops = 0
      var peakSeconds = Timing.seconds(of: { flops += compute.multiplyAtPeak(steps: 5_000_000) })
      let seconds = Timing.seconds(of: { training.step(views) })
      peakSeconds += Timing.seconds(of: { flops += compute.multiplyAtPeak(steps: 5_000_000) })
      return Measurement(seconds: seconds, peak: Double(flops) / peakSeconds)
    }
  }
}
