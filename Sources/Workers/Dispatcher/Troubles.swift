import JobModel
import Recipe

/// How often in a row something has gone wrong with each job, so that each next try waits longer.
///
/// Deaths of workers are counted in the store, which fails a job after a number of them. What is counted here
/// fails no job: a worker that leaves by itself at once, or a claim whose worker could not be started.
struct Troubles {
  private var counts: [JobID: Int] = [:]

  /// Jobs that are remembered; beyond that all are forgotten.
  private static let jobsMax = 10_000

  /// Counts one more.
  ///
  /// - Returns: milliseconds to wait before the next try.
  mutating func backOffMilliseconds(afterAnotherOf job: JobID) -> Int {
    if counts.count >= Troubles.jobsMax { counts = [:] }
    let count = counts[job, default: 0] + 1
    counts[job] = count
    return JobPolicy.backOffMilliseconds(after: count)
  }

  /// The job gets on, or is over.
  mutating func end(of job: JobID) { counts[job] = nil }
}

/// Something that is tried again and again by itself: each failure doubles the pause before the next try.
struct Retry {
  /// Failures since the last success.
  private(set) var failures = 0
  /// When it may be tried again; `nil`: now.
  private(set) var atNanoseconds: UInt64?

  /// How often the first pause is doubled.
  private static let doublingsMax = 5

  /// Takes note of a failure.
  mutating func fail(now: UInt64, pauseMilliseconds: Int) {
    let pause = pauseMilliseconds << min(failures, Retry.doublingsMax)
    failures += 1
    atNanoseconds = now + UInt64(pause) * 1_000_000
  }

  /// Whether the last failure is worth a line in the log: the first, second, fourth, eighth …
  var isWorthLogging: Bool { failures & (failures - 1) == 0 }

  /// Takes note of a success.
  mutating func succeed() { self = Retry() }

  /// Whether it is too early for the next try.
  func isPausing(now: UInt64) -> Bool { atNanoseconds.map { now < $0 } ?? false }
}
