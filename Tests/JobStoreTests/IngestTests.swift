import JSONText
import JobModel
import JobStore
import Platform
import SQLite
import Testing

@Suite struct IngestTests {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }
  private let job: JobRecord

  init() throws {
    fixture = try StoreFixture()
    try fixture.train()
    job = try fixture.claim()
  }

  private static func metric(_ step: Int, loss: String = "1.5") -> String {
    "{\"event\":\"metric\",\"step\":\(step),\"epoch\":0,\"loss\":\(loss),\"inv\":0.25}"
  }

  private static func checkpoint(_ step: Int, sha256: String = String(repeating: "a", count: 64)) -> String {
    "{\"event\":\"checkpoint\",\"name\":\"step-\(step)\",\"step\":\(step),\"bytes\":9,"
      + "\"sha256\":\"\(sha256)\"}"
  }

  private func ingest(_ lines: [String], attempt: Int = 1, from: Int? = nil) throws -> IngestOutcome {
    let start = try from ?? fixture.job(job.id).ingestOffset
    return try store.ingest(
      job.id, attempt: attempt, from: start, to: start + lines.reduce(0) { $0 + $1.utf8.count + 1 },
      lines: lines)
  }

  private func recorded() throws -> [String] { try store.lines(job.id, limit: 1000).map(\.line) }

  @Test func `lines are recorded as they are, and the last metric is the latest`() throws {
    let lines = ["{\"event\":\"started\",\"step\":0,\"steps\":40}", Self.metric(1), Self.metric(2)]
    #expect(try ingest(lines) == .recorded(malformed: 0))
    #expect(try recorded() == lines)
    let record = try fixture.job(job.id)
    #expect(record.latest == Self.metric(2))
    #expect(record.steps == 40)
    #expect(record.ingestOffset == lines.reduce(0) { $0 + $1.utf8.count + 1 })
    #expect(record.revision > job.revision)
  }

  @Test func `a piece is counted once, however often it is brought`() throws {
    let lines = [Self.metric(1), Self.metric(2)]
    #expect(try ingest(lines, from: 0) == .recorded(malformed: 0))
    let record = try fixture.job(job.id)
    #expect(try ingest(lines, from: 0) == .stale)
    #expect(try ingest([Self.metric(3)], from: record.ingestOffset + 1) == .stale)
    #expect(try fixture.job(job.id) == record)
    #expect(try recorded() == lines)
    #expect(try fixture.reopened().ingest(job.id, attempt: 1, from: 0, to: 9, lines: lines) == .stale)
  }

  private static func artifact(
    _ name: String, bytes: Int = 3, createdAt: String = "2026-01-01T00:00:00.000Z",
    sha256: String = String(repeating: "a", count: 64)
  ) -> String {
    "{\"event\":\"artifact\",\"name\":\"\(name)\",\"media_type\":\"image/png\",\"bytes\":\(bytes),"
      + "\"sha256\":\"\(sha256)\",\"created_at\":\"\(createdAt)\"}"
  }

  @Test func `artifacts are kept by name, each as it was reported last`() throws {
    #expect(try fixture.job(job.id).artifactsText == "[]")
    #expect(try ingest([Self.artifact("b"), Self.artifact("a")]) == .recorded(malformed: 0))
    #expect(try ingest([Self.metric(1), Self.artifact("b", bytes: 7)]) == .recorded(malformed: 0))
    let wrong = [
      Self.artifact(""), Self.artifact("c", bytes: -1), Self.artifact("c", createdAt: "today"),
      Self.artifact("c", sha256: "A"), Self.artifact(String(repeating: "c", count: 101)),
    ]
    #expect(try ingest(wrong) == .recorded(malformed: wrong.count))
    let list = try #require(JSON.parse(fixture.job(job.id).artifactsText).array)
    #expect(list.map { $0["name"] } == ["a", "b"] && list.map { $0["bytes"] } == [3, 7])
    #expect(list.allSatisfy { $0.object?.count == 5 && $0["media_type"] == "image/png" })
    // What a resume repeats is reported anew; the rest is still there.
    #expect(try ingest([#"{"event":"started","step":0,"steps":9}"#]) == .recorded(malformed: 0))
    #expect(try JSON.parse(fixture.job(job.id).artifactsText).array == list)
    let many = (0..<200).map { Self.artifact("n\($0)") }
    #expect(try ingest(many) == .recorded(malformed: 102))
  }

  @Test func `lines with a number outside its range are counted, not recorded`() throws {
    let lines = [
      Self.metric(-1), Self.metric(.max), Self.metric(.min), Self.metric(1 << 53 + 1),
      "{\"event\":\"metric\",\"step\":1,\"epoch\":-1}", "{\"event\":\"metric\",\"step\":1.5,\"epoch\":0}",
      "{\"event\":\"started\",\"step\":0,\"steps\":9223372036854775807}",
      "{\"event\":\"started\",\"step\":-9223372036854775808,\"steps\":1}",
      "{\"event\":\"started\",\"step\":0,\"steps\":1,\"attempt\":0}",
      Self.checkpoint(.max), "{\"event\":\"yielded\",\"step\":-1}",
    ]
    #expect(try ingest(lines) == .recorded(malformed: lines.count))
    #expect(try recorded().isEmpty)
    #expect(try fixture.job(job.id).steps == nil)
    #expect(try ingest([Self.metric(1 << 53)]) == .recorded(malformed: 0))
  }

  @Test func `rows that hold numbers from before they had ranges are read, drawn and gone on with`() throws {
    #expect(try ingest([Self.metric(1), Self.metric(2)]) == .recorded(malformed: 0))
    try Connection(path: fixture.path, access: .write).script(
      """
      INSERT INTO events (job, sequence, event, step, line)
      SELECT jobs.sequence, number, 'metric', step, '{"event":"metric","loss":1}'
      FROM jobs, (
        SELECT 100 AS number, -9223372036854775808 AS step UNION SELECT 101, -5
        UNION SELECT 102, 9007199254740992 UNION SELECT 103, 9223372036854775807 UNION SELECT 104, 7);
      UPDATE jobs SET steps = 9223372036854775807, crashes = 9223372036854775807,
        failures = 9223372036854775807, ran_ms = -9223372036854775808, max_duration_ms = 9223372036854775807,
        latest = '{"event":"metric","step":-9223372036854775808,"epoch":9223372036854775807}';
      """)
    let curves = try store.series(job.id, keys: ["loss"], points: 4).curves
    #expect(curves["loss"]?.count ?? 0 <= 4)
    #expect(curves["loss"]?.map(\.step).max() ?? 0 <= 1 << 53)
    let record = try fixture.job(job.id)
    #expect(record.steps == nil && record.ranMilliseconds == 0)
    #expect(record.policy.maxDurationSeconds == JobPolicy.maxDurationRange.upperBound)
    // 20 years are no time that an attempt has run.
    let state = try store.settle(
      job.id, attempt: 1, .died, crashLimit: .max, ranMilliseconds: 20 * 365 * 86_400_000)
    #expect(state == .queued)
    #expect(try fixture.job(job.id).ranMilliseconds == RecordedRange.ageMilliseconds.upperBound)
  }

  @Test func `the database, its log and its copies are their owner's alone`() throws {
    try JobStore.backUp(fixture.path, to: "\(fixture.folder)/copy")
    for name in ["vicregd.sqlite", "vicregd.sqlite-wal", "vicregd.sqlite-shm", "copy"] {
      #expect(try FileSystem.permissions("\(fixture.folder)/\(name)") == 0o600, "\(name)")
    }
  }

  @Test func `lines that are no events are counted, not recorded`() throws {
    let lines = [
      Self.metric(1), "{\"event\":\"metric\",", "not json", "[]", "{\"event\":\"metric\",\"loss\":1}",
      "{\"event\":\"transition\",\"to\":\"succeeded\"}",
    ]
    #expect(try ingest(lines) == .recorded(malformed: 5))
    #expect(try recorded() == [Self.metric(1)])
  }

  @Test func `a failure in the middle leaves neither lines nor offset, and the piece can be brought again`()
    throws
  {
    let connection = try Connection(path: fixture.path, access: .write)
    try connection.script(
      """
      CREATE TRIGGER cut BEFORE INSERT ON events WHEN NEW.step = 3
      BEGIN SELECT RAISE(ABORT, 'cut'); END
      """)
    let lines = [Self.metric(1), Self.checkpoint(2), Self.metric(3)]
    #expect(throws: SQLiteError.self) { try ingest(lines) }
    #expect(try fixture.job(job.id) == job)
    #expect(try recorded().isEmpty)
    #expect(try store.checkpoints(job.id).isEmpty)
    try connection.script("DROP TRIGGER cut")
    #expect(try ingest(lines) == .recorded(malformed: 0))
    #expect(try recorded() == lines)
  }

  @Test func `an end event finishes the job in the same transaction, and is the last line`() throws {
    let end = "{\"event\":\"end\",\"state\":\"failed\",\"reason\":\"diverged\",\"message\":\"NaN at 2\"}"
    #expect(try ingest([Self.metric(1, loss: "null"), end]) == .ended(.failed, malformed: 0))
    let record = try fixture.job(job.id)
    #expect(record.state == .failed)
    #expect(record.reason == .diverged)
    #expect(record.message == "NaN at 2")
    #expect(record.finishedAtMilliseconds == fixture.now.read())
    #expect(try recorded() == [Self.metric(1, loss: "null"), end])
    #expect(try ingest([Self.metric(2)]) == .stale)
    #expect(try !store.transition(job.id, attempt: 1, to: .succeeded))
    #expect(try recorded().count == 2)
  }

  @Test(arguments: ["\"running\"", "\"done\"", "7"])
  func `an end in a state that is none is a failure`(state: String) throws {
    #expect(try ingest(["{\"event\":\"end\",\"state\":\(state)}"]) == .ended(.failed, malformed: 0))
    #expect(try fixture.job(job.id).reason == .workerError)
  }

  @Test func `a training that ends well releases its evaluation at once`() throws {
    let evaluation = try fixture.evaluate(job.id)
    #expect(try ingest(["{\"event\":\"end\",\"state\":\"succeeded\"}"]) == .ended(.succeeded, malformed: 0))
    #expect(try fixture.job(evaluation.id).state == .queued)
  }

  @Test func `metrics after a resume replace those beyond the checkpoint`() throws {
    _ = try ingest([
      "{\"event\":\"started\",\"step\":0}", Self.metric(1), Self.checkpoint(1), Self.metric(2),
      Self.metric(3),
    ])
    let before = try store.lines(job.id, limit: 100).last?.sequence ?? 0
    try store.settle(job.id, attempt: 1, .died, crashLimit: 3)
    let second = try fixture.claim()
    let resumed = "{\"event\":\"started\",\"step\":1}"
    #expect(try ingest([resumed], attempt: second.attempt) == .recorded(malformed: 0))
    #expect(try fixture.job(job.id).latest == Self.metric(1))
    _ = try ingest([Self.metric(2, loss: "7")], attempt: second.attempt)
    #expect(
      try recorded() == [
        "{\"event\":\"started\",\"step\":0}", Self.metric(1), Self.checkpoint(1), resumed,
        Self.metric(2, loss: "7"),
      ])
    let followed = try store.lines(job.id, after: before, limit: 100)
    #expect(followed.map(\.line) == [resumed, Self.metric(2, loss: "7")])
    let curve = try store.series(job.id, keys: ["loss"], points: 10).curves["loss"]
    #expect(curve?.map(\.step) == [1, 2])
    #expect(curve?.map(\.finite?.mean) == [1.5, 7])
  }

  @Test func `a start from nothing leaves no metric`() throws {
    _ = try ingest([Self.metric(1)])
    _ = try ingest(["{\"event\":\"started\",\"step\":0}"])
    #expect(try fixture.job(job.id).latest == nil)
  }

  @Test func `a new checkpoint forgives crashes, the same one again does not`() throws {
    func crash() throws -> JobState? {
      let attempt = try fixture.job(job.id).attempt
      let state = try store.settle(job.id, attempt: attempt, .died, crashLimit: 2)
      if state == .queued { _ = try fixture.claim() }
      return state
    }
    _ = try ingest([Self.checkpoint(0)])
    #expect(try crash() == .queued)
    _ = try ingest([Self.checkpoint(10)], attempt: 2)
    #expect(try fixture.job(job.id).crashes == 0)
    #expect(try crash() == .queued)
    _ = try ingest([Self.checkpoint(10)], attempt: 3)
    #expect(try crash() == .failed)
    #expect(try store.checkpoints(job.id).map(\.step) == [0, 10])
  }

  @Test func `a checkpoint is one row, the last word about it`() throws {
    _ = try ingest([Self.checkpoint(4), Self.checkpoint(4, sha256: String(repeating: "0", count: 64))])
    #expect(try store.checkpoints(job.id).map(\.sha256) == [String(repeating: "0", count: 64)])
    _ = try ingest([Self.checkpoint(5, sha256: "XYZ"), "{\"event\":\"checkpoint\"}"])
    #expect(try store.checkpoints(job.id).count == 1)
  }

  @Test func `a result is kept as it was told, with the seconds that its job has run`() throws {
    _ = try ingest(["{\"event\":\"result\",\"time\":\"t\",\"result\":{\"top1\":0.5,\"protocol\":\"linear\"}}"]
    )
    #expect(try fixture.job(job.id).result == "{\"protocol\":\"linear\",\"seconds\":0,\"top1\":0.5}")
  }

  @Test func `lines are read on from a place and from a step`() throws {
    _ = try ingest((1...9).map { Self.metric($0) } + ["{\"event\":\"warning\",\"message\":\"m\"}"])
    let all = try store.lines(job.id, limit: 100)
    #expect(try store.lines(job.id, after: all[3].sequence, limit: 2) == Array(all[4..<6]))
    #expect(try store.lines(job.id, fromStep: 8, limit: 100).map(\.line) == all.suffix(3).map(\.line))
  }

  @Test func `the write-ahead log stays small, however much is written beside readers`() throws {
    let line = "{\"event\":\"warning\",\"message\":\"\(String(repeating: "x", count: 5_000))\"}"
    var logBytes = 0
    for _ in 0..<80 {
      _ = try ingest([String](repeating: line, count: 100))
      _ = try store.lines(job.id, limit: 10)
      logBytes = max(logBytes, try FileSystem.size("\(fixture.path)-wal"))
    }
    #expect(try FileSystem.size(fixture.path) > 20 << 20)
    #expect(logBytes < 20 << 20, "\(logBytes) bytes")
  }

  @Test func `keeps up with many lines in one transaction`() throws {
    let lines = (1...5000).map { Self.metric($0) }
    let seconds = try ContinuousClock().measure { _ = try ingest(lines) }
    #expect(seconds < .seconds(5))
    #expect(try store.series(job.id, keys: ["loss", "none"], points: 100).curves["none"] == [])
  }
}
