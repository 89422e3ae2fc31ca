import Parallel

/// What it costs the thread team to hand out work: regions whose tasks do nothing.
package enum RegionBenchmark {
  /// Tasks of a region for each thread, as they are measured.
  package static let tasksPerThread = [1, 2, 4, 8, 16]

  /// The median over `rounds` rounds of `regions` regions each, after one that does not count.
  package static func secondsPerRegion(
    _ team: ThreadTeam, tasksPerThread: Int, regions: Int, rounds: Int
  ) -> Double {
    let seconds = Timing.seconds(of: rounds) {
      for _ in 0..<regions { team.run(tasks: tasksPerThread * team.threads) { _ in } }
    }
    return Timing.median(seconds) / Double(regions)
  }
}
