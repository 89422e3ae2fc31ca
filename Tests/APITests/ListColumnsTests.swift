import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import Testing
import Text

/// Issue 19: lists of jobs by what a table of runs shows.
@Suite struct `Columns of lists` {
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture() }

  private func ids(_ query: String) -> [String] {
    (fixture.send(.get, "/jobs?\(query)").json["jobs"]?.array ?? []).compactMap { $0["id"]?.string?.string }
  }

  private func member(_ name: ByteString, of job: JobID) -> JSON? {
    fixture.send(.get, "/jobs/\(job)").json[name]
  }

  /// A training that has ended with that loss and rank.
  private func training(
    _ method: String = "vicreg", loss: String = "1", rank: String = "2"
  ) throws -> JobID {
    let id = try fixture.post(
      "{\"kind\":\"train\",\"spec\":{\"method\":\"\(method)\",\"dataset\":{\"name\":\"fashion-mnist\"}}}")
    _ = try fixture.checkpoint(id, step: 1, "x")
    try fixture.finish(
      .succeeded, lines: ["{\"event\":\"metric\",\"step\":1,\"loss\":\(loss),\"rankme\":\(rank)}"])
    return id
  }

  /// An evaluation that has found an accuracy.
  private func evaluation(_ training: JobID, top1: String) throws -> JobID {
    let id = try fixture.post(
      "{\"kind\":\"evaluate\",\"spec\":{\"checkpoint\":{\"job\":\"\(training)\"},"
        + "\"dataset\":{\"name\":\"synthetic\"}}}")
    try fixture.finish(.succeeded, lines: ["{\"event\":\"result\",\"result\":{\"top1\":\(top1)}}"])
    return id
  }

  @Test func `are filtered by dataset and method`() throws {
    let (one, two) = (try training(), try training("simclr"))
    let tested = try evaluation(two, top1: "0.5")
    #expect(ids("dataset=fashion-mnist") == [two.text, one.text])
    #expect(ids("dataset=synthetic") == [tested.text])
    #expect(ids("dataset=synthetic,fashion-mnist&method=simclr") == [tested.text, two.text])
    #expect(ids("method=vicreg,simclr").count == 3 && ids("dataset=other").isEmpty)
    #expect(fixture.send(.get, "/jobs?method=simclr&limit=1").json["total"] == 2)
    #expect(member("method", of: tested) == "simclr" && member("dataset", of: tested) == "synthetic")
    #expect(fixture.send(.get, "/jobs?method=sim").status == 422)
    #expect(fixture.send(.get, "/jobs?dataset=").status == 422)
    #expect(fixture.send(.get, "/jobs?dataset=a,,b").status == 422)
    for filter in ["label=a", "q=x", "state=queued", "kind=embed", "health=good", "sweep=0000000000000000"] {
      #expect(ids("dataset=fashion-mnist&method=vicreg&\(filter)").isEmpty, "\(filter)")
    }
  }

  @Test func `are sorted by the last loss and rank`() throws {
    let (high, none, low) = (
      try training(loss: "9", rank: "1"), try training(loss: "null", rank: "null"),
      try training(loss: "-1.5", rank: "30")
    )
    #expect(ids("sort=loss") == [low.text, high.text, none.text])
    #expect(ids("sort=-loss") == [high.text, low.text, none.text])
    #expect(ids("sort=-rankme&kind=train") == [low.text, high.text, none.text])
    let cursor = fixture.send(.get, "/jobs?sort=loss&limit=1").json["next_cursor"]?.string?.string
    #expect(ids("sort=loss&cursor=\(try #require(cursor))") == [high.text, none.text])
  }

  @Test func `a training has the best accuracy of its evaluations, which it is sorted by`() throws {
    let (first, second) = (try training(), try training())
    #expect(member("top1", of: first) == .null)
    let (worse, better) = (try evaluation(first, top1: "0.25"), try evaluation(first, top1: "0.75"))
    let middle = try evaluation(second, top1: "0.5")
    #expect(member("top1", of: first) == 0.75 && member("top1", of: second) == 0.5)
    #expect(member("top1", of: worse) == 0.25)
    #expect(ids("sort=-top1&kind=train") == [first.text, second.text])
    #expect(ids("sort=top1") == [worse, second, middle, first, better].map(\.text))
    // What has no number does not count, and what is deleted no longer.
    _ = try evaluation(second, top1: "\"high\"")
    #expect(member("top1", of: second) == 0.5)
    #expect(fixture.send(.delete, "/jobs/\(better)").status == 204)
    #expect(member("top1", of: first) == 0.25)
    #expect(fixture.send(.delete, "/jobs/\(worse)").status == 204)
    #expect(member("top1", of: first) == .null)
  }

  @Test func `the order of the queue is that in which jobs begin`() throws {
    let done = try training()
    let low = try fixture.post(#"{"kind":"train","priority":10}"#)
    let first = try fixture.post(#"{"kind":"train","priority":90}"#)
    let second = try fixture.post(#"{"kind":"train","priority":90}"#)
    let later = try training("simclr")
    #expect(later != done)
    // It was the first of those with the highest priority that ran.
    #expect(member("state", of: first) == "succeeded")
    let running = try #require(try fixture.store.claimNext(bootID: "boot")).id
    #expect(running == second)
    _ = fixture.send(.post, "/jobs/\(low)/pause")
    let blocked = try fixture.post("{\"kind\":\"train\",\"needs\":[\"\(second)\"]}")
    let queue = ids("sort=queue")
    #expect(queue == [second, later, low, blocked, first, done].map(\.text))
    #expect(ids("sort=-queue") == queue.reversed())
  }

  @Test func `time spent running goes on for what runs, and pages stay whole`() throws {
    for _ in 0..<3 { _ = try fixture.post(#"{"kind":"train"}"#) }
    let (a, b) = (
      try #require(try fixture.store.claimNext(bootID: "boot")).id,
      try #require(try fixture.store.claimNext(bootID: "boot")).id
    )
    let whole = ids("sort=-running_seconds")
    #expect(Set(whole.prefix(2)) == [a.text, b.text])
    let page = fixture.send(.get, "/jobs?sort=-running_seconds&limit=1").json
    let cursor = try #require(page["next_cursor"]?.string?.string)
    #expect(ids("sort=-running_seconds&cursor=\(cursor)") == Array(whole.dropFirst()))
    for wrong in ["\(cursor)0x", cursor.split(separator: ".").dropLast().joined(separator: ".")] {
      #expect(fixture.send(.get, "/jobs?sort=-running_seconds&cursor=\(wrong)").status == 422)
    }
  }

  @Test func `words are found as they are now`() throws {
    let id = try fixture.post(#"{"kind":"train","name":"Old Name","labels":{"a":"b"},"notes":"tip"}"#)
    #expect(ids("q=old") == [id.text] && ids("q=a=b tip") == [id.text])
    _ = fixture.send(.patch, "/jobs/\(id)", #"{"name":"new","labels":{"a":null,"c":"D"},"notes":null}"#)
    #expect(ids("q=old").isEmpty && ids("q=a=b").isEmpty && ids("q=tip").isEmpty)
    #expect(ids("q=c=d new&sort=name&method=vicreg") == [id.text])
    // Nothing reaches from one text into the next.
    #expect(ids("q=newc").isEmpty)
  }
}
