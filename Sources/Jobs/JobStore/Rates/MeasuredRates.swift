import Recipe

/// How fast one machine has done work, by kind and size.
///
/// A job takes its work divided by the rate that was measured for work of the same kind and size. Where none
/// was measured for the size, the rate of the nearest size counts; where none was for the kind, nothing is
/// known.
package struct MeasuredRates: Sendable, Equatable {
  /// Work that was done, and the seconds that it took.
  package struct Sum: Sendable, Equatable {
    package var work: Double
    package var seconds: Double

    package init(work: Double = 0, seconds: Double = 0) {
      self.work = work
      self.seconds = seconds
    }

    /// A rate tells of about the last half hour of such work: what is older weighs less.
    static let secondsMax = 1_800.0

    /// Adds what was measured. What is no measurement, such as work in no time, is left out.
    package mutating func add(work newWork: Double, seconds newSeconds: Double) {
      guard newWork.isFinite, newSeconds.isFinite, newWork > 0, newSeconds > 0 else { return }
      let share = min(1, max(0, Self.secondsMax - newSeconds) / max(seconds, .leastNonzeroMagnitude))
      work = work * share + newWork
      seconds = seconds * share + newSeconds
    }
  }

  private var sums: [String: [Int: Sum]] = [:]

  package init() {}

  /// Takes what was measured for work of a kind and size.
  package mutating func set(_ sum: Sum, kind: String, size: Int) { sums[kind, default: [:]][size] = sum }

  /// How long the work takes; `nil`: this machine has never done any of the kind.
  package func seconds(for work: Work) -> Double? {
    let near = sums[work.kind, default: [:]].min {
      (abs($0.key - work.size), $0.key) < (abs($1.key - work.size), $1.key)
    }
    guard let sum = near?.value, sum.work > 0, sum.seconds > 0 else { return nil }
    let seconds = (work.amount * work.share + work.once) * sum.seconds / sum.work
    return seconds.isFinite ? seconds : nil
  }
}
