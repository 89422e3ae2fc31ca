import HTTP

extension API {
  /// `GET /healthz`: the process answers.
  @Sendable
  func getHealth(_ request: Request) throws -> Response { .json(["status": "ok"]) }

  /// `GET /healthz` from a loop's thread: it answers whatever the handlers do.
  @Sendable
  func healthInMemory(_ request: Request) -> InstantResponse? {
    InstantResponse(.json(["status": "ok"])) { true }
  }

  /// `GET /readyz`: the store answers too, and workers can be started; with the number of jobs in each state.
  @Sendable
  func getReadiness(_ request: Request) throws -> Response { readiness.look() }

  /// `GET /readyz` as the store was seen within the last second.
  @Sendable
  func readinessInMemory(_ request: Request) -> InstantResponse? { readiness.instant() }

  /// `GET /version`
  @Sendable
  func getVersion(_ request: Request) throws -> Response {
    .json(["name": "vicregd", "version": .string(version)])
  }
}
