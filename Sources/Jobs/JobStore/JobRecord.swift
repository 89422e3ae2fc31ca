import JSONText
import JobModel
import Platform
import Recipe
import SQLite
import Text

/// A job as the store has it.
package struct JobRecord: Sendable, Equatable {
  package let id: JobID
  /// Position in the order of arrival; the cursor of lists.
  package let sequence: Int
  package let kind: JobKind
  package let labelling: JobLabelling
  package let state: JobState
  package let reason: Reason?
  /// For people.
  package let message: String?
  /// How it was asked to end, while and after it was `cancelling`.
  package let cancelMode: CancelMode?
  /// The resolved specification as JSON.
  package let specificationText: String
  /// Counts the claims, from 1; 0: never claimed.
  package let attempt: Int
  /// The daemon's life in which it was claimed or adopted last.
  package let bootID: String?
  /// Deaths of its worker without a new checkpoint in between.
  package let crashes: Int
  package let createdAtMilliseconds: Int
  /// When it was claimed first.
  package let startedAtMilliseconds: Int?
  package let finishedAtMilliseconds: Int?
  /// Optimiser steps of the whole run, once known.
  package let steps: Int?
  /// What it will take, as far as that was known when it was queued.
  package let cost: JobCost
  /// How long the whole job would take, by what was known when it was claimed last; `nil`: nothing was.
  package let claimedEstimateMilliseconds: Int?
  /// When the present attempt, or the last one, was claimed.
  package let claimedAtMilliseconds: Int?
  /// How long all attempts before the present one ran, those before a retry included.
  package let runningMilliseconds: Int
  /// What its last attempt ran on, as JSON; `nil`: none has begun.
  package let hostText: String?
  /// How fast the present attempt, or the last one, gets on.
  package let pace: Pace?
  /// The last metric line as it was recorded.
  package let latest: String?
  /// The evaluations of a training, oldest first, as a JSON array: id, protocol, layer, label_share, metric
  /// and, once it is known, top1; `nil` for other jobs.
  package let evaluationsText: String?
  /// What an evaluation found, as JSON.
  package let result: String?
  /// What its workers have left besides figures and checkpoints, by name, as a JSON array.
  package let artifactsText: String
  /// Bytes of the event file that have been ingested.
  package let ingestOffset: Int
  package let policy: JobPolicy
  /// The ids of the jobs that it waits for, a JSON array; some may be deleted by now.
  package let needsText: String
  /// Attempts that ended with an error of their own.
  package let failures: Int
  /// How long the attempts before the present one ran.
  package let ranMilliseconds: Int
  /// When a queued job may be tried next; 0: now.
  package let notBeforeMilliseconds: Int
  /// How its worker judges the training.
  package let health: JobHealth
  /// Of each metric: last value, mean of the last tenth, extremes, step of the best; a JSON object.
  package let summary: String?
  /// The dataset that it reads or imports, by name; `nil`: none.
  package let datasetName: String?
  /// The method of a training, or of the one whose checkpoint it takes; `nil`: none, or not known.
  package let methodName: String?
  /// The accuracy that an evaluation has found, and of a training the best one of its evaluations; `nil`:
  /// none yet.
  package let top1: Double?
  /// The dataset as it was when the job was queued, a `DatasetFingerprint` as JSON; `nil`: nobody looked.
  package let datasetText: String?
  /// The trial that it belongs to; `nil`: none.
  package let place: TrialPlace?
  /// Grows with every change of the record.
  package let revision: Int

  /// Milliseconds that it has spent running, in all attempts, at a time.
  package func runningMilliseconds(at now: Int) -> Int {
    guard state.isActive, let claimedAtMilliseconds else { return runningMilliseconds }
    return runningMilliseconds + RecordedRange.ageMilliseconds.nearest(to: now - claimedAtMilliseconds)
  }

  /// What its last attempt ran on; `nil`: none has begun, or the row is damaged.
  package var host: JobHost? { hostText.flatMap { try? JSON.parse($0) }.flatMap(JobHost.init(json:)) }

  /// The specification as a value.
  ///
  /// - Throws: `SpecificationProblems` or `JSONError` if an older program stored what this one does not read.
  package func specification() throws -> JobSpecification {
    try JobSpecification.parse(JSON.parse(specificationText), kind: kind)
  }

  /// The dataset as it was when the job was queued; `nil`: nobody looked.
  ///
  /// - Throws: `JSONError` for a damaged row.
  package func dataset() throws -> DatasetFingerprint? {
    try datasetText.flatMap { DatasetFingerprint(json: try JSON.parse($0)) }
  }

  static let columns = """
    id, sequence, kind, name, notes, labels, priority, state, reason, message, cancel_mode, spec, attempt,
    boot_id, crashes, created_at_ms, started_at_ms, finished_at_ms, steps, latest, result, ingest_offset,
    on_dependency_failure, max_duration_ms, max_attempts, failures, ran_ms, not_before_ms,
    revision, needed_jobs, health, health_message, health_step, summary, dataset, memory_bytes, disk_bytes,
    work, work_once, work_per_image, work_kind, work_share, epochs, step_images, estimate_ms, claimed_at_ms,
    running_ms, host, pace_steps, pace_seconds, pace_step, pace_at_ms, artifacts, sweep, trial, trial_rung,
    trial_seed, dataset_name, method, top1, \(evaluations) AS evaluations
    """

  /// The evaluations of a training, oldest first, as a JSON array; NULL for other jobs.
  private static let evaluations = """
    CASE jobs.kind WHEN 'train' THEN (
      SELECT json_group_array(json_object(
        'id', evaluation.id, 'protocol', json_extract(evaluation.spec, '$.protocol'),
        'layer',
        coalesce(json_extract(evaluation.result, '$.layer'), json_extract(evaluation.spec, '$.layer')),
        'label_share', coalesce(json_extract(evaluation.spec, '$.label_share'), 1),
        'metric', CASE json_extract(evaluation.spec, '$.protocol')
          WHEN 'knn' THEN coalesce(json_extract(evaluation.spec, '$.knn.metric'), 'cosine') END,
        'top1', json_extract(evaluation.result, '$.top1')))
      FROM job_dependencies AS need JOIN jobs AS evaluation ON evaluation.sequence = need.job
      WHERE need.needs = jobs.sequence AND evaluation.kind = 'evaluate'
        AND json_extract(evaluation.spec, '$.checkpoint.job') = jobs.id) END
    """

  /// What the row of a job that has just been queued holds.
  init(
    _ job: NewJob, sequence: Int, state: JobState, specificationText: String, needsText: String,
    datasetText: String?, methodName: String?, createdAtMilliseconds: Int
  ) {
    id = job.id
    self.sequence = sequence
    kind = job.specification.kind
    labelling = job.labelling
    self.state = state
    (reason, message, cancelMode) = (nil, nil, nil)
    self.specificationText = specificationText
    (attempt, bootID, crashes, failures) = (0, nil, 0, 0)
    self.createdAtMilliseconds = createdAtMilliseconds
    (startedAtMilliseconds, claimedAtMilliseconds, finishedAtMilliseconds) = (nil, nil, nil)
    steps = job.steps
    cost = job.cost
    (claimedEstimateMilliseconds, runningMilliseconds, ranMilliseconds) = (nil, 0, 0)
    (hostText, pace, latest, result, summary) = (nil, nil, nil, nil, nil)
    evaluationsText = kind == .train ? "[]" : nil
    artifactsText = "[]"
    ingestOffset = 0
    policy = job.policy
    self.needsText = needsText
    notBeforeMilliseconds = 0
    health = JobHealth(.unknown, message: nil, step: nil)
    self.datasetText = datasetText
    datasetName = job.specification.datasetName
    self.methodName = methodName
    top1 = nil
    place = job.place
    revision = 1
  }

  /// Reads a row that has `columns`. Numbers that others compute with are brought into their `RecordedRange`:
  /// the row may be older than the range, or damaged.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    guard let id = JobID(row.text("id")), let kind = JobKind(rawValue: row.text("kind")),
      let state = JobState(rawValue: row.text("state"))
    else { throw JobStoreError.unreadableRow(sequence: row.integer("sequence")) }
    self.id = id
    self.kind = kind
    self.state = state
    sequence = row.integer("sequence")
    labelling = JobLabelling(
      name: row.optionalText("name").map { ByteString($0) },
      labels: try JSON.parse(row.text("labels")).object?.compactMapValues(\.string) ?? [:],
      notes: row.optionalText("notes").map { ByteString($0) }, priority: row.integer("priority"))
    reason = row.optionalText("reason").flatMap(Reason.init)
    message = row.optionalText("message")
    cancelMode = row.optionalText("cancel_mode").flatMap(CancelMode.init)
    specificationText = row.text("spec")
    attempt = RecordedRange.steps.nearest(to: row.integer("attempt"))
    bootID = row.optionalText("boot_id")
    crashes = RecordedRange.steps.nearest(to: row.integer("crashes"))
    createdAtMilliseconds = row.integer("created_at_ms")
    startedAtMilliseconds = row.optionalInteger("started_at_ms")
    finishedAtMilliseconds = row.optionalInteger("finished_at_ms")
    steps = row.optionalInteger("steps").flatMap { RecordedRange.steps.contains($0) ? $0 : nil }
    latest = row.optionalText("latest")
    result = row.optionalText("result")
    evaluationsText = row.optionalText("evaluations")
    artifactsText = row.text("artifacts")
    ingestOffset = RecordedRange.bytes.nearest(to: row.integer("ingest_offset"))
    policy = JobPolicy(
      onDependencyFailure: JobPolicy.OnDependencyFailure(rawValue: row.text("on_dependency_failure"))
        ?? .cancel,
      maxDurationSeconds: row.optionalInteger("max_duration_ms").map {
        min($0 / 1000, JobPolicy.maxDurationRange.upperBound)
      },
      maxAttempts: row.integer("max_attempts"))
    needsText = row.text("needed_jobs")
    failures = RecordedRange.steps.nearest(to: row.integer("failures"))
    ranMilliseconds = RecordedRange.ageMilliseconds.nearest(to: row.integer("ran_ms"))
    notBeforeMilliseconds = row.integer("not_before_ms")
    health = JobHealth(
      HealthState(rawValue: row.text("health")) ?? .unknown, message: row.optionalText("health_message"),
      step: row.optionalInteger("health_step"))
    summary = row.optionalText("summary")
    datasetText = row.optionalText("dataset")
    datasetName = row.optionalText("dataset_name")
    methodName = row.optionalText("method")
    top1 = row.optionalReal("top1")
    cost = JobCost(row)
    claimedEstimateMilliseconds = row.optionalInteger("estimate_ms").flatMap {
      RecordedRange.steps.contains($0) ? $0 : nil
    }
    claimedAtMilliseconds = row.optionalInteger("claimed_at_ms").map {
      SystemClock.rfc3339Range.nearest(to: $0)
    }
    runningMilliseconds = RecordedRange.ageMilliseconds.nearest(to: row.integer("running_ms"))
    hostText = row.optionalText("host")
    pace = Pace(row)
    place = TrialPlace(row)
    revision = row.integer("revision")
  }
}

extension JobCost {
  /// Reads the columns of a job; damaged ones count as unknown.
  fileprivate init(_ row: Row) {
    func count(_ name: String) -> Int? {
      row.optionalInteger(name).flatMap { RecordedRange.bytes.contains($0) ? $0 : nil }
    }
    let work = Work(row)
    self.init(
      memoryBytes: count("memory_bytes"), diskBytes: count("disk_bytes"), work: work, epochs: count("epochs"),
      stepImages: count("step_images"))
  }
}

extension Work {
  /// Reads the columns of a job; `nil`: the work is not known, or they are damaged.
  init?(_ row: Row) {
    guard let amount = row.optionalReal("work"), let once = row.optionalReal("work_once"),
      let perImage = row.optionalReal("work_per_image"), let kind = row.optionalText("work_kind")
    else { return nil }
    self.init(kind: kind, amount: amount, once: once, perImage: perImage)
    if let share = row.optionalReal("work_share"), (0...1).contains(share) { self.share = share }
  }
}

extension TrialPlace {
  /// Reads the columns of a job.
  fileprivate init?(_ row: Row) {
    guard let sweep = row.optionalText("sweep").flatMap({ JobID($0) }),
      let trial = row.optionalInteger("trial")
    else { return nil }
    self.init(
      sweep: sweep, trial: trial, rung: row.optionalInteger("trial_rung") ?? 0,
      seed: row.optionalInteger("trial_seed") ?? 0)
  }
}

extension Pace {
  /// Reads the columns of a job.
  fileprivate init?(_ row: Row) {
    guard let steps = row.optionalReal("pace_steps"), let seconds = row.optionalReal("pace_seconds"),
      let step = row.optionalInteger("pace_step"), let time = row.optionalInteger("pace_at_ms"),
      RecordedRange.steps.contains(step), SystemClock.rfc3339Range.contains(time)
    else { return nil }
    self.init(steps: steps, seconds: seconds, step: step, atMilliseconds: time)
  }
}

/// What others that name a job have to know of it.
package struct JobStanding: Sendable, Equatable {
  package let id: JobID
  /// Position in the order of arrival.
  let sequence: Int
  package let kind: JobKind
  package let state: JobState
  package let reason: Reason?

  /// Reads a row that has these columns.
  ///
  /// - Throws: `JobStoreError.unreadableRow`.
  init(_ row: Row) throws {
    sequence = row.integer("sequence")
    guard let id = JobID(row.text("id")), let kind = JobKind(rawValue: row.text("kind")),
      let state = JobState(rawValue: row.text("state"))
    else { throw JobStoreError.unreadableRow(sequence: sequence) }
    self.id = id
    self.kind = kind
    self.state = state
    reason = row.optionalText("reason").flatMap(Reason.init)
  }
}

/// A checkpoint that a worker has reported.
package struct CheckpointRecord: Sendable, Equatable {
  /// The file's name in the run folder's `checkpoints/`.
  package let name: String
  package let step: Int
  package let bytes: Int
  /// 64 hexadecimal digits, of the file as it is.
  package let sha256: String
  package let createdAtMilliseconds: Int

  /// Whether a text is a SHA-256 in hexadecimal: 64 lower-case digits.
  static func isDigest(_ text: ByteString) -> Bool {
    text.count == 64 && text.allSatisfy { Array("0123456789abcdef".utf8).contains($0) }
  }
}
