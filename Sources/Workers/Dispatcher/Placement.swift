import Recipe

/// How many workers run at the same time, and how many threads each of them gets.
///
/// Results are the same bits for any number of threads, so this decides about time alone.
package enum Placement: Sendable, Equatable {
  /// As many workers as the settings say, each with as many threads as they say.
  case fixed(workers: Int, threads: Int)
  /// As many workers as there are cores, whose threads follow from the queue and the job.
  ///
  /// A lone job gets all cores. Where others wait, cores are shared: workers next to each other get more out
  /// of them than the threads of one, which wait for each other at every layer and while the worker starts,
  /// reads images and compresses checkpoints. Only a job whose steps are so large that its threads hardly
  /// wait gets several in spite of a queue: it ends sooner, and takes its memory for a shorter time.
  case automatic(cores: Int)

  /// Multiply-adds of a step that make a thread of its own worth while.
  ///
  /// About a second on one core, next to which the waiting of threads for each other is below a hundredth
  /// (docs/placement.md).
  package static let stepWorkPerThread = 2e10

  /// Workers at the same time, at most.
  package var workersMax: Int {
    switch self {
    case .fixed(let workers, _): workers
    case .automatic(let cores): cores
    }
  }

  /// Threads that one worker may get.
  package var threadsMax: Int {
    switch self {
    case .fixed(_, let threads): threads
    case .automatic(let cores): cores
    }
  }

  /// Whether another worker may be started next to those that run with so many threads.
  package func hasRoom(besides running: [Int]) -> Bool {
    guard running.count < workersMax else { return false }
    guard case .automatic(let cores) = self else { return true }
    return running.reduce(0, +) < cores
  }

  /// Threads of the next worker, ≥ 1.
  ///
  /// A large job that begins while small ones run may get more than are free: they end, and it keeps what it
  /// has got.
  ///
  /// - Parameters:
  ///   - stepWork: multiply-adds of one of its steps; nil: unknown.
  ///   - waiting: other jobs of the queue that could be started now.
  ///   - running: threads of the workers that run.
  package func threads(stepWork: Double?, waiting: Int, besides running: [Int]) -> Int {
    guard case .automatic(let cores) = self else { return threadsMax }
    let free = max(1, cores - running.reduce(0, +))
    let share = max(1, free / (waiting + 1))
    let worthwhile = min(Double(cores), (stepWork ?? 0) / Self.stepWorkPerThread)
    return max(share, worthwhile.isFinite ? Int(worthwhile) : 1)
  }
}

extension JobCost {
  /// Multiply-adds of one step; nil: unknown, or its steps are of different lengths.
  var stepWork: Double? {
    guard let work, let stepImages else { return nil }
    return work.perImage * Double(stepImages)
  }
}
