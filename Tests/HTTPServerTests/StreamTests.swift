import HTTP
import HTTPServer
import Platform
import Support
import Synchronization
import Testing

@Suite struct `Streams` {
  private func bytes(_ text: String) -> BodyStep { .bytes(Array(text.utf8)) }

  private func serving(_ stream: ScriptedStream) -> Handler {
    { request in
      request.segments == ["stream"] ? Response(body: .stream(stream)) : Response(status: 204)
    }
  }

  private let request = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"

  @Test func `come in chunks as they are pulled, and the connection goes on`() throws {
    let stream = ScriptedStream([bytes("one"), .idle(milliseconds: 5), bytes(""), bytes("two"), .end])
    try withServer(handler: serving(stream)) { port in
      let client = try Client(port: port)
      client.send(request + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer().text == "onetwo")
      #expect(try client.answer().status == 204)
      #expect(stream.isClosedOnce())
    }
  }

  @Test func `end with the connection for a client of 1.0`() throws {
    let stream = ScriptedStream([bytes("one"), bytes("two")])
    try withServer(handler: serving(stream)) { port in
      let client = try Client(port: port)
      client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try client.answer().text == "onetwo")
      #expect(stream.isClosedOnce())
    }
  }

  @Test func `are only closed for HEAD`() throws {
    let stream = ScriptedStream([])
    try withServer(handler: serving(stream)) { port in
      let client = try Client(port: port)
      client.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer(toHead: true).fields["transfer-encoding"] == "chunked")
      #expect(stream.isClosedOnce())
      #expect(stream.pulls.load(ordering: .relaxed) == 0)
    }
  }

  @Test func `that fail are cut off, not ended`() throws {
    let stream = ScriptedStream([bytes("one")], repeated: nil)
    try withServer(handler: serving(stream)) { port in
      let client = try Client(port: port)
      client.send(request)
      let all = String(decoding: client.rest(), as: UTF8.self)
      #expect(all.hasSuffix("3\r\none\r\n"))
      #expect(stream.isClosedOnce())
    }
  }

  @Test(arguments: [true, false])
  func `are closed when the client goes`(byReset: Bool) throws {
    let stream = ScriptedStream([bytes("one")], repeated: .idle(milliseconds: 60_000))
    try withServer(handler: serving(stream)) { port in
      var client: Client? = try Client(port: port)
      client?.send(request)
      _ = try client?.take(through: Array("one\r\n".utf8))
      if byReset { client?.reset() }
      client = nil
      #expect(stream.isClosedOnce())
    }
  }

  @Test func `get their end when the server stops`() throws {
    let stream = ScriptedStream([bytes("one")], repeated: .idle(milliseconds: 60_000))
    let server = HTTPServer(ServerConfiguration(), handler: serving(stream))
    let port = try server.start()
    let client = try Client(port: port)
    client.send(request)
    _ = try client.take(through: Array("one\r\n".utf8))
    let stopper = try Thread(name: "stopper") { server.stop(graceSeconds: Double(Patience.seconds)) }
    #expect(try client.chunk() == nil)
    #expect(client.rest().isEmpty)
    #expect(stream.isClosedOnce())
    stopper.join()
  }

  @Test func `are not pulled ahead of a reader that does not read`() throws {
    let piece = [UInt8](repeating: 7, count: 256 << 10)
    let stream = ScriptedStream(Array(repeating: .bytes(piece), count: 400), repeated: .end)
    try withServer({ $0.timeouts.writeSeconds = 0.3 }, handler: serving(stream)) { port in
      let client = try Client(port: port, receiveBytes: 16 << 10)
      client.send(request)
      // Nothing is read until the server has given the client up.
      #expect(stream.isClosedOnce())
      // What the two kernels hold for a connection is a few MiB at most.
      #expect(stream.pulls.load(ordering: .relaxed) < 60)
      // Nor does the server's kernel keep its part for a client that was given up.
      #expect(client.rest().count < 1 << 20)
    }
  }

  @Test func `reach a reader that is slow but steady`() throws {
    let piece = [UInt8](repeating: 7, count: 100 << 10)
    let stream = ScriptedStream(Array(repeating: .bytes(piece), count: 20))
    try withServer(handler: serving(stream)) { port in
      let client = try Client(port: port, receiveBytes: 16 << 10)
      client.send(request)
      #expect(try client.answer().body.count == 20 * piece.count)
    }
  }

  @Test func `leave other connections alone while handlers block`() throws {
    let release = Inbox<Void>()
    let handler: Handler = { request in
      if request.segments == ["block"] { _ = release.receive(timeoutMilliseconds: Patience.milliseconds) }
      return Response(status: 204)
    }
    try withServer({ $0.handlerThreads = 2 }, handler: handler) { port in
      let (blocked, other) = (try Client(port: port), try Client(port: port))
      blocked.send("GET /block HTTP/1.1\r\nHost: a\r\n\r\n")
      for _ in 0..<20 {
        other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try other.answer().status == 204)
      }
      release.send(())
      #expect(try blocked.answer().status == 204)
    }
  }
}
