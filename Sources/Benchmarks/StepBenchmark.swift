import Kernels
import NeuralNet

/// Training steps of a network: their times, and the least time that their multiplications could take.
package struct StepBenchmark {
  /// What a step works on.
  package enum Images: String, CaseIterable {
    /// Random numbers, the same in every step.
    case fixed
    /// New views of synthetic images for each step, made beside the steps, as in a training.
    case augmented
  }

  /// Numbers in all parameters.
  package let parameterCount: Int
  /// Of each timed step.
  package let seconds: [Double]
  /// With augmented images: the median of the seconds that a step waited for its views.
  package let medianWaitSeconds: Double?
  /// The arithmetic of the step's multiplications.
  package let floor: ArithmeticFloor
  /// Multiply-adds on registers alone, the better of just before and just after the steps.
  package let peakGigaflops: Double

  /// The median of the steps.
  package var medianSeconds: Double { Timing.median(seconds) }
  /// Seconds of the floor at the peak.
  package var floorSeconds: Double { floor.seconds(atGigaflops: peakGigaflops) }
  /// The floor's seconds over those of a step: 1 is a step at the peak with nothing but multiplications.
  package var shareOfFloor: Double { floorSeconds / medianSeconds }

  /// Times `steps` steps after one that does not count. Throws what planning the network throws.
  package init(_ network: BenchmarkNetwork, steps: Int, images: Images) throws {
    let training = try network.training()
    let model = training.model
    parameterCount = model.parameters.elementCount
    floor = ArithmeticFloor(layers: model.layers)
    let peakBefore = model.compute.peakGigaflops()
    switch images {
    case .fixed:
      let views = try network.randomViews()
      seconds = Timing.seconds(of: steps) { training.step(views) }
      medianWaitSeconds = nil
    case .augmented:
      let stream = try network.augmentedViews(for: model, steps: steps + 1)
      var waits = [0.0]
      seconds = Timing.seconds(of: steps) {
        training.step(stream.next().views)
        waits.append(Double(stream.waitedNanoseconds) / 1e9)
      }
      // The first step has nothing to hide its augmentation behind.
      medianWaitSeconds = Timing.median(zip(waits.dropFirst(2), waits.dropFirst()).map { $0 - $1 })
    }
    peakGigaflops = max(peakBefore, model.compute.peakGigaflops())
  }
}
