import HTTP
import JobModel
import JobStore
import Platform

// What users ask of a job's life, and the record of it.

extension API {
  /// Steps in one answer, where the request does not say.
  static let transitionsLimitDefault = 500
  /// Steps in one answer at most.
  static let transitionsLimitMax = 10_000

  /// Adds the routes of this file.
  func addLifeRoutes(to router: inout Router) {
    router.on(.post, "/jobs/{id}/pause", pauseJob)
    router.on(.post, "/jobs/{id}/resume", resumeJob)
    router.on(.post, "/jobs/{id}/retry", retryJob)
    router.on(.get, "/jobs/{id}/transitions", weight: { _ in .heavy }, listTransitions)
  }

  /// `POST /jobs/{id}/pause`: what runs writes a checkpoint first.
  @Sendable
  func pauseJob(_ request: Request) throws -> Response { try change(request, store.requestPause) }

  /// `POST /jobs/{id}/resume`
  @Sendable
  func resumeJob(_ request: Request) throws -> Response { try change(request, store.resume) }

  /// `POST /jobs/{id}/retry`: a failed or cancelled job goes on from its last checkpoint.
  @Sendable
  func retryJob(_ request: Request) throws -> Response { try change(request, store.retry) }

  private func change(_ request: Request, _ change: (JobID) throws -> JobRecord) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    if !request.body.isEmpty {
      let problems = ProblemList()
      ObjectReader(try request.json(), at: "", problems).finish()
      try problems.check()
    }
    let record = try change(request.jobID())
    control.wake()
    return response(record, status: 202)
  }

  /// `GET /jobs/{id}/transitions`: every step of the job's life, oldest first, with time, cause and actor.
  @Sendable
  func listTransitions(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let after = query.integer("after", 0...Int.max) ?? 0
    let limit = query.integer("limit", 1...Self.transitionsLimitMax) ?? Self.transitionsLimitDefault
    try query.finish()
    let record = try record(request)
    let steps = try store.transitions(of: record.id, after: after, limit: limit)
    return .json(["transitions": .array(steps.map(\.json))])
  }
}

extension TransitionRecord {
  /// The step as clients see it.
  var json: JSON {
    [
      "id": .integer(id), "job": .string(job.text),
      "time": .string(SystemClock.rfc3339(unixMilliseconds: atMilliseconds)),
      "from": .optional(from?.rawValue), "to": .string(to.rawValue), "reason": .optional(reason?.rawValue),
      "message": .optional(message), "actor": .string(initiator.rawValue), "attempt": .integer(attempt),
    ]
  }
}

extension JobPolicy {
  /// Every field by name.
  var json: [(String, JSON)] {
    [
      ("on_dependency_failure", .string(onDependencyFailure.rawValue)),
      ("max_duration", .optional(maxDurationSeconds)), ("max_attempts", .integer(maxAttempts)),
    ]
  }
}
