import HTTP
import HTTPServer
import Platform
import Support
import Synchronization
import Testing

/// Takes content into memory and counts who lets go of it.
private final class MemorySink: BodySink {
  let pieces = Mutex<[[UInt8]]>([])
  private let gone: Inbox<Void>
  private let roomBytes: Int

  init(gone: Inbox<Void>, roomBytes: Int) {
    self.gone = gone
    self.roomBytes = roomBytes
  }

  deinit { gone.send(()) }

  func write(_ bytes: [UInt8]) throws {
    try pieces.withLock { pieces in
      guard pieces.reduce(bytes.count, { $0 + $1.count }) <= roomBytes else {
        throw Problem(status: 507, detail: "There is no room.")
      }
      pieces.append(bytes)
    }
  }
}

/// Content that goes to a sink as it comes, over real connections.
@Suite struct `Spooled bodies` {
  /// A limit far above that of bodies in memory, which these tests set to 1,000 bytes.
  private static let limit = BodyLimit(name: "upload_bytes_max", bytesMax: 3_000_000, isSpooled: true)
  private let gone = Inbox<Void>()

  private func withSpooling(
    roomBytes: Int = .max, bodySeconds: Double = 20, _ body: (Int) throws -> Void
  ) throws {
    var configuration = ServerConfiguration()
    configuration.requestLimits.bodyBytesMax = 1_000
    configuration.timeouts.bodySeconds = bodySeconds
    let gone = gone
    let server = HTTPServer(
      configuration, admission: { $0.segments == ["no"] ? Problem(status: 401) : nil },
      sink: { request in
        if request.segments == ["taken"] { throw Problem(status: 409) }
        return MemorySink(gone: gone, roomBytes: roomBytes)
      }, limits: { _ in RouteLimits(body: Self.limit) }
    ) { request in
      let sink = request.sink as? MemorySink
      let pieces = sink?.pieces.withLock { $0 } ?? []
      let sum = pieces.reduce(into: 0) { sum, piece in for byte in piece { sum = (sum &* 31 &+ Int(byte)) } }
      let text = "\(pieces.reduce(0) { $0 + $1.count }) \(sum) \(pieces.map(\.count).max() ?? 0 <= 512 << 10)"
      return Response(contentType: "text/plain", bytes: Array(text.utf8))
    }
    let port = try server.start()
    defer { server.stop(graceSeconds: 2) }
    try body(port)
  }

  private func content(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

  private func expected(_ bytes: [UInt8]) -> String {
    "\(bytes.count) \(bytes.reduce(0) { $0 &* 31 &+ Int($1) }) true"
  }

  @Test(arguments: [1, 1_001, 300_000, 2_999_999])
  func `hands all bytes to the sink in order and in bounded pieces`(count: Int) throws {
    try withSpooling { port in
      let client = try Client(port: port)
      let bytes = content(count)
      for _ in 0..<2 {
        client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
        client.send(bytes)
        #expect(try client.answer().text == expected(bytes))
      }
    }
  }

  @Test func `takes chunks, from a client that drips them`() throws {
    try withSpooling { port in
      let client = try Client(port: port)
      client.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      let bytes = content(5_000)
      for start in stride(from: 0, to: bytes.count, by: 500) {
        client.send("1f4\r\n")
        client.send(Array(bytes[start..<(start + 500)]))
        client.send("\r\n")
      }
      client.send("0\r\n\r\n")
      #expect(try client.answer().text == expected(bytes))
    }
  }

  @Test func `sends 100 Continue when the sink is there, and not before a refusal`() throws {
    try withSpooling { port in
      for (path, status) in [("no", 401), ("taken", 409)] {
        let client = try Client(port: port)
        client.send("PUT /\(path) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        #expect(try client.answer().status == status)
      }
      let client = try Client(port: port)
      client.send("PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
      #expect(try client.answer().status == 100)
      client.send("123456789")
      #expect(try client.answer().text == expected(Array("123456789".utf8)))
    }
  }

  @Test func `refuses what is over the limit of the route by its head, or where chunks go over it`() throws {
    try withSpooling { port in
      let client = try Client(port: port)
      client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000001\r\n\r\n")
      let answer = try client.answer()
      #expect(answer.status == 413)
      #expect(answer.text.contains("upload_bytes_max"))
      #expect(gone.takeAll().isEmpty)
      let second = try Client(port: port)
      second.send("PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2dc6c1\r\n")
      second.send(content(3_000_001))
      #expect(try second.answer().status == 413)
      #expect(gone.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    }
  }

  @Test func `passes a sink's refusal on`() throws {
    try withSpooling(roomBytes: 400_000) { port in
      let client = try Client(port: port)
      client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
      client.send(content(900_000))
      #expect(try client.answer().status == 507)
      #expect(gone.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    }
  }

  @Test func `lets go of the sink of a client that leaves or stops sending`() throws {
    try withSpooling(bodySeconds: 0.3) { port in
      let leaving = try Client(port: port)
      leaving.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
      leaving.send(content(400_000))
      leaving.finishSending()
      #expect(gone.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
      let silent = try Client(port: port)
      silent.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\nabc")
      #expect(try silent.answer().status == 408)
      #expect(gone.receive(timeoutMilliseconds: Patience.milliseconds).count == 1)
    }
  }
}
