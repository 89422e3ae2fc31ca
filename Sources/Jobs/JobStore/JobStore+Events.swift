import JSONText
import JobModel
import Platform
import Recipe
import SQLite
import Text

/// What came of a piece of an event file.
package enum IngestOutcome: Sendable, Equatable {
  /// The lines and the new offset are recorded; lines that are no events are counted.
  case recorded(malformed: Int)
  /// As `recorded`, and the attempt has ended by its `end` event; the job is in that state now.
  case ended(JobState, malformed: Int)
  /// The attempt or the offset is not the current one; nothing has changed.
  case stale
}

/// A recorded line with its place in the job's order.
package struct EventLine: Sendable, Equatable {
  /// The `event` of a line that tells of a step of the job's life. The store writes it; all others are the
  /// run's.
  package static let transition = "transition"

  /// From 1, rising, with gaps where a resume has replaced metrics.
  package let sequence: Int
  package let event: String
  /// The optimiser step that it tells of, if any.
  package let step: Int?
  package let line: String

  package init(sequence: Int, event: String, step: Int?, line: String) {
    self.sequence = sequence
    self.event = event
    self.step = step
    self.line = line
  }
}

extension JobStore {
  /// Records the complete lines of a piece of the event file, exactly once: lines and offset in one
  /// transaction, and nothing unless the piece begins where the last one ended.
  ///
  /// A `started` event with a `step` replaces what was recorded beyond that step. An `end` event finishes the
  /// job.
  /// - Parameters:
  ///   - start: byte offset of the piece in the file.
  ///   - end: byte offset behind it.
  ///   - ranMilliseconds: how long the attempt has run, counted if it has ended.
  package func ingest(
    _ id: JobID, attempt: Int, from start: Int, to end: Int, lines: [String], ranMilliseconds: Int = 0
  ) throws -> IngestOutcome {
    let parsed = lines.map { (line: $0, event: Self.event(of: $0)) }
    return try write { connection in
      guard let job = try record(id, connection), job.attempt == attempt, job.state.isActive,
        job.ingestOffset == start
      else { return .stale }
      var ingestion = try Ingestion(job, connection)
      for (line, event) in parsed {
        try ingestion.take(line, event, now: clock(), ranMilliseconds: ranMilliseconds)
      }
      try ingestion.finish(offset: end, self)
      guard let last = ingestion.end else { return .recorded(malformed: ingestion.malformed) }
      try count(ranMilliseconds, of: job, connection)
      let state = try self.end(job, by: last.event, line: last.line, connection)
      if state == .succeeded { try measureEvaluation(job.id, connection) }
      return .ended(state, malformed: ingestion.malformed)
    }
  }

  /// What is needed of a line; `nil`: it is not valid JSON or has a number outside its `RecordedRange`, and
  /// counts as malformed. A run may tell a hundred thousand metric lines a second, whose curves are read from
  /// the line when they are asked for.
  private static func event(of line: String) -> JSON? {
    guard let head = try? JSON.members(["event", "epoch", "step", "time"], of: line),
      RecordedRange.allow(head)
    else {
      return nil
    }
    if head["event"] == "metric" { return .object(head) }
    // A line that is not valid JSON is malformed.
    guard let event = try? JSON.parse(line), RecordedRange.allow(event.object ?? [:]) else { return nil }
    return event
  }

  /// Has a job's events read from an earlier byte on, because its file is shorter than it was: a crash of
  /// the machine has lost what was not on the disk.
  ///
  /// - Returns: whether the attempt is the current one.
  package func rewind(_ id: JobID, attempt: Int, to offset: Int) throws -> Bool {
    try write {
      try $0.execute(
        "UPDATE jobs SET ingest_offset = ?, revision = revision + 1 WHERE id = ? AND attempt = ?",
        [.integer(offset), .text(id.text), .integer(attempt)]) == 1
    }
  }

  /// Recorded lines after a place in the job's order, at most `limit`.
  ///
  /// - Parameters:
  ///   - fromStep: leaves out lines of smaller steps; lines without a step stay.
  ///   - withTransitions: whether the steps of the job's life are among them (`EventLine.transition`), or
  ///     only what the run itself has told.
  package func lines(
    _ id: JobID, after sequence: Int = 0, fromStep: Int = 0, withTransitions: Bool = false, limit: Int
  ) throws -> [EventLine] {
    try read {
      try $0.rows(
        """
        SELECT events.sequence AS sequence, event, step, line FROM events JOIN jobs ON job = jobs.sequence
        WHERE id = ? AND events.sequence > ? AND (step IS NULL OR step >= ?)
          \(withTransitions ? "" : "AND event <> '\(EventLine.transition)'")
        ORDER BY events.sequence LIMIT ?
        """, [.text(id.text), .integer(sequence), .integer(fromStep), .integer(limit)]
      ) {
        EventLine(
          sequence: $0.integer("sequence"), event: $0.text("event"), step: $0.optionalInteger("step"),
          line: $0.text("line"))
      }
    }
  }
}

/// One transaction's worth of a job's events.
private struct Ingestion {
  private let job: JobRecord
  private let connection: Connection
  /// The highest that the job's lines had before.
  private let oldSequence: Int
  private var sequence: Int
  private var latest: String?
  private var result: String?
  /// As `ArtifactList` has it.
  private var artifacts: String
  private var steps: Int?
  private var crashes: Int
  private var hasMetricsChanged = false
  private var epochs: Int?
  private var host: JobHost?
  private var pace: Pace?
  /// The last metric line, by which the pace goes on.
  private var lastMetric: (step: Int, time: ByteString?, now: Int)?
  private var health: JobHealth
  private(set) var malformed = 0
  /// The `end` event, which the caller records with the transition.
  private(set) var end: (line: String, event: JSON)?

  init(_ job: JobRecord, _ connection: Connection) throws {
    self.job = job
    self.connection = connection
    oldSequence =
      try connection.first(
        "SELECT event_sequence FROM jobs WHERE sequence = ?", [.integer(job.sequence)]
      ) { RecordedRange.steps.nearest(to: $0.integer("event_sequence")) } ?? 0
    sequence = oldSequence
    latest = job.latest
    result = job.result
    artifacts = job.artifactsText
    steps = job.steps
    crashes = job.crashes
    health = job.health
    epochs = job.cost.epochs
    host = job.host
    pace = job.pace
  }

  /// - Parameters:
  ///   - now: the time that counts where the line has none.
  ///   - ranMilliseconds: how long the attempt has run.
  mutating func take(_ line: String, _ event: JSON?, now: Int, ranMilliseconds: Int) throws {
    guard let event, let name = event["event"]?.string else {
      malformed += 1
      return
    }
    let step = event["step"]?.int
    switch name {
    case "metric":
      guard let step else {
        malformed += 1
        return
      }
      lastMetric = (step, event["time"]?.string, now)
      latest = line
      hasMetricsChanged = true
    case "evaluation":
      guard step != nil else {
        malformed += 1
        return
      }
      hasMetricsChanged = true
    case "started":
      if let step {
        try discard(beyond: step)
        // A checkpoint whose worker died before it could tell of it.
        if try step > max(furthestCheckpoint() ?? 0, furthestStart() ?? 0) { crashes = 0 }
      }
      // An import does not know how many there will be.
      if let total = event["steps"]?.int { steps = total > 0 ? total : nil }
      begin(event, now: now)
    case "checkpoint": try record(checkpoint: event, now: now)
    case "artifact":
      var list = ArtifactList(stored: artifacts)
      guard list.add(event) else {
        malformed += 1
        return
      }
      artifacts = list.text
    case "result":
      var members = event["result"]?.object ?? [:]
      let milliseconds = job.runningMilliseconds + RecordedRange.ageMilliseconds.nearest(to: ranMilliseconds)
      members["seconds"] = .number(Double(milliseconds) / 1000)
      result = JSON.object(members).text
    case "health":
      guard step != nil, let found = JobHealth(event: event) else {
        malformed += 1
        return
      }
      health = found
    case ByteString(EventLine.transition):
      // The store alone tells of these.
      malformed += 1
      return
    case "end":
      end = (line, event)
      return
    default: break
    }
    sequence += 1
    try connection.execute(
      "INSERT INTO events (job, sequence, event, step, line) VALUES (?, ?, ?, ?, ?)",
      [.integer(job.sequence), .integer(sequence), .text(name), .optional(step), .text(line)])
  }

  /// Takes what the first line of an attempt says besides its steps.
  private mutating func begin(_ event: JSON, now: Int) {
    if job.kind.traits.isPaced, let total = event["epochs"]?.int { epochs = total }
    host = JobHost(json: event) ?? host
    lastMetric = nil
    pace = Pace(
      beginningAfter: event["step"]?.int ?? 0, atMilliseconds: Self.time(event["time"]?.string) ?? now)
  }

  /// Brings the pace up to the last metric line, and records what it says of the machine.
  private mutating func follow(_ store: JobStore) throws {
    guard let lastMetric else { return }
    let time = Self.time(lastMetric.time) ?? lastMetric.now
    var known = pace ?? Pace(beginningAfter: lastMetric.step, atMilliseconds: time)
    let measured = known.take(step: lastMetric.step, atMilliseconds: time)
    pace = known
    guard job.kind.traits.isPaced, let measured, let work = job.cost.work, let host, let steps, steps > 0
    else {
      return
    }
    try store.measure(
      work, amount: work.amount * measured.steps / Double(steps), seconds: measured.seconds, on: host,
      connection)
  }

  private static func time(_ text: ByteString?) -> Int? {
    text.flatMap { SystemClock.unixMilliseconds(rfc3339: $0.bytes) }
  }

  private mutating func record(checkpoint event: JSON, now: Int) throws {
    guard let name = event["name"]?.string, let step = event["step"]?.int, let bytes = event["bytes"]?.int,
      let sha256 = event["sha256"]?.string, CheckpointRecord.isDigest(sha256), step >= 0
    else {
      malformed += 1
      return
    }
    if try step > furthestCheckpoint() ?? -1 { crashes = 0 }
    try connection.execute(
      """
      INSERT INTO checkpoints (job, name, step, bytes, sha256, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (job, name) DO UPDATE SET bytes = excluded.bytes, sha256 = excluded.sha256,
        created_at_ms = excluded.created_at_ms
      """,
      [
        .integer(job.sequence), .text(name), .integer(step), .integer(bytes), .text(sha256), .integer(now),
      ])
  }

  private func furthestCheckpoint() throws -> Int? {
    try connection.first(
      "SELECT max(step) AS step FROM checkpoints WHERE job = ?", [.integer(job.sequence)]
    ) { $0.optionalInteger("step") }.flatMap(\.self)
  }

  private func furthestStart() throws -> Int? {
    try connection.first(
      "SELECT max(step) AS step FROM events WHERE job = ? AND event = 'started'", [.integer(job.sequence)]
    ) { $0.optionalInteger("step") }.flatMap(\.self)
  }

  /// Forgets what an attempt that begins at a step is going to tell again.
  private mutating func discard(beyond step: Int) throws {
    let arguments: [Value] = [.integer(job.sequence), .integer(step)]
    try connection.execute("DELETE FROM checkpoints WHERE job = ? AND step > ?", arguments)
    let removed = try connection.execute(
      """
      DELETE FROM events
      WHERE job = ? AND event IN ('metric', 'evaluation', 'checkpoint', 'health') AND step > ?
      """, arguments)
    if removed == 0 { return }
    try MetricPyramid(job: job.sequence, connection: connection).discard(beyond: step)
    hasMetricsChanged = true
    health = try lastHealth()
    latest = try connection.first(
      "SELECT line FROM events WHERE job = ? AND event = 'metric' ORDER BY sequence DESC LIMIT 1",
      [.integer(job.sequence)]
    ) { $0.text("line") }
  }

  /// As the lines say that are left.
  private func lastHealth() throws -> JobHealth {
    let line = try connection.first(
      "SELECT line FROM events WHERE job = ? AND event = 'health' ORDER BY sequence DESC LIMIT 1",
      [.integer(job.sequence)]
    ) { $0.text("line") }
    return try line.flatMap { JobHealth(event: try JSON.parse($0)) } ?? JobHealth()
  }

  mutating func finish(offset: Int, _ store: JobStore) throws {
    try follow(store)
    if hasMetricsChanged { try packMetrics() }
    if health != job.health { try record(health) }
    if result != job.result {
      try connection.execute(
        "UPDATE jobs SET revision = revision + 1 WHERE \(JobStore.isEvaluatedByJob)",
        [.integer(job.sequence)])
    }
    if sequence > oldSequence {
      try store.tellFeed(of: (oldSequence + 1)...sequence, job: job, connection)
    }
    try connection.execute(
      """
      UPDATE jobs SET ingest_offset = ?, event_sequence = ?, latest = ?, result = ?, artifacts = ?, steps = ?,
        crashes = ?, epochs = ?, host = ?, pace_steps = ?, pace_seconds = ?, pace_step = ?, pace_at_ms = ?,
        revision = revision + 1 WHERE sequence = ?
      """,
      [
        .integer(offset), .integer(sequence), .optional(latest), .optional(result), .text(artifacts),
        .optional(steps), .integer(crashes), .optional(epochs), .optional(host?.json.text),
        .optional(pace?.steps), .optional(pace?.seconds), .optional(pace?.step),
        .optional(pace?.atMilliseconds), .integer(job.sequence),
      ])
  }

  /// Lines of one ingestion that are packed at once. Where a worker writes so much that more wait, recording
  /// them comes first; they are packed by the ingestions that follow, or when the curves are asked for.
  private static let packedLinesMax = 1_024

  /// Brings the columns and the summary up to the lines.
  private func packMetrics() throws {
    let isBehind = sequence - oldSequence > Self.packedLinesMax
    try MetricPyramid(job: job.sequence, connection: connection)
      .packAndSummarize(limit: isBehind ? 0 : JobStore.chunksPerWrite)
  }

  /// On its own, as every write of the column is a change that followers are told of.
  private func record(_ health: JobHealth) throws {
    try connection.execute(
      "UPDATE jobs SET health = ?, health_message = ?, health_step = ? WHERE sequence = ?",
      [
        .text(health.state.rawValue), .optional(health.message), .optional(health.step),
        .integer(job.sequence),
      ])
  }
}

extension JobHealth {
  /// Of a `health` event; `nil` for a state that does not exist.
  fileprivate init?(event: JSON) {
    guard let state = event["state"]?.string.flatMap(HealthState.init(bytes:)) else { return nil }
    self.init(
      state, message: event["message"]?.string?.shown(charactersMax: JobStore.messageCharactersMax),
      step: event["step"]?.int)
  }
}
