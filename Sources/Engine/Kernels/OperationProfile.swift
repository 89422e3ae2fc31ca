import Platform

/// Where the time of operations goes, for benchmarks: wall-clock time by name.
///
/// Set as `Compute.profile` it takes every operation that runs; names are spelled out only then.
package final class OperationProfile {
  /// All calls of one name.
  package struct Entry: Sendable, Equatable {
    /// What ran, such as `3×3 64→64 30×30 forward, winograd4`.
    package let name: String
    /// How often it ran.
    package var calls = 0
    /// Wall-clock time of all calls.
    package var nanoseconds: UInt64 = 0
    /// Floating-point operations of all calls, counted as a direct computation needs them; 0 where they do
    /// not matter.
    package var flops = 0
  }

  /// In the order of their first calls.
  package private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]

  /// Nothing has run yet.
  package init() {}

  /// Adds one call.
  func record(_ name: String, nanoseconds: UInt64, flops: Int) {
    let place = places[name] ?? entries.count
    if place == entries.count {
      entries.append(Entry(name: name))
      places[name] = place
    }
    entries[place].calls += 1
    entries[place].nanoseconds += nanoseconds
    entries[place].flops += flops
  }
}

extension Compute {
  /// Runs `body`, and has the profile take its time if there is one.
  @inline(__always)
  package func measured(
    _ name: @autoclosure () -> String, flops: @autoclosure () -> Int = 0, _ body: () -> Void
  ) {
    guard let profile else {
      body()
      return
    }
    let start = SystemClock.monotonicNanoseconds
    body()
    profile.record(name(), nanoseconds: SystemClock.monotonicNanoseconds - start, flops: flops())
  }
}
