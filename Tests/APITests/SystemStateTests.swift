import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import Testing
import Text

@testable import API

/// Issue 19: `GET /system`.
@Suite struct `The state of the system` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  /// The routes with what a daemon would know.
  private func router(_ monitor: SystemMonitor, _ facts: SystemFacts) -> Router {
    var router = Router(problem: API.problem)
    let api = API(
      store: fixture.store, data: fixture.data, datasets: FakeDatasets(), control: fixture.control,
      events: fixture.events, pins: fixture.pins, exports: fixture.exports,
      checkModel: { try FakeModels.check($0, $1) }, embedder: fixture.embedder, limits: ["a": 1],
      monitor: monitor, facts: facts, version: "1.2.3")
    api.addRoutes(to: &router)
    return router
  }

  private func system(_ router: Router, as principal: String = "") -> JSON {
    var request = Request(method: .get, segments: ["system"], query: [], headers: Headers(), body: [])
    request.principal = principal
    return router.respond(to: request).json
  }

  @Test func `has the machine, the queue and what is kept where`() throws {
    _ = try fixture.post(#"{"kind":"train"}"#)
    var facts = SystemFacts()
    facts.databasePath = "\(fixture.data)/vicregd.sqlite"
    facts.reserveBytes = 7
    let monitor = SystemMonitor(store: fixture.store, data: fixture.data)
    let answer = system(router(monitor, facts))
    #expect(answer["version"] == "1.2.3" && answer["queue"]?["queued"] == 1)
    #expect((answer["cores"]?.int ?? 0) == CPU.availableCores)
    #expect(answer["load"]?.array?.count == 3)
    let memory = try #require(answer["memory"])
    #expect((memory["available_bytes"]?.int ?? 0) > 0)
    #expect((memory["total_bytes"]?.int ?? 0) >= memory["available_bytes"]?.int ?? .max)
    #expect((memory["daemon_bytes"]?.int ?? 0) > 1 << 20)
    #expect((answer["disk"]?["total_bytes"]?.int ?? 0) >= answer["disk"]?["free_bytes"]?.int ?? .max)
    #expect(answer["disk"]?["reserve_bytes"] == 7)
    #expect((answer["database"]?["bytes"]?.int ?? 0) > 0)
    #expect(answer["limits"] == ["a": 1] && answer["tokens"] == .null)
    #expect(answer["history"]?["times_ms"] == [])
  }

  @Test func `has the workers and what each runs`() throws {
    let id = try fixture.post(#"{"kind":"train","name":"n"}"#)
    var facts = SystemFacts()
    let known = SystemFacts.Worker(job: id, threads: 3, sinceMilliseconds: 1_000)
    facts.workers = { [known] }
    (facts.workersMax, facts.threadsMax) = (2, 4)
    let answer = system(router(SystemMonitor(store: fixture.store, data: fixture.data), facts))
    #expect(
      answer["workers"] == [
        [
          "job": .string(id.text), "name": "n", "kind": "train", "threads": 3,
          "since": "1970-01-01T00:00:01.000Z",
        ]
      ])
    #expect(answer["workers_max"] == 2 && answer["threads_max"] == 4)
  }

  @Test func `the last hour is kept in room that does not grow`() throws {
    let monitor = SystemMonitor(store: fixture.store, data: fixture.data)
    monitor.take()
    _ = try fixture.post(#"{"kind":"train"}"#)
    for _ in 0..<SystemMonitor.samplesMax { monitor.take() }
    #expect(monitor.samples.count == SystemMonitor.samplesMax)
    let times = monitor.samples.map(\.atMilliseconds)
    #expect(times == times.sorted())
    #expect(monitor.samples.allSatisfy { $0.queued == 1 && $0.running == 0 })
    let history = try #require(system(router(monitor, SystemFacts()))["history"]?.object)
    let columns = history.filter { $0.key != "interval_seconds" }
    #expect(columns.count == 6 && columns.allSatisfy { $0.value.array?.count == SystemMonitor.samplesMax })
  }

  @Test func `tokens are named to who may change things, and counted for others`() throws {
    var facts = SystemFacts()
    facts.tokens = {
      [
        SystemFacts.Token(name: "w", role: "write", createdAt: "2026-01-01T00:00:00Z", usedAtMilliseconds: 5),
        SystemFacts.Token(
          name: "r", role: "read", createdAt: "2026-01-01T00:00:00Z", usedAtMilliseconds: nil),
      ]
    }
    let router = router(SystemMonitor(store: fixture.store, data: fixture.data), facts)
    let seen = try #require(system(router, as: "r")["tokens"])
    #expect(seen["read"] == 1 && seen["write"] == 1 && seen["list"] == .null)
    #expect(seen["last_used_at"] == "1970-01-01T00:00:00.005Z")
    let list = try #require(system(router, as: "w")["tokens"]?["list"]?.array)
    #expect(list.map { $0["name"] } == ["w", "r"] && list[1]["last_used_at"] == .null)
  }

  @Test func `takes no parameters and is not kept`() {
    #expect(fixture.send(.get, "/system?x=1").status == 422)
    #expect(fixture.send(.get, "/system").headers["Cache-Control"] == "no-store")
  }
}
