import JobModel
import Platform
import Recipe
import SQLite

/// When the jobs of the queue will begin, as far as that can be told: each takes the worker that is free
/// first, in the order of the queue, and holds it for as long as it is estimated to take.
package struct QueueForecast: Sendable {
  /// By `sequence`, in Unix milliseconds.
  private let starts: [Int: Int]
  /// The store's commits before the queue was read, and the time for which it was.
  fileprivate let commits: Int
  fileprivate let madeAt: Int
  /// When it may be made again because something was written, in monotonic nanoseconds: that takes at most
  /// this share of a core, however long the queue is.
  fileprivate let renewableNanoseconds: UInt64
  fileprivate static let coreShare: UInt64 = 20

  /// How old it may be, in milliseconds.
  fileprivate static let millisecondsMax = 1_000

  /// Starts are told no finer than this: they are estimates, and two answers of the same moment agree.
  private static let grain = 10_000

  /// When a queued job will begin, in Unix milliseconds; `nil`: as soon as a worker takes it, or it cannot be
  /// told.
  package func start(of job: JobRecord) -> Int? {
    guard let start = starts[job.sequence], start > madeAt else { return nil }
    return (start + Self.grain - 1) / Self.grain * Self.grain
  }

  /// A job of the queue.
  struct Waiting {
    let sequence: Int
    /// It is not begun before this time.
    let notBefore: Int
    /// `nil`: not known.
    let milliseconds: Double?
  }

  /// Lets the jobs of the queue begin one after the other.
  ///
  /// - Parameters:
  ///   - busy: when each worker that is at work will be free; `nil`: not known.
  ///   - workers: how many there are.
  /// - Returns: by `sequence`, up to the first job whose begin depends on something that is not known.
  static func starts(of queue: [Waiting], busy: [Int?], workers: Int, now: Int) -> [Int: Int] {
    // Where more are at work than there are to be, the first that end make no room.
    var free = busy.map { $0.map { max($0, now) } ?? .max }.sorted().dropFirst(max(0, busy.count - workers))
    free += [Int](repeating: now, count: max(0, workers - free.count))
    var workers = Array(free)
    var starts: [Int: Int] = [:]
    for job in queue {
      guard let first = workers.indices.min(by: { workers[$0] < workers[$1] }), workers[first] < .max else {
        return starts
      }
      let start = max(workers[first], job.notBefore)
      starts[job.sequence] = start
      let end = job.milliseconds.flatMap { Int(exactly: (Double(start) + $0).rounded()) }
      workers[first] = end ?? .max
    }
    return starts
  }

  fileprivate init(starts: [Int: Int], commits: Int, madeAt: Int, renewableNanoseconds: UInt64) {
    self.starts = starts
    self.commits = commits
    self.madeAt = madeAt
    self.renewableNanoseconds = renewableNanoseconds
  }
}

extension JobStore {
  /// When the jobs of the queue will begin, as of a moment ago.
  ///
  /// - Parameter now: the time, in Unix milliseconds.
  package func forecast(at now: Int) throws -> QueueForecast {
    let (commits, begun) = (commitCount, SystemClock.monotonicNanoseconds)
    let known = forecastCache.withLock { $0 }
    if let known, (0..<QueueForecast.millisecondsMax).contains(now - known.madeAt),
      known.commits == commits || begun < known.renewableNanoseconds
    {
      return known
    }
    let rates = try measuredRates()
    let starts = try read { connection in
      try connection.snapshot {
        let active = try connection.rows(
          "SELECT \(JobRecord.columns) FROM jobs WHERE state IN ('running', 'pausing', 'cancelling')", [],
          JobRecord.init)
        return QueueForecast.starts(
          of: try queue(rates, connection), busy: active.map { $0.finishMilliseconds(at: now, by: rates) },
          workers: workersMax, now: now)
      }
    }
    let ended = SystemClock.monotonicNanoseconds
    let forecast = QueueForecast(
      starts: starts, commits: commits, madeAt: now,
      renewableNanoseconds: ended + (ended - begun) * QueueForecast.coreShare)
    forecastCache.withLock { $0 = forecast }
    return forecast
  }

  /// The queue in the order in which it is taken.
  private func queue(_ rates: MeasuredRates, _ connection: Connection) throws -> [QueueForecast.Waiting] {
    try connection.rows(
      """
      SELECT sequence, not_before_ms, running_ms, work, work_once, work_kind, work_share, work_per_image
      FROM jobs INDEXED BY jobs_by_state WHERE state = 'queued' ORDER BY priority DESC, sequence
      """
    ) { row in
      let milliseconds = Work(row).flatMap { rates.seconds(for: $0) }.map {
        max(0, $0 * 1000 - Double(row.integer("running_ms")))
      }
      return QueueForecast.Waiting(
        sequence: row.integer("sequence"), notBefore: row.integer("not_before_ms"),
        milliseconds: milliseconds)
    }
  }
}
