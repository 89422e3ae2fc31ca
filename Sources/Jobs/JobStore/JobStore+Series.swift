import Recipe
import SQLite

/// One bucket of a curve: what all values of a metric in some steps come to.
package struct SeriesPoint: Sendable, Equatable {
  /// The first step of the bucket, a multiple of its width; the lines in it may have later ones.
  package let step: Int
  /// Mean, lowest and highest of the finite values; `nil` if there is none.
  package let finite: Finite?
  /// Values that are not finite, which the others leave out.
  package let notFiniteCount: Int

  /// What finite values come to.
  package struct Finite: Sendable, Equatable {
    package let mean: Double
    package let min: Double
    package let max: Double

    package init(mean: Double, min: Double, max: Double) {
      self.mean = mean
      self.min = min
      self.max = max
    }
  }

  package init(step: Int, finite: Finite?, notFiniteCount: Int = 0) {
    self.step = step
    self.finite = finite
    self.notFiniteCount = notFiniteCount
  }
}

/// Curves of one job over the same buckets.
package struct Series: Sendable, Equatable {
  /// Steps of a bucket: a power of two.
  package let width: UInt
  /// By metric, in the order of the steps; buckets without a line are left out.
  package let curves: [String: [SeriesPoint]]
  /// Where the buckets lie on other axes, in the order of the steps; empty unless that was asked for.
  package var places: [SeriesPlace] = []
}

extension JobStore {
  /// The metrics that a job has recorded, in alphabetical order. `packMetrics` comes first.
  package func metricKeys(_ id: JobID) throws -> [String] {
    try read { connection in
      try connection.snapshot {
        guard let job = try sequence(of: id, connection) else { return [] }
        let pyramid = MetricPyramid(job: job, connection: connection)
        let tail = try pyramid.lines(after: pyramid.packed().lastSequence)
        return Set(try pyramid.keys()).union(tail.columns.keys).sorted()
      }
    }
  }

  /// The curve of each metric in at most `points` buckets, which are equal for all: `2^k` steps wide,
  /// beginning at multiples of that, so that a run that goes on changes the last ones only until the width
  /// doubles. `packMetrics` comes first.
  ///
  /// - Parameters:
  ///   - steps: the steps that are looked at, widened to whole buckets; `nil`: all.
  ///   - hasPlaces: whether the buckets' times and epochs are wanted.
  package func series(
    _ id: JobID, keys: [String], points: Int, steps: ClosedRange<Int>? = nil, hasPlaces: Bool = false
  ) throws -> Series {
    precondition(points >= 2, "Steps on both sides of 0 fall into two buckets, however wide they are.")
    return try read { connection in
      try connection.snapshot {
        guard let job = try sequence(of: id, connection) else { return Series(width: 1, curves: [:]) }
        let reader = try SeriesReader(
          MetricPyramid(job: job, connection: connection), points: points, range: steps, keys: Set(keys))
        let curves = try keys.map { ($0, try reader.curve($0)) }
        return Series(
          width: reader.width, curves: Dictionary(curves) { first, _ in first },
          places: hasPlaces ? try reader.places() : [])
      }
    }
  }

  /// Packs the lines that wait for it: those that an older program has stored, or a worker has written faster
  /// than they could be packed. It takes a while for a million of them, once.
  package func packMetrics(_ id: JobID) throws {
    while try !isPacked(id) {
      try write { connection in
        guard let job = try sequence(of: id, connection) else { return }
        try MetricPyramid(job: job, connection: connection).packAndSummarize(limit: Self.chunksPerWrite)
        try connection.execute("UPDATE jobs SET revision = revision + 1 WHERE sequence = ?", [.integer(job)])
      }
    }
  }

  /// Chunks that are packed in one transaction: others that write do not wait long.
  static let chunksPerWrite = 64

  /// Whether less than a chunk of the job's lines, or about that, is in `events` alone.
  private func isPacked(_ id: JobID) throws -> Bool {
    try read { connection in
      guard let job = try sequence(of: id, connection) else { return true }
      let limit = 2 * MetricPyramid.chunkLines
      let packed = try MetricPyramid(job: job, connection: connection).packed()
      let waiting = try connection.first(
        """
        SELECT count(*) AS lines FROM (
          SELECT 1 FROM events
          WHERE job = ? AND sequence > ? AND \(MetricPyramid.hasNumbers) LIMIT ?)
        """, [.integer(job), .integer(packed.lastSequence), .integer(limit)]
      ) { $0.integer("lines") }
      return waiting ?? 0 < limit
    }
  }

  private func sequence(of id: JobID, _ connection: Connection) throws -> Int? {
    try connection.first("SELECT sequence FROM jobs WHERE id = ?", [.text(id.text)]) {
      $0.integer("sequence")
    }
  }
}
