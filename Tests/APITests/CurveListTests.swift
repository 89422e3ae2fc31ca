import HTTP
import JSONText
import JobModel
import Recipe
import Testing
import Text

/// Issue 19: curves of many jobs in one answer, and parts of one job's curves.
@Suite struct `Curves of many jobs` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  /// A training that has told some lines.
  private func training(_ steps: Int, _ members: String = "\"loss\":STEP,\"inv\":1") throws -> JobID {
    let id = try fixture.post(#"{"kind":"train"}"#)
    let attempt = try #require(try fixture.store.claimNext(bootID: "boot")).attempt
    let lines = (0..<steps).map { step in
      "{\"event\":\"metric\",\"step\":\(step),\"epoch\":\(step / 10),"
        + "\"time\":\"2026-01-01T00:00:0\(step % 10).000Z\",\(members.replacing("STEP", with: "\(step)"))}"
    }
    try fixture.tell(id, attempt: attempt, lines)
    return id
  }

  private func curves(_ query: String) -> JSON { fixture.send(.get, "/curves?\(query)").json }

  @Test func `are those of each job, in the order of the request`() throws {
    let (short, long, other) = (
      try training(3), try training(600), try training(2, "\"rankme\":2")
    )
    let answer = curves("jobs=\(long),\(short),\(other)&keys=loss,rankme&points=10")
    let list = try #require(answer["curves"]?.array)
    #expect(list.compactMap { $0["job"]?.string?.string } == [long.text, short.text, other.text])
    #expect(list[1]["series"] == ["loss": [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]]])
    #expect(list[2]["series"] == ["rankme": [[0, 2, 2, 2], [1, 2, 2, 2]]])
    let single = fixture.send(.get, "/jobs/\(long)/metrics?keys=loss&points=10").json
    #expect(list[0]["series"] == single["series"] && list[0]["width"] == single["width"])
    // Without more, a sparkline of the loss.
    let plain = try #require(curves("jobs=\(long)")["curves"]?.array?.first?["series"]?.object)
    #expect(Array(plain.keys) == ["loss"])
    #expect((10...24).contains(plain["loss"]?.array?.count ?? 0))
  }

  @Test func `are read again when the job has told more`() throws {
    let id = try training(2)
    let query = "jobs=\(id)&points=100"
    let first = fixture.send(.get, "/curves?\(query)")
    let tag = try #require(first.headers["ETag"]).string
    #expect(fixture.send(.get, "/curves?\(query)", headers: [("If-None-Match", tag)]).status == 304)
    try fixture.tell(id, attempt: 1, [#"{"event":"metric","step":2,"loss":9}"#])
    #expect(curves(query)["curves"]?.array?.first?["series"]?["loss"]?.array?.count == 3)
  }

  @Test func `a job or metric that is not there is named`() throws {
    let id = try training(2)
    let unknown = fixture.send(.get, "/curves?jobs=\(id),0000000000000000")
    #expect(unknown.status == 422)
    #expect(unknown.errors["/jobs"] == "must be the id of a job, got \"0000000000000000\"")
    let wrong = fixture.send(.get, "/curves?jobs=\(id)&keys=loss,los")
    #expect(wrong.status == 422)
    #expect(wrong.errors["/keys"] == "must be a metric of these jobs, got \"los\"; did you mean \"loss\"?")
    // It will have one.
    #expect(curves("jobs=\(id)&keys=rankme")["curves"]?.array?.first?["series"] == [:])
  }

  @Test(arguments: [
    "", "jobs=", "jobs=x", "jobs=ID,x", "jobs=ID&points=1", "jobs=ID&keys=", "jobs=ID&keys=A",
    "jobs=ID&from=3&to=2", "jobs=ID&x=steps", "jobs=ID&jobs=ID", "jobs=ID&follow=1",
    "jobs=ID&points=10000&keys=" + (0..<32).map { "k\($0)" }.joined(separator: ",") + "&x=step,z",
  ])
  func `a wrong question is a 422`(query: String) throws {
    let id = try training(1)
    let response = fixture.send(.get, "/curves?\(query.replacing("ID", with: id.text))")
    #expect(response.status == 422, "\(response.text)")
  }

  @Test func `too many jobs or too much of them is refused`() throws {
    let id = try training(1)
    let many = [String](repeating: id.text, count: 201).joined(separator: ",")
    #expect(fixture.send(.get, "/curves?jobs=\(many)").errors["/jobs"]?.contains("1 to 200") == true)
    let some = [String](repeating: id.text, count: 100).joined(separator: ",")
    #expect(fixture.send(.get, "/curves?jobs=\(some)&points=4001").errors["/points"] != nil)
    #expect(fixture.send(.get, "/curves?jobs=\(some)&points=4000").status == 200)
  }

  @Test func `a part of a job's curves is finer, and lies in time and epochs`() throws {
    let id = try training(40)
    let target = "/jobs/\(id)/metrics?keys=loss&points=4"
    #expect(fixture.send(.get, target).json["width"] == 16)
    let part = fixture.send(.get, "\(target)&from=8&to=11&x=time,epoch").json
    #expect(part["width"] == 1)
    #expect(part["series"]?["loss"] == [[8, 8, 8, 8], [9, 9, 9, 9], [10, 10, 10, 10], [11, 11, 11, 11]])
    #expect(part["epoch"] == [[8, 0], [9, 0], [10, 1], [11, 1]])
    #expect(part["time_ms"]?.array?.first == [8, 1_767_225_608_000])
    let batch = try #require(curves("jobs=\(id)&points=4&from=8&to=11&x=time,epoch")["curves"]?.array?.first)
    #expect(batch == part)
    #expect(fixture.send(.get, "\(target)&from=100").json["series"] == ["loss": []])
    #expect(fixture.send(.get, "\(target)&x=step").json.object?.count == 4)
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?from=5").json["series"]?["inv"] != nil)
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?from=5&follow=1").status == 422)
    #expect(fixture.send(.get, "/jobs/\(id)/metrics?x=time", headers: [("Accept", "text/csv")]).status == 422)
  }
}
