import JSONText
import JobModel
import Recipe
import SQLite

extension JobStore {
  /// Queues jobs, all or none, in their order. A job is `blocked` until the jobs that it needs have
  /// succeeded, or ended if it asks for no more.
  ///
  /// - Throws: `JobStoreError.unusableNeed` if a job that is needed cannot succeed any more and has to, or
  ///   is not there.
  package func enqueue(_ jobs: [NewJob]) throws -> [JobRecord] {
    try write { try insert(jobs, $0) }
  }

  /// As `enqueue`, in a write that is under way.
  func insert(_ jobs: [NewJob], _ connection: Connection) throws -> [JobRecord] {
    try jobs.map { job in
      try checkDataset(of: job, connection)
      try checkModel(of: job, connection)
      let awaitedIDs = job.awaitedJobs
      let needs = try job.neededJobs.map {
        try usableNeed($0, of: job, isAwaited: awaitedIDs.contains($0), connection)
      }
      let awaited = needs.filter { awaitedIDs.contains($0.id) }
      let isBlocked = awaited.contains { !job.policy.isMet(by: $0.state) }
      let names = awaited.sorted { $0.sequence < $1.sequence }.map { JSON.string($0.id.text) }
      let record = try insert(job, isBlocked ? .blocked : .queued, needs: JSON.array(names).text, connection)
      for need in needs {
        try connection.execute(
          "INSERT INTO job_dependencies (job, needs) VALUES (?, ?)",
          [.integer(record.sequence), .integer(need.sequence)])
      }
      if let training = job.checkpointNeed { try revise(training, connection) }
      return record
    }
  }

  /// A training has another revision with each change of its list of evaluations.
  private func revise(_ training: JobID, _ connection: Connection) throws {
    try connection.execute(
      "UPDATE jobs SET revision = revision + 1 WHERE id = ?", [.text(training.text)])
  }

  private func usableNeed(
    _ id: JobID, of job: NewJob, isAwaited: Bool, _ connection: Connection
  ) throws -> JobStanding {
    let needed = try standing(of: id, connection)
    let isCheckpoint = job.checkpointNeed == id
    guard let needed, !isCheckpoint || needed.kind.traits.leavesCheckpoints,
      !isAwaited || !needed.state.isFinished || job.policy.isMet(by: needed.state)
    else { throw JobStoreError.unusableNeed(id, kind: needed?.kind, state: needed?.state) }
    return needed
  }

  private func insert(
    _ job: NewJob, _ state: JobState, needs: String, _ connection: Connection
  ) throws -> JobRecord {
    let now = clock()
    let (specification, dataset) = (job.specification.jsonText, job.dataset?.json.text)
    let method = try methodName(of: job.specification, connection)
    try connection.execute(
      """
      INSERT INTO jobs (id, kind, name, notes, labels, priority, state, spec, steps, on_dependency_failure,
        max_duration_ms, max_attempts, needed_jobs, dataset, created_at_ms, changed_at_ms, changed_by,
        event_sequence, memory_bytes, disk_bytes, work, work_once, work_per_image, work_kind, epochs,
        step_images, work_share, sweep, trial, trial_rung, trial_seed, dataset_name, method)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'user', 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?)
      """,
      [
        .text(job.id.text), .text(job.specification.kind.rawValue), .optional(job.labelling.name),
        .optional(job.labelling.notes),
        .text(JSON.object(job.labelling.labels.mapValues { .string($0) }).text),
        .integer(job.labelling.priority), .text(state.rawValue), .text(specification),
        .optional(job.steps), .text(job.policy.onDependencyFailure.rawValue),
        .optional(job.policy.maxDurationSeconds.map { $0 * 1000 }), .integer(job.policy.maxAttempts),
        .text(needs), .optional(dataset), .integer(now), .integer(now),
      ] + job.cost.values + [
        .optional(job.place?.sweep.text), .optional(job.place?.trial), .optional(job.place?.rung),
        .optional(job.place?.seed), .optional(job.specification.datasetName), .optional(method),
      ])
    // Reading the row again would cost a third of writing it.
    return JobRecord(
      job, sequence: connection.lastInsertedRow, state: state, specificationText: specification,
      needsText: needs, datasetText: dataset, methodName: method, createdAtMilliseconds: now)
  }

  /// The method of a training, or of the one whose checkpoint a job takes; `nil`: none, or not known.
  func methodName(of specification: JobSpecification, _ connection: Connection) throws -> String? {
    if let training = specification.train { return training.loss.method.rawValue }
    guard let training = specification.work.checkpointUse?.job else { return nil }
    return try connection.first("SELECT method FROM jobs WHERE id = ?", [.text(training.text)]) {
      $0.optionalText("method")
    }.flatMap(\.self)
  }

  /// Takes the queued job of the highest priority that has waited longest and may be tried by now, and makes
  /// it `running` as a new attempt.
  package func claimNext(bootID: String) throws -> JobRecord? {
    let now = clock()
    return try write { connection in
      let job = try connection.first(
        """
        UPDATE jobs SET state = 'running', attempt = attempt + 1, boot_id = ?1, reason = NULL, message = NULL,
          started_at_ms = coalesce(started_at_ms, ?2), claimed_at_ms = ?2, changed_at_ms = ?2,
          pace_steps = NULL, pace_seconds = NULL, pace_step = NULL, pace_at_ms = NULL,
          changed_by = 'daemon', cancel_mode = NULL, revision = revision + 1
        WHERE sequence = (
          SELECT sequence FROM jobs WHERE state = 'queued' AND not_before_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3
          ORDER BY priority DESC, sequence LIMIT 1)
        RETURNING \(JobRecord.columns)
        """, [.text(bootID), .integer(now), .integer(Self.backOffMillisecondsMax)], JobRecord.init)
      if let job { try recordEstimate(of: job, connection) }
      return job
    }
  }

  /// How many jobs `claimNext` would give in a row, counted up to a number.
  package func claimableCount(max most: Int) throws -> Int {
    let now = clock()
    return try read {
      try $0.first(
        """
        SELECT count(*) AS count FROM (
          SELECT 1 FROM jobs WHERE state = 'queued' AND not_before_ms NOT BETWEEN ?1 + 1 AND ?1 + ?2 LIMIT ?3)
        """, [.integer(now), .integer(Self.backOffMillisecondsMax), .integer(most)]
      ) { $0.integer("count") } ?? 0
    }
  }

  /// Milliseconds until the next job may be tried that was put back into the queue for a while; 0: its time
  /// has come, perhaps since `claimNext` found none. `nil`: there is none.
  package func millisecondsToNextTry() throws -> Int? {
    let now = clock()
    return try read {
      try $0.first(
        """
        SELECT min(max(not_before_ms, ?1)) AS time FROM jobs
        WHERE state = 'queued' AND not_before_ms BETWEEN 1 AND ?1 + ?2
        """, [.integer(now), .integer(Self.backOffMillisecondsMax)]
      ) { $0.optionalInteger("time") }.flatMap(\.self).map { $0 - now }
    }
  }

  /// A time that lies further ahead than any back-off comes from a clock that has been set back, and counts
  /// as past.
  private static let backOffMillisecondsMax = JobPolicy.backOffMilliseconds(after: .max)

  /// A daemon takes over a worker of an earlier one.
  ///
  /// - Returns: whether the attempt is still the current one.
  package func adopt(_ id: JobID, attempt: Int, bootID: String) throws -> Bool {
    try write {
      try $0.execute(
        """
        UPDATE jobs SET boot_id = ?, revision = revision + 1
        WHERE id = ? AND attempt = ? AND state IN ('running', 'pausing', 'cancelling')
        """, [.text(bootID), .text(id.text), .integer(attempt)]) == 1
    }
  }

  /// Releases the jobs that now have all they need, or cancels those that can never have it.
  func settleDependents(of job: JobRecord, _ connection: Connection) throws {
    let dependents = try connection.rows(
      """
      SELECT \(JobRecord.columns) FROM jobs JOIN job_dependencies ON job = sequence
      WHERE needs = ? AND state = 'blocked' ORDER BY sequence
      """, [.integer(job.sequence)], JobRecord.init)
    for dependent in dependents {
      // A step of an earlier one in the list may have settled this one as well.
      let now = try existing(dependent.id, connection)
      if now.state == .blocked { try settleBlocked(now, connection) }
    }
  }

  /// Brings a blocked job where the states of the jobs that it needs bring it.
  func settleBlocked(_ job: JobRecord, _ connection: Connection) throws {
    let needs = try needs(of: job, connection)
    let lost = needs.first { $0.state.isFinished && !job.policy.isMet(by: $0.state) }
    if let lost {
      try move(
        job,
        to: Step(
          .cancelled, .dependencyFailed,
          message: "job \(lost.id) has \(lost.state == .failed ? "failed" : "been cancelled")"), connection)
    } else if needs.allSatisfy({ job.policy.isMet(by: $0.state) }) {
      try move(job, to: Step(.queued), connection)
    }
  }

  /// The jobs that a job waits for and that are still there, with their states.
  func needs(of job: JobRecord, _ connection: Connection) throws -> [(id: JobID, state: JobState)] {
    let awaited = Set(
      (try JSON.parse(job.needsText).array ?? []).compactMap { $0.string.flatMap(JobID.init) })
    return try connection.rows(
      """
      SELECT id, state, sequence FROM jobs JOIN job_dependencies ON needs = sequence WHERE job = ?
      ORDER BY sequence
      """, [.integer(job.sequence)]
    ) { row in
      guard let id = JobID(row.text("id")), let state = JobState(rawValue: row.text("state")) else {
        throw JobStoreError.unreadableRow(sequence: row.integer("sequence"))
      }
      return (id, state)
    }.filter { awaited.contains($0.0) }
  }
}

extension JobPolicy {
  /// Whether a needed job in that state holds the job up no longer.
  func isMet(by state: JobState) -> Bool {
    state == .succeeded || (onDependencyFailure == .run && state.isFinished)
  }
}
