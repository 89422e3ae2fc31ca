import JobModel
import Recipe
import SQLite

// How fast this machine does work, from the jobs that it has done and is doing.
//
// Each line of a training measures the steps since the line before; an evaluation, whose steps are of
// different lengths, is measured as a whole when it has succeeded.
extension JobStore {
  /// What has been measured on this machine.
  package func measuredRates() throws -> MeasuredRates {
    let commits = commitCount
    if let known = ratesCache.withLock({ $0 }), known.commits == commits { return known.rates }
    let rates = try read { try measuredRates($0) }
    ratesCache.withLock { $0 = (commits, rates) }
    return rates
  }

  private func measuredRates(_ connection: Connection) throws -> MeasuredRates {
    var rates = MeasuredRates()
    let rows = try connection.rows(
      "SELECT kind, size, work, seconds FROM rates WHERE machine = ?", [.text(machine)]
    ) {
      (
        kind: $0.text("kind"), size: $0.integer("size"),
        sum: MeasuredRates.Sum(work: $0.real("work"), seconds: $0.real("seconds"))
      )
    }
    for row in rows { rates.set(row.sum, kind: row.kind, size: row.size) }
    return rates
  }

  /// Keeps what is known of a claimed job's time, so that it can be compared with the time that it takes.
  func recordEstimate(of job: JobRecord, _ connection: Connection) throws {
    let seconds = try job.cost.work.flatMap { try measuredRates(connection).seconds(for: $0) }
    try connection.execute(
      "UPDATE jobs SET estimate_ms = ? WHERE sequence = ?",
      [
        .optional(seconds.map { Int(min($0 * 1000, Double(RecordedRange.countMax))) }),
        .integer(job.sequence),
      ])
  }

  /// Adds an amount of a job's work, and the seconds that it took, to what a machine is known for.
  func measure(
    _ work: Work, amount: Double, seconds: Double, on host: JobHost, _ connection: Connection
  ) throws {
    let place: [Value] = [.text(host.rateKey), .text(work.kind), .integer(work.size)]
    var sum =
      try connection.first(
        "SELECT work, seconds FROM rates WHERE machine = ? AND kind = ? AND size = ?", place
      ) { MeasuredRates.Sum(work: $0.real("work"), seconds: $0.real("seconds")) } ?? .init()
    sum.add(work: amount, seconds: seconds)
    guard sum.work > 0, sum.seconds > 0, sum.work.isFinite else { return }
    try connection.execute(
      """
      INSERT INTO rates (machine, kind, size, work, seconds) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (machine, kind, size) DO UPDATE SET work = excluded.work, seconds = excluded.seconds
      """, place + [.real(sum.work), .real(sum.seconds)])
  }

  /// Measures a whole job that has succeeded, of a kind that has no pace by which it is measured as it runs.
  func measureEvaluation(_ id: JobID, _ connection: Connection) throws {
    let job = try existing(id, connection)
    guard !job.kind.traits.isPaced, let work = job.cost.work, let host = job.host else { return }
    try measure(
      work, amount: work.amount + work.once, seconds: Double(job.runningMilliseconds) / 1000, on: host,
      connection)
  }
}

extension JobCost {
  /// The arguments of the columns from `memory_bytes` to `work_share`.
  var values: [Value] {
    [
      .optional(memoryBytes), .optional(diskBytes), .optional(work?.amount), .optional(work?.once),
      .optional(work?.perImage),
      .optional(work?.kind), .optional(epochs), .optional(stepImages),
      .optional(work?.share),
    ]
  }
}
