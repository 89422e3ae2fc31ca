import HTTP
import JSONText
import JobStore
import Recipe

extension API {
  /// Jobs in one `POST /jobs`.
  static let jobsPerRequestMax = 1000

  /// `POST /jobs`: one job, or several under `jobs` that may name one another by `ref`. All or none.
  @Sendable
  func submit(_ request: Request) throws -> Response {
    try create(request) { [self] in try submit($0, $1, isDryRun: $2, $3) }
  }

  /// Answers a POST that creates: what a key has been answered with, or what `make` does. It gets the body,
  /// the key, whether it is a dry run, and what is known of datasets; it is called again when it returns nil.
  func create(
    _ request: Request,
    _ make: @escaping @Sendable (JSON, IdempotencyKey?, Bool, DatasetLooks) throws -> Response?
  ) throws -> Response {
    var query = QueryReader(request)
    let isDryRun = query.flag("dry_run")
    try query.finish()
    let given = try request.idempotencyKey()
    let key = isDryRun ? nil : given
    // Before the input is judged: what was right the first time need not be so any more.
    if let key, let known = try store.answer(to: key) { return known.response(isRepeated: true) }
    let body = try request.json(jsonLimits)
    let looks = DatasetLooks(datasets, .contents)
    return try waiting(for: looks) { try make(body, key, isDryRun, looks) }
  }

  /// - Returns: nil: more has to be known of the datasets that the jobs name.
  private func submit(
    _ body: JSON, _ key: IdempotencyKey?, isDryRun: Bool, _ looks: DatasetLooks
  ) throws -> Response? {
    let problems = ProblemList()
    let isBatch = body["jobs"] != nil
    var jobs =
      isBatch ? readBatch(body, problems, looks) : [readOne(body, problems, looks)].compactMap(\.self)
    guard looks.isComplete else { return nil }
    try problems.check()
    let trainings = estimate(&jobs)
    for (index, job) in jobs.enumerated() where !problems.isFull {
      guard let refusal = MemoryRefusal(job, training: job.training(of: trainings), control: control) else {
        continue
      }
      problems.add((isBatch ? "/jobs/\(index)/spec/" : "/spec/") + refusal.field, refusal.message)
    }
    try problems.check()
    if isDryRun { return dryRun(jobs, isBatch: isBatch) }
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let (wait, control) = (CommitWait(), control)
    let moment = JobMoment(store)
    let describe = { @Sendable (records: [JobRecord]) in Self.created(records, at: moment, isBatch: isBatch) }
    let held = try pinCheckpoints(of: jobs, isBatch: isBatch)
    store.enqueue(jobs, under: key, describe: describe) { [self] outcome in
      switch outcome {
      case .success((let answer, let isRepeated)):
        pins.letGo(held)
        control.wake()
        wait.settle(answer.response(isRepeated: isRepeated))
      case .failure(let error):
        pins.letGo(held)
        wait.settle(API.problem(for: error).response)
      }
    }
    return Response(body: .pending(wait))
  }

  private static func created(_ records: [JobRecord], at moment: JobMoment, isBatch: Bool) -> StoredAnswer {
    let texts = records.map { $0.jsonText(at: moment) }
    guard !isBatch, let record = records.first else {
      return StoredAnswer(status: 201, headers: [:], body: "{\"jobs\":[\(texts.joined(separator: ","))]}\n")
    }
    let headers = ["Location": "/jobs/\(record.id)", "ETag": record.entityTag.text]
    return StoredAnswer(status: 201, headers: headers, body: texts[0] + "\n")
  }

  /// Notes what each job will take. An evaluation may name a training of the same request.
  ///
  /// - Returns: the trainings of the request.
  func estimate(_ jobs: inout [NewJob]) -> [JobID: TrainSpecification] {
    var trainings: [JobID: TrainSpecification] = [:]
    for index in jobs.indices {
      if let training = jobs[index].specification.train { trainings[jobs[index].id] = training }
      let cost = control.cost(of: jobs[index].specification, training: jobs[index].training(of: trainings))
      jobs[index].cost = cost.remaining(after: jobs[index].stepsDone, of: jobs[index].steps)
    }
    return trainings
  }

  private func dryRun(_ jobs: [NewJob], isBatch: Bool) -> Response {
    let moment = JobMoment(store)
    let resolved = jobs.map { job -> JSON in
      let policy = JSON.object(Dictionary(uniqueKeysWithValues: job.policy.json))
      return [
        "dry_run": true, "kind": .string(job.specification.kind.rawValue),
        "name": .optional(job.labelling.name),
        "labels": .object(job.labelling.labels.mapValues { .string($0) }),
        "notes": .optional(job.labelling.notes), "priority": .integer(job.labelling.priority),
        "on_dependency_failure": policy["on_dependency_failure"] ?? .null,
        "max_duration_seconds": policy["max_duration_seconds"] ?? .null,
        "max_duration": policy["max_duration"] ?? .null, "max_attempts": policy["max_attempts"] ?? .null,
        "spec": job.specification.json, "steps": .optional(job.steps),
        "memory_bytes": .optional(job.cost.memoryBytes),
        "estimate": job.cost.estimate(seconds: moment.seconds(for: job.cost)),
      ]
    }
    return .json(isBatch ? ["jobs": .array(resolved)] : resolved.first ?? .null)
  }

  private func readOne(_ body: JSON, _ problems: ProblemList, _ looks: DatasetLooks) -> NewJob? {
    let reader = SubmissionReader(api: self, problems: problems, looks: looks)
    return reader.read(body, at: "", isInBatch: false)?.job
  }

  private func readBatch(_ body: JSON, _ problems: ProblemList, _ looks: DatasetLooks) -> [NewJob] {
    let reader = ObjectReader(body, at: "", problems)
    let elements = reader.value("jobs")?.array ?? []
    if elements.isEmpty || elements.count > Self.jobsPerRequestMax {
      reader.refuse("jobs", "must be an array of 1 to \(Self.jobsPerRequestMax) jobs")
      return []
    }
    reader.finish()
    var submissions = SubmissionReader(api: self, problems: problems, looks: looks)
    return elements.enumerated().compactMap { index, element in
      guard let read = submissions.read(element, at: "/jobs/\(index)", isInBatch: true) else { return nil }
      if let ref = read.ref, submissions.refs.updateValue(read.job, forKey: ref) != nil {
        problems.add("/jobs/\(index)/ref", "must be unique in the request, got \"\(ref.shown)\" again")
      }
      return read.job
    }
  }
}

extension NewJob {
  /// The training of the same request whose checkpoint a job reads; `nil`: it is an earlier one, or there is
  /// none.
  func training(of trainings: [JobID: TrainSpecification]) -> TrainSpecification? {
    specification.work.checkpointUse?.job.flatMap { trainings[$0] }
  }
}
