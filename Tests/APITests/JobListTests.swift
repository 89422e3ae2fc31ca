import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import Testing
import Text

/// Issue 15: `GET /jobs` filtered, searched, sorted, page by page.
@Suite struct `Lists of jobs` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  @discardableResult
  private func train(_ members: String = "") throws -> String {
    try fixture.post("{\"kind\":\"train\"\(members.isEmpty ? "" : ",")\(members)}").text
  }

  private func list(_ query: String) -> JSON { fixture.send(.get, "/jobs?\(query)").json }

  private func ids(_ query: String) -> [String] {
    list(query)["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
  }

  @Test func `every label that is asked for must match`() throws {
    let both = try train(#""labels":{"a":"1","b":"2"}"#)
    let one = try train(#""labels":{"a":"1"}"#)
    try train(#""labels":{"a":"2","b":"2"}"#)
    #expect(ids("label=a=1") == [one, both])
    #expect(ids("label=a=1&label=b=2") == [both])
    #expect(ids("label=a=1&label=b") == [both])
    #expect(ids("label=b&label=a=1") == [both])
    #expect(ids("label=a=1&label=a=2").isEmpty)
    #expect(ids("label=a=1&label=b=2&state=queued&kind=train&sort=name") == [both])
    #expect(list("label=a=1&label=b=2")["total"] == 1)
  }

  @Test func `words are looked for in names, labels and notes`() throws {
    let named = try train(#""name":"First Try","labels":{"team":"a"}"#)
    let noted = try train(#""notes":"the first of all\nlines","labels":{"team":"b"}"#)
    try train(#""name":"100% _x""#)
    #expect(ids("q=first") == [noted, named])
    #expect(ids("q=FIRST try") == [named])
    #expect(ids("q=first team=b") == [noted])
    #expect(ids("q=team") == [noted, named])
    #expect(ids("q=spec").isEmpty && ids("q={").isEmpty && ids("q=\"").isEmpty)
    #expect(ids("q=100%").count == 1 && ids("q=1%25x").isEmpty && ids("q=_y").isEmpty)
    #expect(ids("q=  ").count == 3)
    #expect(list("q=first&limit=1")["total"] == 2)
  }

  @Test(arguments: [
    "created_at", "-created_at", "name", "-name", "priority", "-priority", "state", "-state", "kind",
    "started_at", "-started_at", "finished_at", "-finished_at", "health", "dataset", "-method", "top1",
    "-top1", "loss", "-loss", "rankme", "-running_seconds", "running_seconds", "queue", "-queue",
  ])
  func `pages of any order join to the whole list, whatever happens in between`(sort: String) throws {
    for index in 0..<7 {
      let name = index % 3 == 0 ? "" : ",\"name\":\"n\(index % 2)\""
      try train("\"priority\":\(index % 3)\(name)")
    }
    for state in [JobState.succeeded, .failed] {
      try fixture.finish(state, lines: [#"{"event":"metric","step":1,"loss":0.1,"rankme":3}"#])
    }
    _ = try fixture.store.claimNext(bootID: "boot")
    let whole = ids("sort=\(sort)")
    #expect(whole.count == 7)
    var seen: [String] = []
    var cursor: String?
    repeat {
      let page = list("sort=\(sort)&limit=2\(cursor.map { "&cursor=\($0)" } ?? "")")
      seen += page["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
      cursor = page["next_cursor"]?.string?.string
      #expect(page["total"] == 7)
      // The job at which the page ended goes to another place.
      if sort.hasSuffix("name"), let last = seen.last {
        _ = fixture.send(.patch, "/jobs/\(last)", #"{"name":"moved"}"#)
      }
    } while cursor != nil
    if sort.hasSuffix("name") {
      #expect(Set(seen) == Set(whole))
    } else {
      #expect(seen == whole)
    }
  }

  @Test func `sorts by values, without a value last`() throws {
    let (b, none, a) = (try train(#""name":"b""#), try train(), try train(#""name":"a""#))
    #expect(ids("sort=name") == [a, b, none])
    #expect(ids("sort=-name") == [b, a, none])
    #expect(ids("sort=created_at") == [b, none, a])
    #expect(ids("sort=priority") == [b, none, a])
    #expect(ids("sort=-priority") == [a, none, b])
  }

  @Test func `gives only the members that are asked for`() throws {
    let id = try train(#""name":"x""#)
    #expect(list("fields=id,state")["jobs"] == [["id": .string(ByteString(id)), "state": "queued"]])
    #expect(list("fields=progress&fields=name")["jobs"]?.array?.first?.object?.count == 2)
    // A training has no result.
    #expect(list("fields=result")["jobs"] == [[:]])
    let wrong = fixture.send(.get, "/jobs?fields=id,stat")
    #expect(wrong.status == 422)
    #expect(wrong.errors["/fields"]?.contains(#"got "stat" (did you mean "state"?)"#) == true)
  }

  @Test func `counts jobs of any filter`() throws {
    for _ in 0..<3 { try train() }
    try fixture.finish(.succeeded)
    for (query, total) in [
      ("", 3), ("state=queued", 2), ("state=queued,succeeded", 3), ("state=failed", 0), ("kind=train", 3),
      ("kind=evaluate", 0), ("health=unknown", 3), ("health=good", 0), ("label=a", 0), ("limit=1", 3),
      ("state=queued&kind=train&health=unknown&q=", 2),
    ] {
      #expect(list(query)["total"] == .integer(total), "\(query)")
    }
  }

  @Test(arguments: [
    ("sort=foo", "created_at, started_at, finished_at, name, state, kind, priority, health"),
    ("sort=nam", "did you mean \"name\"?"), ("sort=", "must be one of"), ("sort=--name", "must be one of"),
    ("state=foo", "blocked, queued, running"), ("kind=trai", "did you mean \"train\"?"),
    ("health=x", "unknown, good"), ("cursor=x", "next_cursor"), ("cursor=1.-created_at.zz", "next_cursor"),
    ("cursor=-1", "next_cursor"), ("sort=name&cursor=1.name.f", "next_cursor"),
    ("sort=name&cursor=1.-name.61", "next_cursor"),
    ("sort=priority&cursor=1.priority.61", "next_cursor"), ("sort=state&cursor=1", "next_cursor"),
    ("cursor=1.name.61", "next_cursor"), ("sort=name&cursor=1", "next_cursor"), ("label==a", "KEY=VALUE"),
    ("label=", "KEY=VALUE"),
    ("q=1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "at most 16 words"),
  ])
  func `what is not known is refused with what is`(query: String, hint: String) {
    let response = fixture.send(.get, "/jobs?\(query)")
    #expect(response.status == 422)
    #expect(response.errors.count == 1)
    #expect(response.errors.values.first?.contains(hint) == true, "\(response.text)")
  }

  @Test(arguments: ["/jobs?limit=2", "/datasets", "/datasets/synthetic", "/jobs/ID/transitions"])
  func `an answer without a revision has a tag of its own`(pattern: String) throws {
    let id = try train()
    let target = pattern.replacing("ID", with: id)
    let answer = fixture.send(.get, target)
    let tag = try #require(answer.headers["ETag"]).string
    #expect(fixture.send(.get, target, headers: [("If-None-Match", tag)]).status == 304)
    #expect(fixture.send(.get, target, headers: [("If-Match", "\"other\"")]).status == 412)
    _ = fixture.send(.post, "/jobs/\(id)/cancel")
    let isOfJobs = pattern.hasPrefix("/jobs")
    #expect(fixture.send(.get, target, headers: [("If-None-Match", tag)]).status == (isOfJobs ? 200 : 304))
  }

  @Test func `a job has exactly the members that are described`() throws {
    let training = try #require(JobID(ByteString(try train())))
    _ = try fixture.checkpoint(training, step: 1, "x")
    let id = try fixture.post("{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(training)\"}}}")
    let described = fixture.send(.get, "/openapi.json").json["components"]?["schemas"]?["Job"]?["properties"]
    let known = Set(described?.object?.keys.map(\.self) ?? [])
    let members = Set(fixture.send(.get, "/jobs/\(id)").json.object?.keys.map(\.self) ?? [])
    #expect(members == known.subtracting(["evaluations"]))
    // A training has a list of its evaluations, and no result.
    let others = Set(fixture.send(.get, "/jobs/\(training)").json.object?.keys.map(\.self) ?? [])
    #expect(others == known.subtracting(["result"]))
  }
}
