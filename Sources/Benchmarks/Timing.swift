import Kernels
import Platform

/// Wall-clock time of work.
package enum Timing {
  /// Seconds of each of `count` calls of `work`, after one that does not count.
  package static func seconds(of count: Int, _ work: () throws -> Void) rethrows -> [Double] {
    try (0...count).map { _ in try seconds(of: work) }.dropFirst().map { $0 }
  }

  /// Seconds of one call of `work`.
  package static func seconds(of work: () throws -> Void) rethrows -> Double {
    let start = SystemClock.monotonicNanoseconds
    try work()
    return Double(SystemClock.monotonicNanoseconds - start) / 1e9
  }

  /// The value in the middle, of at least one.
  package static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}

extension Compute {
  /// Billions of floating-point operations a second that the team reaches on registers alone: the best of
  /// five short tries.
  package func peakGigaflops() -> Double {
    (0..<5).reduce(0) { best, _ in max(best, registerGigaflops()) }
  }

  /// The same of one short try, some milliseconds.
  func registerGigaflops() -> Double {
    let start = SystemClock.monotonicNanoseconds
    let flops = multiplyAtPeak(steps: 1_000_000)
    return Double(flops) / Double(SystemClock.monotonicNanoseconds - start)
  }
}
