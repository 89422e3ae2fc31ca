import Recipe
import SQLite

/// One change of the store, in the order over all jobs.
package struct FeedEntry: Sendable, Equatable {
  /// What has changed.
  package enum Change: Sendable, Equatable {
    /// The job has told a line.
    case line(EventLine)
    /// The job itself: it is new, or its state, name, labels, notes or priority are.
    case job
    /// The job is gone.
    case deleted
    /// A sweep: it is new, or its state, name, labels, notes, priority or specification are.
    case sweep
    /// The trial of that number of a sweep: it is new, or it or the state of its jobs has changed.
    case trial(Int)
    /// The sweep is gone.
    case sweepDeleted
  }

  /// Rises; never used twice.
  package let id: Int
  /// The job, or the sweep.
  package let job: JobID
  package let change: Change
}

extension JobStore {
  /// The changes behind a place, at most `limit`; a line that is gone meanwhile is left out.
  package func feed(after id: Int, limit: Int) throws -> (entries: [FeedEntry], through: Int) {
    var through = id
    // A row of lines has the number of its last one.
    let number = "feed.id - coalesce(last_line - sequence, 0)"
    let entries = try read {
      try $0.rows(
        """
        SELECT \(number) AS id, job_id, change, feed.line AS number, sequence, event, step,
          events.line AS line
        FROM feed LEFT JOIN events
          ON change = 'line' AND events.job = feed.job
            AND events.sequence BETWEEN feed.line AND feed.last_line
        WHERE feed.id > ?1 AND \(number) > ?1 ORDER BY feed.id, sequence LIMIT ?2
        """, [.integer(id), .integer(limit)]
      ) { row -> FeedEntry? in
        through = row.integer("id")
        guard let job = JobID(row.text("job_id")) else { return nil }
        let change: FeedEntry.Change
        switch row.text("change") {
        case "job": change = .job
        case "deleted": change = .deleted
        case "sweep": change = .sweep
        case "sweep_deleted": change = .sweepDeleted
        case "trial": change = .trial(row.optionalInteger("number") ?? 0)
        default:
          guard let line = row.optionalText("line"), let event = row.optionalText("event"),
            let sequence = row.optionalInteger("sequence")
          else { return nil }
          change = .line(
            EventLine(sequence: sequence, event: event, step: row.optionalInteger("step"), line: line))
        }
        return FeedEntry(id: through, job: job, change: change)
      }
    }
    return (entries.compactMap(\.self), through)
  }

  /// Where the feed stands: the last number that was given, and the highest below which rows may be gone.
  package func feedBounds() throws -> (gone: Int, last: Int) {
    try read { connection in
      let last = try connection.first("SELECT seq FROM sqlite_sequence WHERE name = 'feed'") {
        $0.integer("seq")
      }
      let first = try connection.first(
        "SELECT id - coalesce(last_line - line, 0) AS id FROM feed ORDER BY feed.id LIMIT 1"
      ) { $0.optionalInteger("id") }
      let known = last ?? 0
      return ((first ?? nil).map { $0 - 1 } ?? known, known)
    }
  }

  /// Tells the feed of lines of a job, which whoever writes them has to.
  func tellFeed(
    of lines: ClosedRange<Int>, job: JobRecord, _ connection: Connection
  ) throws {
    try connection.execute(
      """
      INSERT INTO feed (id, job, job_id, change, line, last_line)
      SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'feed'), 0) + ?1, ?2, ?3, 'line', ?4, ?5
      """,
      [
        .integer(lines.count), .integer(job.sequence), .text(job.id.text), .integer(lines.lowerBound),
        .integer(lines.upperBound),
      ])
  }

  /// The highest sequence that a job's lines have had; `nil` without such a job.
  package func lastSequence(_ id: JobID) throws -> Int? {
    try read {
      try $0.first("SELECT event_sequence FROM jobs WHERE id = ?", [.text(id.text)]) {
        $0.integer("event_sequence")
      }
    }
  }

  /// Calls `body` after each commit, on the thread that wrote, which it must not hold up.
  package func observe(_ body: @escaping @Sendable () -> Void) { observers.add(body) }
}
