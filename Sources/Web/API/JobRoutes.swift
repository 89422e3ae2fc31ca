import HTTP
import JobModel
import JobStore
import RunFolder
import Text

extension API {
  /// Jobs in one list, where the request does not say.
  static let listLimitDefault = 50
  /// Jobs in one list at most.
  static let listLimitMax = 500

  /// `GET /jobs`
  @Sendable
  func listJobs(_ request: Request) throws -> Response {
    let commits = store.commitCount
    let moment = JobMoment(store)
    if let known = jobLists.response(to: request, asOf: commits, at: moment.milliseconds) { return known }
    var query = QueryReader(request)
    var filter = JobFilter()
    filter.states = query.choices("state")
    filter.health = query.choices("health")
    filter.kind = query.choice("kind")
    if let text = query.value("label") {
      let (key, value) = text.divided(at: 0x3D)
      filter.label = (key: key, value: value)
    }
    let limit = query.integer("limit", 1...Self.listLimitMax) ?? Self.listLimitDefault
    let cursor = query.integer("cursor", 1...Int.max)
    try query.finish()
    let records = try store.list(filter, before: cursor, limit: limit + 1)
    let page = records.prefix(limit)
    let next = records.count > limit ? page.last?.sequence : nil
    let rest = "],\"next_cursor\":\(next.map { "\"\($0)\"" } ?? "null")}"
    var response = Response.json(
      bytes: Array("{\"jobs\":[".utf8) + elements(page, asOf: commits, at: moment) + rest.utf8)
    if let next {
      let rest = request.query.filter { $0.name != "cursor" }.map {
        "\(percentEncoded($0.name))=\(percentEncoded($0.value))&"
      }
      response.headers.add("Link", "</jobs?\(rest.joined())cursor=\(next)>; rel=\"next\"")
    }
    return jobLists.keep(
      response, to: request, life: AnswerLife(of: page, madeAt: moment.milliseconds), asOf: commits,
      at: moment.milliseconds)
  }

  /// `GET /jobs` where nothing has been written to the store since the same list was read.
  @Sendable
  func jobListInMemory(_ request: Request) -> InstantResponse? {
    let commits = store.commitCount
    guard let response = jobLists.response(to: request, asOf: commits, at: store.clock()) else { return nil }
    let store = store
    return InstantResponse(response) { store.commitCount == commits }
  }

  /// The newest jobs are few and known by their cache; any other list may be a search through all of them.
  @Sendable
  func jobListWeight(_ request: Request) -> RouteWeight {
    request.query.isEmpty
      || jobLists.response(to: request, asOf: store.commitCount, at: store.clock()) != nil ? .light : .heavy
  }

  /// `GET /jobs/{id}`
  @Sendable
  func getJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    guard let seconds = request.preferredWaitSeconds, seconds > 0 else { return try jobNow(request) }
    let record = try record(request)
    if record.state.isFinished { return response(record) }
    // A client that has the job as it is waits for another, any other for the end.
    let known = request.headers.list("If-None-Match").flatMap(EntityTag.list)
    let wait = JobWait(record.id, seconds: seconds, hub: events, store: store) { record in
      record.state.isFinished || known.map { !$0.contains(where: record.entityTag.matchesWeakly) } ?? false
    } answer: { record in
      var response = response(record)
      response.headers.add("Preference-Applied", "wait=\(seconds)")
      response.headers.add("Vary", "Prefer")
      return response
    }
    return Response(body: .pending(wait))
  }

  /// `GET /jobs/{id}` where nothing has been written to the store since the job was read.
  @Sendable
  func jobInMemory(_ request: Request) -> InstantResponse? {
    let commits = store.commitCount
    guard request.query.isEmpty, request.headers["Prefer"] == nil,
      let id = JobID(request.parameters["id"] ?? ""),
      let response = jobs.response(id, asOf: commits, at: store.clock())
    else { return nil }
    let store = store
    return InstantResponse(response) { store.commitCount == commits }
  }

  /// The job as it is, from memory where it has not changed.
  private func jobNow(_ request: Request) throws -> Response {
    let id = try request.jobID()
    let commits = store.commitCount
    guard let revision = try store.revision(id) else { throw JobStoreError.noSuchJob(id) }
    let moment = JobMoment(store)
    let known = jobs.response(id, revision: revision, asOf: commits, at: moment.milliseconds)
    return try known ?? response(try record(request), asOf: commits, at: moment)
  }

  /// A job that was read after so many commits, from memory where it has not changed.
  private func response(_ record: JobRecord, asOf commits: Int, at moment: JobMoment) -> Response {
    let (now, revision) = (moment.milliseconds, record.revision)
    let known = jobs.response(record.id, revision: revision, asOf: commits, at: now)
    if let known { return known }
    let response = response(record, at: moment)
    let life = AnswerLife(of: CollectionOfOne(record), madeAt: now)
    jobs.keep(response, record.id, revision: revision, life: life, asOf: commits)
    return response
  }

  /// Jobs as the elements of a JSON array.
  private func elements(
    _ records: ArraySlice<JobRecord>, asOf commits: Int, at moment: JobMoment
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for record in records {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
      // Without the newline at its end; `dropLast()` would be that of any sequence, byte by byte.
      if case .bytes(let job) = response(record, asOf: commits, at: moment).body {
        bytes += job[..<(job.count - 1)]
      }
    }
    return bytes
  }

  /// `PATCH /jobs/{id}`: name, labels, notes, priority.
  @Sendable
  func relabelJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.jobID()
    let body = try request.json()
    let check: (JobRecord) throws -> Void = { record in
      if let problem = request.preconditionProblem(tag: record.entityTag) { throw problem }
    }
    let record = try store.relabel(id, if: check) { labelling in
      let problems = ProblemList()
      let reader = ObjectReader(body, at: "", problems)
      labelling.read(reader)
      reader.finish()
      try problems.check()
    }
    control.wake()
    return response(record)
  }

  /// `DELETE /jobs/{id}`: a finished job, its rows and its files.
  @Sendable
  func deleteJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.jobID()
    try store.delete(id) { record in
      if let problem = request.preconditionProblem(tag: record.entityTag) { throw problem }
    }
    try RunFolder(data: data, job: id).remove()
    try store.finishDeletion(id)
    return Response(status: 204)
  }

  /// `POST /jobs/{id}/cancel`: harmless when asked twice, or when the job has finished meanwhile.
  @Sendable
  func cancelJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.jobID()
    var mode = CancelMode.graceful
    if !request.body.isEmpty {
      let problems = ProblemList()
      let reader = ObjectReader(try request.json(), at: "", problems)
      reader.choice("mode", into: &mode)
      reader.finish()
      try problems.check()
    }
    let record = try store.requestCancel(id, mode: mode)
    control.wake()
    return response(record, status: 202)
  }

  /// The job that the path names.
  ///
  /// - Throws: 404.
  func record(_ request: Request) throws -> JobRecord {
    let id = try request.jobID()
    guard let record = try store.job(id) else { throw JobStoreError.noSuchJob(id) }
    return record
  }

  /// A job as it is now.
  func response(_ record: JobRecord, status: Int = 200, at moment: JobMoment? = nil) -> Response {
    var response = Response.json(
      text: record.jsonText(at: moment ?? JobMoment(store)), status: status)
    response.headers.add("ETag", record.entityTag.text)
    return response
  }
}

/// A text as part of a query: all but unreserved characters as `%XX` (RFC 3986, section 2.3).
private func percentEncoded(_ text: ByteString) -> String {
  let hexDigits = Array("0123456789ABCDEF".utf8)
  let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
  var bytes: [UInt8] = []
  for byte in text.bytes {
    if unreserved.contains(byte) {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
