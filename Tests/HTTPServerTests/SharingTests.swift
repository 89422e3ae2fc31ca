import HTTP
import Platform
import Support
import Synchronization
import Testing

@testable import HTTPServer

/// What one client cannot do to others.
@Suite struct `Handlers are shared` {
  private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

  /// A handler that holds `/block` until it is released, and counts the other requests.
  private final class Gate: Sendable {
    let started = Inbox<Void>()
    let release = Inbox<Void>()
    let count = Atomic<Int>(0)

    func handle(_ request: Request) -> Response {
      if request.segments == ["block"] {
        started.send(())
        _ = release.receive(timeoutMilliseconds: Patience.milliseconds)
      } else {
        count.add(1, ordering: .relaxed)
      }
      return Response(status: 204)
    }

    func instant(_ request: Request) -> InstantResponse? {
      request.segments == ["now"] ? InstantResponse(Response(status: 204)) { false } : nil
    }
  }

  @Test func `the work of clients that have broken the connection does not run`() throws {
    let gate = Gate()
    try withServer({ $0.handlerThreads = 1 }, instant: gate.instant, handler: gate.handle) { port in
      let blocked = try Client(port: port)
      blocked.send(get("/block"))
      #expect(!gate.started.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
      for _ in 0..<20 {
        let client = try Client(port: port)
        client.send(get("/work"))
        client.reset()
      }
      // The loop answers this one after it has seen the resets.
      let other = try Client(port: port)
      for _ in 0..<3 {
        other.send(get("/now"))
        #expect(try other.answer().status == 204)
      }
      gate.release.send(())
      #expect(try blocked.answer().status == 204)
      other.send(get("/work"))
      #expect(try other.answer().status == 204)
      #expect(gate.count.load(ordering: .relaxed) == 1)
    }
  }

  @Test func `a full queue answers 503 and names its limit`() throws {
    let gate = Gate()
    let configure: (inout ServerConfiguration) -> Void = {
      $0.handlerThreads = 1
      $0.queuedRequestsMax = 4
      $0.queuedRequestsPerClientMax = 1
    }
    try withServer(configure, instant: gate.instant, handler: gate.handle) { port in
      let blocked = try Client(port: port)
      blocked.send(get("/block"))
      #expect(!gate.started.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
      let clients = try (0..<5).map { _ in try Client(port: port) }
      for client in clients { client.send(get("/work")) }
      let other = try Client(port: port)
      other.send(get("/now"))
      #expect(try other.answer().status == 204)
      gate.release.send(())
      let answers = try clients.map { try $0.answer() }
      // Loopback has half of the places.
      #expect(answers.filter { $0.status == 204 }.count == 2)
      for refusal in answers where refusal.status != 204 {
        #expect(refusal.status == 503 && refusal.fields["retry-after"] == "1")
        #expect(refusal.text.contains("queued_requests_max, which is 4"))
      }
    }
  }

  @Test func `the limit of one client is named to it alone`() {
    var configuration = ServerConfiguration()
    configuration.queuedRequestsMax = 100
    configuration.queuedRequestsPerClientMax = 2
    let limits = QueueLimits(configuration)
    var schedule = FairSchedule<Int, Int>(runningMaxima: [1, 1])
    func problem(_ peer: String) -> Problem? {
      let client = ClientIdentity(peer: peer, isSecure: false)
      return limits.problem(with: schedule, in: 0..<2, of: client)
    }
    for work in 0..<2 {
      schedule.add(
        work, lane: work, client: ClientIdentity(peer: "10.0.0.1", isSecure: false).turnKey)
    }
    #expect(problem("10.0.0.1")?.detail.contains("queued_requests_per_client_max, which is 2") == true)
    #expect(problem("::ffff:10.0.0.1")?.status == 503)
    #expect(problem("10.0.0.2") == nil)
  }

  @Test func `heavy requests leave threads to light ones`() throws {
    let gate = Gate()
    let server = HTTPServer(
      {
        var one = ServerConfiguration(); one.handlerThreads = 2; return one
      }(),
      limits: { RouteLimits(weight: $0.segments == ["block"] ? .heavy : .light) }, handler: gate.handle)
    let port = try server.start()
    defer { server.stop(graceSeconds: 2) }
    let heavy = try (0..<4).map { _ in try Client(port: port) }
    for client in heavy { client.send(get("/block")) }
    #expect(!gate.started.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
    let light = try Client(port: port)
    for _ in 0..<20 {
      light.send(get("/light"))
      #expect(try light.answer().status == 204)
    }
    for client in heavy {
      gate.release.send(())
      #expect(try client.answer().status == 204)
    }
  }

  @Test func `streams and waiting answers have places, and give them back`() throws {
    let handler: Handler = { request in
      if request.segments == ["stream"] {
        return Response(body: .stream(ScriptedStream([.bytes([65])], repeated: .idle(milliseconds: 60_000))))
      }
      return Response(status: 204)
    }
    try withServer({ $0.streamsMax = 2 }, handler: handler) { port in
      var streams = try (0..<2).map { _ in try Client(port: port) }
      for client in streams {
        client.send(get("/stream"))
        _ = try client.take(through: Array("A\r\n".utf8))
      }
      let third = try Client(port: port)
      third.send(get("/stream"))
      let refusal = try third.answer()
      #expect(refusal.status == 503 && refusal.text.contains("streams_max, which is 2"))
      third.send(get("/other"))
      #expect(try third.answer().status == 204)
      streams.removeLast()
      var isIn = false
      for _ in 0..<1_000 where !isIn {
        third.send(get("/stream"))
        isIn = String(decoding: try third.take(through: [13, 10, 13, 10]), as: UTF8.self).contains(" 200 ")
        if !isIn { _ = try third.take(through: Array("}\n".utf8)) }
      }
      #expect(isIn)
    }
  }
}

@Suite struct `Bodies are bounded` {
  private func put(_ path: String, _ length: Int) -> String {
    "PUT \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
  }

  private func withAdmission(_ admission: @escaping Admission, _ body: (Int, Gate) throws -> Void) throws {
    let gate = Gate()
    let server = HTTPServer(
      ServerConfiguration(), admission: admission,
      limits: { request in
        request.segments == ["small"]
          ? RouteLimits(body: BodyLimit(name: "small_body_bytes_max", bytesMax: 10)) : RouteLimits()
      },
      handler: { request in
        gate.handled.add(1, ordering: .relaxed)
        return try echo(request)
      })
    let port = try server.start()
    defer { server.stop(graceSeconds: 2) }
    try body(port, gate)
  }

  private final class Gate: Sendable {
    let handled = Atomic<Int>(0)
  }

  @Test func `a request is refused by its head, before its body is there`() throws {
    try withAdmission({ _ in Problem(status: 401, detail: "no token") }) { port, gate in
      for head in [put("/a", 4_000_000), "PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"] {
        let client = try Client(port: port)
        client.send(head)
        let refusal = try client.answer()
        #expect(refusal.status == 401)
        #expect(refusal.fields["connection"] == "close")
        #expect(client.rest().isEmpty)
      }
      #expect(gate.handled.load(ordering: .relaxed) == 0)
    }
  }

  @Test func `a request that is admitted is told to go on, and answered`() throws {
    let asked = Inbox<[String]>()
    try withAdmission({
      asked.send($0.segments.map(\.string))
      return nil
    }) { port, _ in
      let client = try Client(port: port)
      client.send("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      #expect(try client.answer().status == 100)
      client.send("ok")
      #expect(try client.answer().text == "PUT a ok")
      #expect(asked.receive(timeoutMilliseconds: Patience.milliseconds) == [["a"]])
      client.send(put("/small", 11))
      let refusal = try client.answer()
      #expect(refusal.status == 413 && refusal.text.contains("small_body_bytes_max"))
      #expect(client.rest().isEmpty)
    }
  }

  @Test func `all together have a budget, of which one client has half`() throws {
    try withServer({ $0.bodiesBytesMax = 1 << 20 }) { port in
      let first = try Client(port: port)
      first.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400000\r\n\r\n")
      #expect(try first.answer().status == 100)
      let second = try Client(port: port)
      second.send(put("/", 400_000))
      let refusal = try second.answer()
      #expect(refusal.status == 503 && refusal.fields["retry-after"] == "1")
      #expect(refusal.text.contains("bodies_bytes_max"))
      // A small one finds room, and the first one's is given back when it is done.
      let third = try Client(port: port)
      third.send(put("/", 2) + "ok")
      #expect(try third.answer().text == "PUT  ok")
      first.send([UInt8](repeating: 65, count: 400_000))
      #expect(try first.answer().status == 200)
      var status = 0
      for _ in 0..<1_000 where status != 100 {
        let fourth = try Client(port: port)
        fourth.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 400000\r\n\r\n")
        status = try fourth.answer().status
      }
      #expect(status == 100)
    }
  }

  @Test func `a budget is whole again when every body has gone`() {
    let budget = BodyBudget(bytesMax: 1_000_000)
    do {
      let (one, other) = (BodyReservation(budget, network: "a"), BodyReservation(budget, network: "b"))
      #expect(one.reserve(400_000) == nil && one.reserve(500_000) == nil)
      #expect(one.reserve(500_001)?.status == 503)
      #expect(other.reserve(250_001)?.status == 503)
      #expect(other.reserve(250_000) == nil && other.reserve(10) == nil)
      #expect(budget.reservedBytes == 750_000)
      let small = BodyReservation(budget, network: "a")
      #expect(small.reserve(60_000) == nil)
    }
    #expect(budget.reservedBytes == 0)
  }
}
