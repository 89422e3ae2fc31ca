import HTTP
import HTTPServer
import Platform
import Support
import Synchronization
import Testing

/// An answer that a test gives when it wants to.
private final class HeldAnswer: PendingAnswer {
  let answer = Mutex<Response?>(nil)
  let asked = Inbox<Bool>()
  let closings = Inbox<Void>()
  private let wake = Mutex<@Sendable () -> Void>({})
  private let idleMilliseconds: Int

  init(idleMilliseconds: Int = 60_000) { self.idleMilliseconds = idleMilliseconds }

  func attach(wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

  func next(mustAnswer: Bool) throws -> PendingStep {
    asked.send(mustAnswer)
    if let response = answer.withLock({ $0 }) { return .answer(response) }
    return mustAnswer ? .answer(Response(status: 204)) : .idle(milliseconds: idleMilliseconds)
  }

  func close() { closings.send(()) }

  func give(_ response: Response) {
    answer.withLock { $0 = response }
    wake.withLock { $0 }()
  }
}

@Suite struct `Pending answers` {
  private let request = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"

  private func serving(_ held: HeldAnswer) -> Handler {
    { $0.segments == ["wait"] ? Response(body: .pending(held)) : Response(status: 204) }
  }

  @Test func `come when they are there, hold no thread, and keep the order`() throws {
    let held = HeldAnswer()
    try withServer({ $0.handlerThreads = 1 }, handler: serving(held)) { port in
      let (waiting, other) = (try Client(port: port), try Client(port: port))
      waiting.send(request + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(held.asked.receive(timeoutMilliseconds: Patience.milliseconds) == [false])
      other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try other.answer().status == 204)
      held.give(Response(contentType: "text/plain", bytes: Array("here".utf8)))
      #expect(try waiting.answer().text == "here")
      #expect(try waiting.answer().status == 204)
      #expect(held.closings.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    }
  }

  /// An answer that comes at once and is at hand from then on.
  private final class QuickAnswer: PendingAnswer {
    private let wake = Mutex<@Sendable () -> Void>({})
    private let isThere = Mutex(false)

    func attach(wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

    func ready() -> Response? {
      isThere.withLock { $0 } ? Response(status: 201, contentType: "text/plain", bytes: [65, 66]) : nil
    }

    func next(mustAnswer: Bool) -> PendingStep {
      // It comes while somebody asks, so that nobody is waiting yet.
      isThere.withLock { $0 = true }
      wake.withLock { $0 }()
      return .idle(milliseconds: 60_000)
    }

    func close() {}
  }

  @Test func `that are at hand need no handler, and keep what was given beside them`() throws {
    let records = Inbox<AccessRecord>()
    let handler: Handler = { _ in
      let quick = QuickAnswer()
      var response = Response(body: .pending(quick))
      response.headers.add("X-Beside", "yes")
      response.principal = "lab"
      return response
    }
    try withServer({ $0.accessLog = { records.send($0) } }, handler: handler) { port in
      let client = try Client(port: port)
      for _ in 0..<100 {
        client.send(request)
        let answer = try client.answer()
        #expect(answer.status == 201)
        #expect(answer.text == "AB")
        #expect(answer.fields["x-beside"] == "yes")
      }
    }
    var seen: [AccessRecord] = []
    while seen.count < 100 { seen += records.receive(timeoutMilliseconds: Patience.milliseconds) }
    #expect(seen.allSatisfy { $0.principal == "lab" && $0.status == 201 })
  }

  @Test func `are asked for again after their time`() throws {
    let held = HeldAnswer(idleMilliseconds: 1)
    try withServer(handler: serving(held)) { port in
      let client = try Client(port: port)
      client.send(request)
      var asked = 0
      while asked < 3 { asked += held.asked.receive(timeoutMilliseconds: Patience.milliseconds).count }
      held.answer.withLock { $0 = Response(status: 202) }
      #expect(try client.answer().status == 202)
    }
  }

  @Test func `are dropped when the connection breaks`() throws {
    let held = HeldAnswer()
    try withServer(handler: serving(held)) { port in
      var client: Client? = try Client(port: port)
      client?.send(request)
      #expect(!held.asked.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
      client?.reset()
      client = nil
      #expect(held.closings.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    }
  }

  @Test func `are dropped when the client has closed its half, unless they are brief`() throws {
    let held = HeldAnswer()
    try withServer(handler: serving(held)) { port in
      let client = try Client(port: port)
      client.send(request)
      client.finishSending()
      #expect(held.closings.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
      #expect(client.rest().isEmpty)
    }
    let brief = BriefAnswer()
    try withServer(handler: { _ in Response(body: .pending(brief)) }) { port in
      let client = try Client(port: port)
      client.send(request)
      client.finishSending()
      let wake = try #require(brief.attached.receive(timeoutMilliseconds: Patience.milliseconds).first)
      wake()
      #expect(try client.answer().status == 201)
    }
  }

  /// An answer that comes when it is asked for a second time.
  private final class BriefAnswer: PendingAnswer {
    let isBrief = true
    let attached = Inbox<@Sendable () -> Void>()
    private let askings = Atomic<Int>(0)

    func attach(wake: @escaping @Sendable () -> Void) { attached.send(wake) }

    func next(mustAnswer: Bool) -> PendingStep {
      askings.add(1, ordering: .relaxed).newValue > 1
        ? .answer(Response(status: 201)) : .idle(milliseconds: 60_000)
    }

    func close() {}
  }

  @Test func `are given when the server stops`() throws {
    let held = HeldAnswer()
    let server = HTTPServer(ServerConfiguration(), handler: serving(held))
    let port = try server.start()
    let client = try Client(port: port)
    client.send(request)
    #expect(!held.asked.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
    let stopper = try Thread(name: "stopper") { server.stop(graceSeconds: Double(Patience.seconds)) }
    #expect(try client.answer().status == 204)
    #expect(held.closings.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    _ = client.rest()
    stopper.join()
  }

  /// A stream that has something only after it was woken.
  private final class WokenStream: BodyStream {
    let pieces = Mutex<[String]>([])
    let attached = Inbox<@Sendable () -> Void>()
    let isIdle = Inbox<Void>()

    func attach(wake: @escaping @Sendable () -> Void) { attached.send(wake) }

    func ready() -> BodyStep? {
      pieces.withLock { $0.isEmpty ? nil : .bytes(Array($0.removeFirst().utf8)) }
    }

    func next() -> BodyStep {
      if let step = ready() { return step }
      isIdle.send(())
      return .idle(milliseconds: 60_000)
    }

    func close() {}
  }

  @Test func `streams go on when they are woken, also in the middle of being asked`() throws {
    let stream = WokenStream()
    try withServer(handler: { _ in Response(body: .stream(stream)) }) { port in
      let client = try Client(port: port)
      client.send(request)
      let wake = try #require(stream.attached.receive(timeoutMilliseconds: Patience.milliseconds).first)
      _ = try client.take(through: [13, 10, 13, 10])
      for round in 0..<200 {
        stream.pieces.withLock { $0.append("piece \(round)") }
        wake()
        #expect(try client.chunk() == Array("piece \(round)".utf8))
      }
    }
  }
}

@Suite struct `Request identifiers` {
  @Test func `are the client's own where they are fit, and else new ones`() throws {
    let records = Inbox<AccessRecord>()
    try withServer({ $0.accessLog = { records.send($0) } }) { port in
      let client = try Client(port: port)
      var seen: Set<String> = []
      for given in ["abc-1.2_3~4", "a b", "", "é", String(repeating: "a", count: 129), "a\"b"] {
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: \(given)\r\n\r\n")
        let id = try #require(try client.answer().fields["x-request-id"])
        #expect((id == given) == (given == "abc-1.2_3~4"))
        seen.insert(id)
      }
      #expect(seen.count == 6)
      client.send("GET / HTTP/1.1\r\nBad Header\r\n\r\n")
      #expect(try client.answer().fields["x-request-id"]?.isEmpty == false)
      _ = client.rest()
      var logged: [String] = []
      while logged.count < 7 {
        logged += records.receive(timeoutMilliseconds: Patience.milliseconds).map(\.requestID)
      }
      #expect(seen.isSubset(of: logged))
    }
  }

  @Test func `stand in the access log, which has lines of JSON without queries`() throws {
    let folder = "\(FileSystem.temporaryDirectory)/vicregd-log-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(folder)
    let log = try AccessLog(path: "\(folder)/log")
    try withServer({ $0.accessLog = { log.write($0) } }) { port in
      let client = try Client(port: port)
      for path in ["/a?token=secret", "/b%22c?x"] {
        client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nX-Request-Id: me\r\nCookie: c=secret\r\n\r\n")
        #expect(try client.answer().status == 200)
      }
      client.send("\r\n\r\n")
      #expect(try client.answer().status == 400)
      _ = client.rest()
    }
    log.close()
    let text = String(decoding: try File("\(folder)/log", .read).readAll(), as: UTF8.self)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains("\"request_id\":\"me\"") && lines[0].contains("\"path\":\"/a\""))
    #expect(lines[2].contains("\"method\":null") && lines[2].contains("\"status\":400"))
    #expect(!text.contains("secret"))
    try FileSystem.removeTree(folder)
  }
}
