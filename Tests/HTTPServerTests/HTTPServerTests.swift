import HTTP
import HTTPServer
import Platform
import Support
import Testing

@Suite struct `HTTP server` {
  @Test func `keeps a connection for further requests`() throws {
    try withServer { port in
      let client = try Client(port: port)
      for index in 0..<3 {
        client.send("POST /a/\(index) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        let answer = try client.answer()
        #expect(answer.text == "POST a|\(index) hi")
        #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
        #expect(answer.fields["connection"] == nil)
      }
    }
  }

  @Test func `answers pipelined requests in order`() throws {
    try withServer { port in
      let client = try Client(port: port)
      client.send((0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
      for index in 0..<50 { #expect(try client.answer().text == "GET \(index) ") }
    }
  }

  @Test func `closes when it is asked to, and behind 1.0`() throws {
    try withServer { port in
      for request in ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let client = try Client(port: port)
        client.send(request)
        #expect(try client.answer().fields["connection"] == "close")
        #expect(client.rest().isEmpty)
      }
    }
  }

  @Test func `reads requests that come byte by byte`() throws {
    try withServer { port in
      let client = try Client(port: port)
      let request =
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nt: v\r\n\r\n"
      for byte in request.utf8 { client.send([byte]) }
      #expect(try client.answer().text == "POST x abc")
    }
  }

  @Test func `answers a client that has finished sending`() throws {
    try withServer { port in
      let client = try Client(port: port)
      client.send("GET /half HTTP/1.1\r\nHost: a\r\n\r\n")
      client.finishSending()
      #expect(try client.answer().text == "GET half ")
      #expect(client.rest().isEmpty)
    }
  }

  @Test func `takes and gives large bodies`() throws {
    try withServer { port in
      let client = try Client(port: port)
      let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
      client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
      client.send(body)
      #expect(try client.answer().body == Array("PUT  ".utf8) + body)
    }
  }

  @Test func `tells a waiting client to go on`() throws {
    try withServer { port in
      let client = try Client(port: port)
      client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      #expect(try client.answer().status == 100)
      client.send("ok")
      #expect(try client.answer().text == "PUT  ok")
    }
  }

  @Test func `refuses a body over the limit before it comes`() throws {
    try withServer({ $0.requestLimits.bodyBytesMax = 10 }) { port in
      let client = try Client(port: port)
      client.send("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
      let answer = try client.answer()
      #expect(answer.status == 413)
      #expect(answer.text.contains("the limit body_bytes_max, which is 10"))
      #expect(client.rest().isEmpty)
    }
  }

  @Test func `closes behind a request that it refuses`() throws {
    try withServer { port in
      let client = try Client(port: port)
      client.send(
        "GET /ok HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost : a\r\n\r\n"
          + "GET /never HTTP/1.1\r\nHost: a\r\n\r\n"
      )
      #expect(try client.answer().text == "GET ok ")
      let refusal = try client.answer()
      #expect(refusal.status == 400)
      #expect(refusal.fields["content-type"] == "application/problem+json")
      #expect(refusal.text.contains("RFC 9112, section 5.1"))
      #expect(client.rest().isEmpty)
    }
  }

  @Test func `answers HEAD without a body`() throws {
    try withServer { port in
      let client = try Client(port: port)
      client.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\nGET /g HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer(toHead: true).fields["content-length"] == "7")
      #expect(try client.answer().text == "GET g ")
    }
  }

  @Test func `turns what a handler throws into an answer`() throws {
    let handler: Handler = { request in
      if request.segments == ["problem"] { throw Problem(status: 409, detail: "wrong state") }
      if request.segments == ["gone"] {
        return Response(body: .file(path: "/nowhere/x", offset: 0, count: 5))
      }
      throw ConnectionEnded()
    }
    try withServer(handler: handler) { port in
      let client = try Client(port: port)
      for (path, status) in [("problem", 409), ("gone", 500), ("other", 500)] {
        client.send("GET /\(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == status)
      }
    }
  }

  @Test func `gives up a client that is too slow with its header or body`() throws {
    try withServer({
      $0.timeouts.headerSeconds = 0.05
      $0.timeouts.bodySeconds = 0.05
    }) { port in
      for start in ["GET / HT", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"] {
        let client = try Client(port: port)
        client.send(start)
        let answer = try client.answer()
        #expect(answer.status == 408)
        #expect(answer.text.contains(start.hasPrefix("GET") ? "header" : "body"))
        #expect(client.rest().isEmpty)
      }
    }
  }

  @Test func `closes a connection that idles`() throws {
    try withServer({ $0.timeouts.idleSeconds = 0.05 }) { port in
      #expect(try Client(port: port).rest().isEmpty)
      let client = try Client(port: port)
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer().status == 200)
      #expect(client.rest().isEmpty)
    }
  }

  @Test func `names the limit to a connection too many and lets others in again`() throws {
    try withServer({ $0.connectionsMax = 2 }) { port in
      let first = try Client(port: port)
      var second: Client? = try Client(port: port)
      for client in [first, second].compactMap(\.self) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 200)
      }
      let refusal = try Client(port: port).answer()
      #expect(refusal.status == 503)
      #expect(refusal.text.contains("connections_max, which is 2"))
      #expect(refusal.fields["retry-after"] == "1")
      second = nil
      var status = 0
      for _ in 0..<1_000 where status != 200 {
        let third = try Client(port: port)
        third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        status = (try? third.answer().status) ?? 0
      }
      #expect(status == 200)
    }
  }

  @Test func `closes the connection that is idle longest where the descriptors are used up`() throws {
    try withServer({ $0.connectionsRoom = 2 }) { port in
      let (first, second) = (try Client(port: port), try Client(port: port))
      for client in [first, second] {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().status == 200)
      }
      let third = try Client(port: port)
      third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try third.answer().status == 200)
      #expect(first.rest().isEmpty, "it was closed")
      second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try second.answer().status == 200)
    }
  }

  @Test func `refuses a connection where the descriptors are used up and none is idle`() throws {
    let (started, release) = (Inbox<Void>(), Inbox<Void>())
    var configuration = ServerConfiguration()
    configuration.connectionsRoom = 1
    let server = HTTPServer(configuration) { _ in
      started.send(())
      _ = release.receive(timeoutMilliseconds: Patience.milliseconds)
      return Response(contentType: "text/plain", bytes: Array("done".utf8))
    }
    let port = try server.start()
    defer { server.stop(graceSeconds: Double(Patience.seconds)) }
    let client = try Client(port: port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(!started.receive(timeoutMilliseconds: Patience.milliseconds).isEmpty)
    let refusal = try Client(port: port).answer()
    #expect(refusal.status == 503 && refusal.fields["retry-after"] == "1")
    #expect(refusal.text.contains("descriptors for at most 1 connections"))
    release.send(())
    #expect(try client.answer().text == "done")
  }

  @Test func `lets running answers finish when it stops, and takes no new ones`() throws {
    let (started, release) = (Inbox<Void>(), Inbox<Void>())
    var configuration = ServerConfiguration()
    configuration.timeouts.lingerSeconds = 0.05
    let server = HTTPServer(configuration) { _ in
      started.send(())
      _ = release.receive(timeoutMilliseconds: Patience.milliseconds)
      return Response(contentType: "text/plain", bytes: Array("done".utf8))
    }
    let port = try server.start()
    let (idle, client) = (try Client(port: port), try Client(port: port))
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /more HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(started.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    let stopped = Inbox<Void>()
    let stopper = try Thread(name: "stopper") {
      server.stop(graceSeconds: Double(Patience.seconds))
      stopped.send(())
    }
    #expect(idle.rest().isEmpty)
    release.send(())
    let answer = try client.answer()
    #expect(answer.text == "done")
    #expect(answer.fields["connection"] == "close")
    #expect(client.rest().isEmpty)
    #expect(stopped.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    stopper.join()
    #expect(throws: SystemError.self) { try Client(port: port) }
  }

  @Test func `refuses an address that is taken or none`() throws {
    try withServer { port in
      var configuration = ServerConfiguration()
      configuration.port = port
      #expect(throws: SystemError.self) { try HTTPServer(configuration, handler: echo).start() }
      configuration.host = "example"
      #expect(throws: SystemError.self) { try HTTPServer(configuration, handler: echo).start() }
    }
  }

  @Test func `tells the access log what went out`() throws {
    let records = Inbox<AccessRecord>()
    try withServer({ $0.accessLog = { records.send($0) } }) { port in
      let client = try Client(port: port)
      client.send("GET /a?token=secret HTTP/1.1\r\nHost: a\r\n\r\nBAD\r\n\r\n")
      #expect(try client.answer().status == 200)
      #expect(try client.answer().status == 400)
      #expect(client.rest().isEmpty)
    }
    let lines = records.receive(timeoutMilliseconds: Patience.milliseconds)
    #expect(lines.map(\.status) == [200, 400])
    #expect(lines.map(\.path) == ["/a", ""])
    #expect(lines.map(\.method) == [.get, nil])
    #expect(lines.allSatisfy { $0.isComplete && $0.bytes > 100 && $0.peer == "127.0.0.1" })
  }
}
