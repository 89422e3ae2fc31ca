import HTTP
import JSONText
import Platform
import Recipe
import Support
import Testing
import Text

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
    #expect(all.map(\.name) == ["state", "transition", "transition", "metric", "metric", "metric"])
    #expect(all.map(\.id) == [nil, "1", "2", "3", "4", "5"])
    #expect(try JSON.parse(all[0].data)["state"] == "running")
    #expect(all[5].data == lines(3...3)[0])
    let rest = fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "4")])
    #expect(events(rest.text).map(\.id) == [nil, "5"])
    #expect(events(fixture.send(.get, "/jobs/\(id)/events?after=3").text).map(\.id) == [nil, "4", "5"])
  }

  @Test func `of a job tell every step of its life with time, cause and actor, its metrics none`() throws {
    _ = fixture.send(.post, "/jobs/\(id)/pause")
    _ = fixture.send(.post, "/jobs/\(id)/resume")
    let attempt = try claim()
    let end = #"{"event":"end","state":"failed","reason":"diverged","message":"NaN at 2"}"#
    try fixture.tell(id, attempt: attempt, lines(1...1) + [end])
    let all = events(fixture.send(.get, "/jobs/\(id)/events").text)
    #expect(all.map(\.name) == ["state"] + ["transition"] * 4 + ["metric", "transition", "end"])
    let told = try all.filter { $0.name == "transition" }.map { try JSON.parse($0.data) }
    let recorded = try fixture.store.transitions(of: id, limit: 9).map(\.json)
    for (line, record) in zip(told, recorded) {
      for key: ByteString in ["id", "time", "from", "to", "reason", "message", "actor", "attempt"] {
        #expect(line[key] == record[key], "\(key) of \(line.text)")
      }
    }
    #expect(told.map { $0["to"] } == ["queued", "paused", "queued", "running", "failed"])
    #expect(told[1]["reason"] == "user_paused" && told[1]["actor"] == "user")
    #expect(told[4]["message"] == "NaN at 2" && told[4]["actor"] == "worker")
    #expect(fixture.send(.get, "/jobs/\(id)/metrics").text == lines(1...1)[0] + "\n" + end + "\n")
  }

  @Test(arguments: ["99", "-1", "x", "6"])
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
    let names = events(response.text).map(\.name)
    #expect(names == ["state"] + ["transition"] * 2 + ["metric", "transition", "end"])
    guard case .stream(let stream) = response.body, case .end = try stream.next() else {
      Issue.record("goes on")
      return
    }
    #expect(fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "5")]).status == 204)
    #expect(fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", "4")]).status == 200)
    for unknown in ["99", "-1", "x"] {
      let again = fixture.send(.get, "/jobs/\(id)/events", headers: [("Last-Event-ID", unknown)])
      let names = events(again.text).map(\.name)
      #expect(names.first == "resync" && names.last == "end", "\(unknown): \(names)")
    }
  }

  @Test func `of everything tell all jobs in one order`() throws {
    let start = try fixture.store.feedBounds().last
    let other = try fixture.post(#"{"kind":"train"}"#)
    try fixture.tell(id, attempt: try claim(), lines(1...2))
    _ = fixture.send(.patch, "/jobs/\(other)", #"{"name":"x"}"#)
    let all = events(fixture.send(.get, "/events?after=\(start)").text)
    // In which order a change and its line come is SQLite's choice.
    #expect(all.prefix(2).map(\.name).sorted() == ["state", "transition"])
    #expect(all.dropFirst(2).prefix(2).map(\.name).sorted() == ["state", "transition"])
    #expect(all.dropFirst(4).map(\.name) == ["metric", "metric", "state"])
    #expect(all.map { $0.id.flatMap(Int.init) } == (1...7).map { start + $0 })
    let line = try JSON.parse(all[4].data)
    #expect(line["job"] == .string(id.text))
    #expect(line["line"]?["step"] == 1)
    #expect(line["sequence"] == 3)
    #expect(try JSON.parse(all[6].data)["name"] == "x")
    #expect(events(fixture.send(.get, "/events").text).isEmpty)
    #expect(fixture.send(.get, "/events?after=x").status == 422)
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
      let indices = woken.receive(timeoutMilliseconds: Patience.milliseconds)
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
    let deadline = SystemClock.monotonicNanoseconds + Patience.nanoseconds
    while !text.contains("\"step\":6000}"), SystemClock.monotonicNanoseconds < deadline {
      if case .bytes(let bytes) = try stream.next() { text += String(decoding: bytes, as: UTF8.self) }
    }
    #expect(text == lines(1...6_000).map { $0 + "\n" }.joined())
    stream.close()
  }
}

private func * (elements: [String], count: Int) -> [String] {
  Array(repeatElement(elements, count: count).joined())
}

extension String {
  fileprivate func components(separatedBy mark: String) -> [String] {
    split(separator: mark, omittingEmptySubsequences: false).map(String.init)
  }
}
