import HTTP
import HTTPServer
import Platform
import Support
import Synchronization
import Testing

@Suite struct `Answers from memory` {
  /// A page with a number; a change counts from the next request on.
  private final class Page: Sendable {
    let version = Atomic<Int>(1)
    let readings = Atomic<Int>(0)
    /// Requests that came as far as a handler's thread.
    let handled = Atomic<Int>(0)

    func instant(_ request: Request) -> InstantResponse? {
      guard request.segments == ["page"] else { return nil }
      let now = version.load(ordering: .relaxed)
      readings.add(1, ordering: .relaxed)
      var response = Response(contentType: "text/plain", bytes: Array("version \(now)".utf8))
      response.headers.add("ETag", EntityTag("\(now)").text)
      return InstantResponse(response) { [self] in version.load(ordering: .relaxed) == now }
    }

    func handle(_ request: Request) -> Response {
      handled.add(1, ordering: .relaxed)
      return Response(contentType: "text/plain", bytes: Array("handler".utf8))
    }
  }

  private func withPage(
    _ configure: (inout ServerConfiguration) -> Void = { _ in }, _ body: (Page, Int) throws -> Void
  ) throws {
    let page = Page()
    try withServer(configure, instant: { page.instant($0) }, handler: { page.handle($0) }) { port in
      try body(page, port)
    }
  }

  private let request = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func `are made once for equal requests, and anew when they change`() throws {
    try withPage { page, port in
      let (one, other) = (try Client(port: port), try Client(port: port))
      var identifiers: Set<String> = []
      for version in 1...3 {
        page.version.store(version, ordering: .relaxed)
        for client in [one, other, one, other] {
          client.send(request)
          let answer = try client.answer()
          #expect(answer.text == "version \(version)")
          #expect(answer.fields["etag"] == "\"\(version)\"")
          #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
          #expect(identifiers.insert(try #require(answer.fields["x-request-id"])).inserted)
        }
      }
      #expect(page.readings.load(ordering: .relaxed) == 3)
      #expect(page.handled.load(ordering: .relaxed) == 0)
    }
  }

  @Test func `are not taken for those of other requests`() throws {
    try withPage { page, port in
      let client = try Client(port: port)
      client.send(request + request)
      for _ in 0..<2 { #expect(try client.answer().text == "version 1") }
      for (text, expected) in [
        ("GET /page HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"1\"\r\n\r\n", 304),
        ("GET /page HTTP/1.1\r\nHost: a\r\nIf-Match: \"2\"\r\n\r\n", 412),
        ("GET /page HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n", 200), (request, 200),
      ] {
        for _ in 0..<2 {
          client.send(text)
          let answer = try client.answer()
          #expect(answer.status == expected)
          #expect((answer.fields["x-request-id"] == "mine") == text.contains("mine"))
        }
      }
      client.send("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer(toHead: true).fields["content-length"] == "9")
      client.send("POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
      #expect(try client.answer().text == "handler")
      client.send("GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
      #expect(try client.answer().text == "handler")
      // A connection that was to end ends, however often.
      for _ in 0..<2 {
        let last = try Client(port: port)
        last.send("GET /page HTTP/1.0\r\n\r\n")
        #expect(try last.answer().text == "version 1")
        #expect(last.rest().isEmpty)
      }
    }
  }

  @Test func `are the same for requests that differ in their names, and have these names`() throws {
    let records = Inbox<AccessRecord>()
    try withPage({ $0.accessLog = { records.send($0) } }) { page, port in
      let client = try Client(port: port)
      func ask(_ fields: String) throws -> String? {
        client.send("GET /page HTTP/1.1\r\n\(fields)\r\n\r\n")
        let answer = try client.answer()
        #expect(answer.text == "version 1")
        let record = try #require(records.receive(timeoutMilliseconds: Patience.milliseconds).first)
        #expect(record.requestID == answer.fields["x-request-id"])
        return answer.fields["x-request-id"]
      }
      for id in ["a", "bb", String(repeating: "c", count: 128), "a", "d-._~9"] {
        #expect(try ask("Host: a\r\nX-Request-Id: \(id)") == id)
        #expect(try ask("x-ReQuest-iD:\(id)\r\nHost: a\r\nAccept: x") == id)
      }
      #expect(page.readings.load(ordering: .relaxed) == 2)
      // No names, and names that are not taken.
      for fields in [
        "Host: a", "Host: a\r\nX-Request-Id: a b", "Host: a\r\nX-Request-Id: ",
        "Host: a\r\nX-Request-Id: \(String(repeating: "c", count: 129))", "Host: a\r\nX-Request-Id: a\tb",
      ] {
        let ids = [try ask(fields), try ask(fields)]
        #expect(ids[0] != ids[1])
        #expect(ids.allSatisfy { $0?.utf8.count == 15 })
      }
      // The first of two is the name; the other may not be taken for a part of the request.
      #expect(try ask("Host: a\r\nX-Request-Id: a\r\nX-Request-Id: b") == "a")
      #expect(try ask("Host: a\r\nX-Request-Id: b\r\nX-Request-Id: b") == "b")
      // Another name of a field, and a longer one.
      #expect(try ask("Host: a\r\nX-Request-Ids: z") != "z")
      #expect(page.handled.load(ordering: .relaxed) == 0)
    }
  }

  @Test func `come when the request is whole, wherever it was cut`() throws {
    try withPage { _, port in
      let client = try Client(port: port)
      client.send(request)
      #expect(try client.answer().text == "version 1")
      let bytes = Array(request.utf8)
      for cut in 1..<bytes.count {
        // An answer to the first part would be taken for that to the second.
        client.send(Array(bytes[..<cut]))
        client.send(Array(bytes[cut...]) + Array("GET /other HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(try client.answer().text == "version 1")
        #expect(try client.answer().text == "handler")
      }
      // What looks like a whole request but goes on is none.
      client.send("GET /page HTTP/1.1\r\nHost: a\r\n")
      client.send("X: y\r\n\r\n")
      #expect(try client.answer().text == "version 1")
    }
  }

  @Test func `stand in the access log like others`() throws {
    let records = Inbox<AccessRecord>()
    try withPage({ $0.accessLog = { records.send($0) } }) { _, port in
      let client = try Client(port: port)
      for _ in 0..<2 {
        client.send(request)
        let answer = try client.answer()
        let record = try #require(records.receive(timeoutMilliseconds: Patience.milliseconds).first)
        #expect(record.path == "/page" && record.status == 200 && record.isComplete)
        #expect(record.requestID == answer.fields["x-request-id"])
        #expect(record.milliseconds < 5_000)
      }
    }
  }

  @Test func `are compressed by a handler's thread`() throws {
    let text = String(repeating: "a", count: 4_000)
    let response = Response(contentType: "text/plain", bytes: Array(text.utf8))
    try withServer(
      instant: { _ in InstantResponse(response) { true } }, handler: { _ in response }
    ) { port in
      let client = try Client(port: port)
      for _ in 0..<2 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        #expect(try client.answer().fields["content-encoding"] == "gzip")
        client.send(request)
        let plain = try client.answer()
        #expect(plain.text == text)
        #expect(plain.fields["vary"] == "Accept-Encoding")
      }
    }
  }
}
