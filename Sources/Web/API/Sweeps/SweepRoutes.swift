import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import Sweeps
import Text

// What is done with sweeps.

extension API {
  /// `POST /sweeps`: the sweep asks for its first trials as soon as it is stored.
  @Sendable
  func postSweep(_ request: Request) throws -> Response {
    try create(request) { [self] in try post($0, $1, isDryRun: $2, $3) }
  }

  /// - Returns: nil: more has to be known of the datasets that the jobs name.
  private func post(
    _ body: JSON, _ key: IdempotencyKey?, isDryRun: Bool, _ looks: DatasetLooks
  ) throws -> Response? {
    let problems = ProblemList()
    let reader = ObjectReader(body, at: "", problems)
    var labelling = JobLabelling()
    labelling.priority = body["base"]?["priority"]?.int(in: 0...100) ?? labelling.priority
    labelling.read(reader)
    let read = reader.isObject ? SweepSpecification.read(reader) : nil
    if reader.isObject { reader.finish() }
    var finding = SweepCheck.Finding()
    if let (specification, plan) = read {
      let check = SweepCheck(
        api: self, problems: problems, looks: looks, specification: specification, plan: plan)
      finding = check.run()
      guard looks.isComplete else { return nil }
    }
    try problems.check()
    guard let (specification, plan) = read else { throw SpecificationProblems([("", "must be a sweep")]) }
    let sweep = NewSweep(id: store.newID(), labelling: labelling, specification: specification)
    if isDryRun { return dryRun(sweep, plan, finding) }
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let (answer, isRepeated) = try store.add(sweep, under: key) { record in
      let standing = SweepStanding(record: record)
      let text = JSON.object(SweepFinding(standing).members(record)).text
      return StoredAnswer(
        status: 201, headers: ["Location": "/sweeps/\(record.id)", "ETag": record.entityTag.text],
        body: text + "\n")
    }
    return answer.response(isRepeated: isRepeated)
  }

  private func dryRun(_ sweep: NewSweep, _ plan: SweepPlan, _ finding: SweepCheck.Finding) -> Response {
    let moment = JobMoment(store)
    return .json([
      "dry_run": true, "name": .optional(sweep.labelling.name), "notes": .optional(sweep.labelling.notes),
      "labels": .object(sweep.labelling.labels.mapValues { .string($0) }),
      "priority": .integer(sweep.labelling.priority), "spec": sweep.specification.json,
      "configurations": .optional(plan.space.size), "max_trials": .optional(plan.trialsMax),
      "estimate": finding.cost.estimate(seconds: moment.seconds(for: finding.cost)),
    ])
  }

  /// `GET /sweeps/{id}`
  @Sendable
  func getSweep(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.sweepID()
    guard let record = try store.sweep(id) else { throw JobStoreError.noSuchSweep(id) }
    return try response(record)
  }

  private func response(_ record: SweepRecord, status: Int = 200) throws -> Response {
    let finding = try sweepFindings.finding(of: record, in: store)
    var response = Response.json(.object(finding.members(record)), status: status)
    response.headers.add("ETag", record.entityTag.text)
    return response
  }

  /// `PATCH /sweeps/{id}`: name, labels, notes and priority, by a merge patch.
  @Sendable
  func relabelSweep(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.sweepID()
    let body = try request.json(jsonLimits)
    let record = try store.relabelSweep(id, if: request.checkPreconditions) { try $0.merge(patch: body) }
    control.wake()
    return try response(record)
  }

  /// `DELETE /sweeps/{id}`: a finished sweep with its trials; its jobs stay.
  @Sendable
  func deleteSweep(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    try store.deleteSweep(try request.sweepID(), if: request.checkPreconditions)
    return Response(status: 204)
  }

  /// `POST /sweeps/{id}/pause`
  @Sendable
  func pauseSweep(_ request: Request) throws -> Response { try change(request, store.pauseSweep(_:if:)) }

  /// `POST /sweeps/{id}/resume`
  @Sendable
  func resumeSweep(_ request: Request) throws -> Response { try change(request, store.resumeSweep(_:if:)) }

  /// `POST /sweeps/{id}/cancel`
  @Sendable
  func cancelSweep(_ request: Request) throws -> Response { try change(request, store.cancelSweep(_:if:)) }

  private func change(
    _ request: Request, _ change: (JobID, (SweepRecord) throws -> Void) throws -> SweepRecord
  ) throws -> Response {
    try checkIsBare(request)
    let record = try change(request.sweepID(), request.checkPreconditions)
    control.wake()
    return try response(record, status: 202)
  }

  /// `POST /sweeps/{id}/extend`: more trials in all, or more time; one that has succeeded goes on.
  @Sendable
  func extendSweep(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let body = try request.json(jsonLimits)
    let now = store.clock()
    let record = try store.extendSweep(request.sweepID(), if: request.checkPreconditions) { record, trials in
      var (specification, _) = try record.specification()
      let problems = ProblemList()
      let reader = ObjectReader(body, at: "", problems)
      if reader.isObject {
        Self.readTrials(reader, trials: trials, problems, into: &specification)
        Self.readTime(reader, of: record, at: now, problems, into: &specification)
        reader.finish()
      }
      try problems.check()
      for problem in (try specification.plan()).problems {
        problems.add("/max_trials", problem.message)
      }
      try problems.check()
      return specification
    }
    return try response(record, status: 202)
  }

  /// Reads how many trials an extended sweep may have; they may stay out where it gets more time.
  private static func readTrials(
    _ reader: ObjectReader, trials: Int, _ problems: ProblemList, into specification: inout SweepSpecification
  ) {
    if reader.value("max_trials") == nil, reader.value("max_duration_seconds") != nil { return }
    var most: Int?
    reader.read("max_trials", .integerOrNull(SweepSpecification.maxTrialsRange), into: &most)
    let least = specification.maxTrials ?? trials
    if let most, most <= least {
      reader.refuse("max_trials", "must be above \(least), the trials that the sweep may have by now")
    } else if most == nil, problems.total == 0 {
      reader.refuse("max_trials", "must be a whole number above \(least)")
    }
    specification.maxTrials = most ?? specification.maxTrials
  }

  /// Reads until when an extended sweep may go on: it must have some time left.
  private static func readTime(
    _ reader: ObjectReader, of record: SweepRecord, at now: Int, _ problems: ProblemList,
    into specification: inout SweepSpecification
  ) {
    let name: ByteString = "max_duration_seconds"
    let known = problems.total
    if reader.value(name) != nil {
      reader.read(
        name, .integerOrNull(SweepSpecification.maxDurationRange), into: &specification.maxDurationSeconds)
    }
    guard problems.total == known, let most = specification.maxDurationSeconds,
      let started = record.startedAtMilliseconds, case let passed = (now - started) / 1000, most <= passed
    else { return }
    reader.refuse(name, "must be above \(passed), the seconds since its first trial started, got \(most)")
  }
}
