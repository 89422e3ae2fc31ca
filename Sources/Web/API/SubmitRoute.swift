import HTTP
import JobModel
import JobStore

extension API {
  /// Jobs in one `POST /jobs`.
  static let jobsPerRequestMax = 1000

  /// `POST /jobs`: one job, or several under `jobs` that may name one another by `ref`. All or none.
  @Sendable
  func submit(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let isDryRun = query.flag("dry_run")
    try query.finish()
    let given = try request.idempotencyKey()
    let key = isDryRun ? nil : given
    // Before the input is judged: what was right the first time need not be so any more.
    if let key, let known = try store.answer(to: key) { return known.response(isRepeated: true) }
    let body = try request.json(jsonLimits)
    let looks = DatasetLooks(datasets, .contents)
    return try waiting(for: looks) { try submit(body, under: key, isDryRun: isDryRun, looks) }
  }

  /// - Returns: nil: more has to be known of the datasets that the jobs name.
  private func submit(
    _ body: JSON, under key: IdempotencyKey?, isDryRun: Bool, _ looks: DatasetLooks
  ) throws -> Response? {
    let problems = ProblemList()
    let isBatch = body["jobs"] != nil
    let jobs =
      isBatch ? readBatch(body, problems, looks) : [readOne(body, problems, looks)].compactMap(\.self)
    guard looks.isComplete else { return nil }
    try problems.check()
    let needs = jobs.map(memoryNeed)
    for (index, need) in needs.enumerated() {
      guard let need, need.bytes > need.machineBytes else { continue }
      let kind = jobs[index].specification.kind
      let place = isBatch ? "/jobs/\(index)/spec/" : "/spec/"
      problems.add(place + (kind == .train ? "batch_size" : "dataset/limit"), need.refusal(of: kind))
    }
    try problems.check()
    if isDryRun { return dryRun(jobs, needs, isBatch: isBatch) }
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let (wait, control) = (CommitWait(), control)
    let describe = { @Sendable (records: [JobRecord]) in Self.created(records, isBatch: isBatch) }
    let held = try pinCheckpoints(of: jobs, isBatch: isBatch)
    store.enqueue(jobs, under: key, describe: describe) { [self] outcome in
      switch outcome {
      case .success((let answer, let isRepeated)):
        letGo(held, areStored: !isRepeated)
        control.wake()
        wait.settle(answer.response(isRepeated: isRepeated))
      case .failure(let error):
        letGo(held, areStored: false)
        wait.settle(API.problem(for: error).response)
      }
    }
    return Response(body: .pending(wait))
  }

  private static func created(_ records: [JobRecord], isBatch: Bool) -> StoredAnswer {
    let texts = records.map(\.jsonText)
    guard !isBatch, let record = records.first else {
      return StoredAnswer(status: 201, headers: [:], body: "{\"jobs\":[\(texts.joined(separator: ","))]}\n")
    }
    let headers = ["Location": "/jobs/\(record.id)", "ETag": record.entityTag.text]
    return StoredAnswer(status: 201, headers: headers, body: texts[0] + "\n")
  }

  private func memoryNeed(of job: NewJob) -> MemoryNeed? { control.memoryNeed(of: job.specification) }

  private func dryRun(_ jobs: [NewJob], _ needs: [MemoryNeed?], isBatch: Bool) -> Response {
    let resolved = zip(jobs, needs).map { job, need -> JSON in
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
        "memory_bytes": .optional(need?.bytes),
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

extension MemoryNeed {
  /// Why a job of that kind is refused.
  func refusal(of kind: JobKind) -> String {
    let what = kind == .train ? "smaller, or the network narrower: the training" : "smaller: the evaluation"
    return "must be \(what) needs \(bytes >> 20) MiB of memory, this machine has \(machineBytes >> 20)"
  }
}
