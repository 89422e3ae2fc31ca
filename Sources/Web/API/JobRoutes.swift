import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import RunFolder
import Text

extension API {
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
      let isAnother = known.map { record.entityTag.version(in: $0, isStrong: false) == nil }
      return record.state.isFinished || isAnother ?? false
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
    let (commits, now) = (store.commitCount, store.clock())
    guard request.query.isEmpty, request.headers["Prefer"] == nil,
      let id = JobID(request.parameters["id"] ?? ""), let response = jobs.response(id, asOf: commits, at: now)
    else { return nil }
    return instantResponse(response, asOf: commits, at: now)
  }

  /// An answer from memory for as long as nothing is written to the store and the times in it are not old.
  func instantResponse(_ response: Response, asOf commits: Int, at now: Int) -> InstantResponse {
    let store = store
    return InstantResponse(response) {
      store.commitCount == commits && (0..<AnswerLife.millisecondsMax).contains(store.clock() - now)
    }
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
  func response(_ record: JobRecord, asOf commits: Int, at moment: JobMoment) -> Response {
    let (now, revision) = (moment.milliseconds, record.revision)
    let known = jobs.response(record.id, revision: revision, asOf: commits, at: now)
    if let known { return known }
    let response = response(record, at: moment)
    let life = AnswerLife(of: CollectionOfOne(record), madeAt: now)
    jobs.keep(response, record.id, revision: revision, life: life, asOf: commits)
    return response
  }

  /// `PATCH /jobs/{id}`: name, labels, notes and priority, by a merge patch.
  @Sendable
  func relabelJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.jobID()
    let body = try request.json(jsonLimits)
    let record = try store.relabel(id, if: request.checkPreconditions) { try $0.merge(patch: body) }
    control.wake()
    return response(record)
  }

  /// `DELETE /jobs/{id}`: a finished job, its rows and its files.
  @Sendable
  func deleteJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let id = try request.jobID()
    try store.delete(id, if: request.checkPreconditions)
    try RunFolder(data: data, job: id).remove()
    exports.forget(id)
    try store.finishDeletion(id)
    control.wake()
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
      let reader = ObjectReader(try request.json(jsonLimits), at: "", problems)
      reader.read("mode", .choice, into: &mode)
      reader.finish()
      try problems.check()
    }
    let record = try store.requestCancel(id, mode: mode, if: request.checkPreconditions)
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
