import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe

// What users ask of a job's life, and the record of it.

extension API {
  /// Changes in one answer, where the request does not say.
  static let transitionsLimitDefault = 500
  /// Changes in one answer at most.
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
  func pauseJob(_ request: Request) throws -> Response { try change(request, store.requestPause(_:if:)) }

  /// `POST /jobs/{id}/resume`
  @Sendable
  func resumeJob(_ request: Request) throws -> Response { try change(request, store.resume(_:if:)) }

  /// `POST /jobs/{id}/retry`: a failed or cancelled job goes on from its last checkpoint.
  @Sendable
  func retryJob(_ request: Request) throws -> Response {
    try change(request) { id, isAllowed in
      guard let record = try store.job(id) else { throw JobStoreError.noSuchJob(id) }
      try isAllowed(record)
      let hasBegun = hasBegun(record)
      if !hasBegun { try checkStepsLeft(ofRetried: record) }
      let held = try pinForRetry(record, isNeeded: !hasBegun)
      // If the store refuses, the pin is swept away with those of other finished jobs.
      defer { pins.letGo(held) }
      return try store.retry(id, hasBegun: hasBegun, if: isAllowed)
    }
  }

  /// Checks that a request says nothing more than its path: no parameter, and no body but an empty object.
  ///
  /// - Throws: 422 that names what is there.
  func checkIsBare(_ request: Request) throws {
    var query = QueryReader(request)
    try query.finish()
    if request.body.isEmpty { return }
    let problems = ProblemList()
    ObjectReader(try request.json(jsonLimits), at: "", problems).finish()
    try problems.check()
  }

  private func change(
    _ request: Request, _ change: (JobID, (JobRecord) throws -> Void) throws -> JobRecord
  ) throws -> Response {
    try checkIsBare(request)
    let record = try change(request.jobID(), request.checkPreconditions)
    control.wake()
    return response(record, status: 202)
  }

  /// `GET /jobs/{id}/transitions`: every change of the job's state, oldest first, with time, cause and actor.
  @Sendable
  func listTransitions(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let after = query.integer("after", 0...Int.max) ?? 0
    let limit = query.integer("limit", 1...Self.transitionsLimitMax) ?? Self.transitionsLimitDefault
    try query.finish()
    let steps = try store.transitions(of: request.jobID(), after: after, limit: limit)
    // Every job has some: only where none came can it be that there is no such job.
    if steps.isEmpty { _ = try record(request) }
    return Response.json(["transitions": .array(steps.map(\.json))]).tagged
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
      ("max_duration_seconds", .optional(maxDurationSeconds)),
      ("max_duration", .optional(maxDurationSeconds)), ("max_attempts", .integer(maxAttempts)),
    ]
  }
}
