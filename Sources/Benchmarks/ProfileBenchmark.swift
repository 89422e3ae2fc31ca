import Kernels
import Platform

/// Where the time of training steps goes, operation by operation as they run.
package struct ProfileBenchmark {
  /// All operations of all steps, the longest first.
  package let entries: [OperationProfile.Entry]
  /// The mean over the steps.
  package let stepSeconds: Double
  /// Multiply-adds on registers alone.
  package let peakGigaflops: Double

  /// Measures `steps` steps after one that does not count. Throws what planning the network throws.
  package init(_ network: BenchmarkNetwork, steps: Int) throws {
    let training = try network.training()
    let views = try network.randomViews()
    training.step(views)
    let profile = OperationProfile()
    training.model.compute.profile = profile
    let start = SystemClock.monotonicNanoseconds
    for _ in 0..<steps { training.step(views) }
    stepSeconds = Double(SystemClock.monotonicNanoseconds - start) / 1e9 / Double(steps)
    training.model.compute.profile = nil
    peakGigaflops = training.model.compute.peakGigaflops()
    entries = profile.entries.sorted { $0.nanoseconds > $1.nanoseconds }
  }
}
