import HTTP
import JobModel
import JobStore

extension API {
  /// `GET /healthz`: the process answers.
  @Sendable
  func getHealth(_ request: Request) throws -> Response { .json(["status": "ok"]) }

  /// `GET /readyz`: the store answers too; with the number of jobs in each state.
  @Sendable
  func getReadiness(_ request: Request) throws -> Response {
    let counts = try store.counts()
    let jobs = JobState.allCases.map { ($0.rawValue, JSON.integer(counts[$0] ?? 0)) }
    return .json(["status": "ready", "jobs": .object(Dictionary(uniqueKeysWithValues: jobs))])
  }

  /// `GET /version`
  @Sendable
  func getVersion(_ request: Request) throws -> Response {
    .json(["name": "vicregd", "version": .string(version)])
  }
}
