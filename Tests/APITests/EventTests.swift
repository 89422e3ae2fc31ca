import HTTP
import JobModel
import Platform
import Testing

@testable import API

@Suite struct `Event streams` {
  private let fixture: APIFixture
  private let id: JobID

  init() throws {
    fixture = try APIFixture()
    id = try fixture.post(#"{"kind":"train"}"#)
  }

  /// One event as a browser would hand it over.
  private struct Event: Equatable {
    var id: String?
    var name = "message"
    var data = ""
  }

  /// The events of a text, read by the rules of HTML, section 9.2.6.
  private func events(_ text: String) -> [Event] {
    text.components(separatedBy: "\n\n").compactMap { block in
      var event = Event()
      for line in block.split(separator: "\n") where !line.hasPrefix(":") && !line.hasPrefix("retry:") {
        let parts = line.split(separator: ":", maxSplits: 1).map { String($0) }
        let value = parts.count > 1 ? String(parts[1].dropFirst()) : ""
        switch parts[0] {
        case "id": event.id = value
        case "event": event.name = value
        case "data": event.data += value
        default: Issue.record("the field \(parts[0])")
        }
      }
      return event.data.isEmpty ? nil : event
    }
  }

  private func lines(_ steps: ClosedRange<Int>) -> [String] {
    steps.map { "{\"event\":\"metric\",\"step\":\($0)}" }
  }

  private func claim() throws -> Int { try #require(try fixture.store.claimNext(bootID: "b")).attempt }

  @Test func `of a job begin with its state and go on from where a client was`() throws {
    try fixture.tell(id, attempt: try claim(), lines(1...3))
    let response = fixture.send(.get, "/jobs/\(id)/events")
    #expect(response.headers["Content-Type"] == "text/event-stream")
    #expect(response.headers["X-Accel-Buffering"] == "no")
    let all = events(response.text)
    #expect(all.map(\.name) == ["state", "metric", "metric", "metric"])
    #expect(all.map(\.id) == [nil, "1", "2", "3"])
    #expect(try JSON.parse(all[0].data)["state"] == "running")
    #expect(all[3].data == lines(3...3)[0])
    let rest = fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "2")])
    #expect(events(rest.text).map(\.id) == [nil, "3"])
    #expect(events(fixture.send(.get, "/jobs/\(id)/events?after=1").text).map(\.id) == [nil, "2", "3"])
  }

  @Test(arguments: ["99", "-1", "x", "4"])
  func `say that an id is gone`(unknown: String) throws {
    try fixture.tell(id, attempt: try claim(), lines(1...3))
    let response = fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", unknown)])
    #expect(events(response.text).map(\.name) == ["resync", "state"])
    let all = fixture.send(.get, "/events", headers: [("Last-Event-ID", "1000")])
    #expect(events(all.text).map(\.name) == ["resync"])
  }

  @Test func `of a job end with it, and a client that has it all is let go`() throws {
    let attempt = try claim()
    let response = fixture.send(.get, "/jobs/\(id)/events")
    try fixture.tell(id, attempt: attempt, lines(1...1) + [#"{"event":"end","state":"succeeded"}"#])
    #expect(events(response.text).map(\.name) == ["state", "metric", "end"])
    guard case .stream(let stream) = response.body, case .end = try stream.next() else {
      Issue.record("goes on")
      return
    }
    #expect(fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "2")]).status == 204)
    #expect(fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "1")]).status == 200)
  }

  @Test func `of everything tell all jobs in one order`() throws {
    let start = try fixture.store.feedBounds().last
    let other = try fixture.post(#"{"kind":"train"}"#)
    try fixture.tell(id, attempt: try claim(), lines(1...2))
    _ = fixture.send(.patch, "/jobs/\(other)", #"{"name":"x"}"#)
    let all = events(fixture.send(.get, "/events?after=\(start)").text)
    #expect(all.map(\.name) == ["state", "state", "metric", "metric", "state"])
    #expect(all.map { $0.id.flatMap(Int.init) } == (1...5).map { start + $0 })
    let line = try JSON.parse(all[2].data)
    #expect(line["job"] == .string(id.text))
    #expect(line["line"]?["step"] == 1)
    #expect(line["sequence"] == 1)
    #expect(try JSON.parse(all[4].data)["name"] == "x")
    #expect(events(fixture.send(.get, "/events").text).isEmpty)
    #expect(fixture.send(.get, "/events?after=x").status == 400)
  }

  @Test func `come to all followers from one reading, each once`() throws {
    let woken = Inbox<Int>()
    let streams = (0..<50).map { index -> any BodyStream in
      let stream = EventStream(
        .job(id), index % 2 == 0 ? .events : .lines(fromStep: 0), after: 0, hub: fixture.events,
        store: fixture.store)
      stream.attach { woken.send(index) }
      return stream
    }
    // Each has read what there is and follows now.
    for stream in streams { while case .bytes = try stream.next() {} }
    let attempt = try claim()
    try fixture.tell(id, attempt: attempt, lines(1...3))
    var heard: [Int: String] = [:]
    while heard.values.filter({ $0.contains("\"step\":3") }).count < streams.count {
      let indices = woken.receive(timeoutMilliseconds: 10_000)
      try #require(!indices.isEmpty)
      for index in indices {
        while case .bytes(let bytes)? = streams[index].ready() {
          heard[index, default: ""] += String(decoding: bytes, as: UTF8.self)
        }
      }
    }
    for (index, text) in heard {
      #expect(text.components(separatedBy: "\"step\":2").count == 2)
      if index % 2 == 1 { #expect(text == lines(1...3).map { $0 + "\n" }.joined()) }
    }
    for stream in streams { stream.close() }
  }

  @Test func `catch up from the database when memory does not reach back`() throws {
    let attempt = try claim()
    let stream = EventStream(
      .job(id), .lines(fromStep: 0), after: 0, hub: fixture.events, store: fixture.store)
    while case .bytes = try stream.next() {}
    for start in stride(from: 1, to: 6_000, by: 500) {
      try fixture.tell(id, attempt: attempt, lines(start...(start + 499)))
    }
    var text = ""
    let deadline = SystemClock.monotonicNanoseconds + 10_000_000_000
    while !text.contains("\"step\":6000}"), SystemClock.monotonicNanoseconds < deadline {
      if case .bytes(let bytes) = try stream.next() { text += String(decoding: bytes, as: UTF8.self) }
    }
    #expect(text == lines(1...6_000).map { $0 + "\n" }.joined())
    stream.close()
  }
}

extension String {
  fileprivate func components(separatedBy mark: String) -> [String] {
    split(separator: mark, omittingEmptySubsequences: false).map(String.init)
  }
}
