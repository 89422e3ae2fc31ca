import HTTP
import Platform
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct `Every answer` {
  /// A request, and the status that refuses it.
  private static let refusals: [(String, Int)] = [
    ("GET / HTTP/1.1\r\nBad\r\n\r\n", 400), ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 421),
    ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\n", 414),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 20_000))\r\n\r\n", 431),
    ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
    ("GET / HTTP/1.1\r\nHost: a\r\nIf-Match: \"other\"\r\n\r\n", 412),
    ("GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=900-\r\n\r\n", 416),
    ("GET /missing HTTP/1.1\r\nHost: a\r\n\r\n", 404), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", 500),
  ]

  private let handler: Handler = { request in
    if request.segments == ["missing"] { throw Problem(status: 404) }
    if request.segments == ["fail"] { throw ConnectionEnded() }
    var response = Response(contentType: "text/plain", bytes: [65])
    response.headers.add("ETag", EntityTag("1").text)
    response.headers.add("Accept-Ranges", "bytes")
    response.headers.add("Referrer-Policy", "same-origin")
    return response
  }

  private func expectSecurityFields(_ answer: RawAnswer) {
    #expect(answer.fields["x-content-type-options"] == "nosniff")
    #expect(answer.fields["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
    #expect(answer.fields["x-frame-options"] == "DENY")
    #expect(answer.fields["cross-origin-resource-policy"] == "same-origin")
    #expect(answer.fields["strict-transport-security"] == nil)
  }

  @Test func `has the security fields, and a refusal is not stored`() throws {
    try withServer(handler: handler) { port in
      for (request, status) in Self.refusals {
        let client = try Client(port: port)
        client.send(request)
        let answer = try client.answer()
        #expect(answer.status == status)
        #expect(answer.fields["cache-control"] == "no-store")
        expectSecurityFields(answer)
      }
      let client = try Client(port: port)
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      let answer = try client.answer()
      expectSecurityFields(answer)
      #expect(answer.fields["cache-control"] == nil)
      #expect(answer.fields["referrer-policy"] == "same-origin")
    }
    try withServer({ $0.connectionsMax = 0 }) { port in
      let refusal = try Client(port: port).answer()
      #expect(refusal.status == 503)
      expectSecurityFields(refusal)
    }
  }

  @Test func `has the fields of its kind, and over TLS those of TLS`() {
    func fields(_ type: String, status: Int = 200, isSecure: Bool = true, hstsSeconds: Int = 60) -> Headers {
      var headers = Headers()
      headers.add("Content-Type", type)
      SecurityFields(isSecure: isSecure, hstsSeconds: hstsSeconds).add(to: &headers, status: status)
      return headers
    }
    let page = fields("text/html; charset=utf-8")
    let policy = page["Content-Security-Policy"]?.string ?? ""
    #expect(policy.contains("script-src 'self'") && !policy.contains("unsafe"))
    #expect(page["Cross-Origin-Opener-Policy"] == "same-origin")
    #expect(page["Strict-Transport-Security"] == "max-age=60")
    #expect(fields("application/json")["Cross-Origin-Opener-Policy"] == nil)
    // A policy in it would replace the one of the page that the browser has.
    let notModified = fields("text/html", status: 304)
    #expect(notModified["Content-Security-Policy"] == nil)
    #expect(notModified["X-Content-Type-Options"] == "nosniff")
    #expect(fields("application/json", isSecure: false)["Strict-Transport-Security"] == nil)
    #expect(fields("application/json", hstsSeconds: 0)["Strict-Transport-Security"] == nil)
  }

  @Test func `opens a file once, whatever ranges of it are sent`() throws {
    let path = "\(FileSystem.temporaryDirectory)/ranges-\(UInt64.random(in: .min ... .max))"
    try AtomicFile.write([UInt8](repeating: 7, count: 100), to: path)
    defer { try? FileSystem.remove(path) }
    let pieces = (0..<16).map { Response.Piece.file(path: path, offset: 2 * $0, count: 1) }
    var parser = RequestParser()
    parser.append(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...])
    guard case .head(let head) = try parser.next() else { Issue.record("no head"); return }
    let answer = try AnswerWriter(ServerConfiguration()).answer(
      Response(status: 206, body: .pieces(pieces)), head, RequestLabel())
    var files: [File] = []
    for case .file(let file, _, _) in answer.segments { files.append(file) }
    #expect(files.count == 16)
    #expect(files.allSatisfy { $0 === files.first })
  }

  @Test func `that lasts ends when its client may no longer have it`() throws {
    let may = Atomic<Bool>(true)
    let stream = ScriptedStream([.bytes([65])], repeated: .idle(milliseconds: 5))
    let handler: Handler = { _ in
      var response = Response(body: .stream(stream))
      response.mayContinue = { may.load(ordering: .relaxed) }
      return response
    }
    try withServer(handler: handler) { port in
      let client = try Client(port: port)
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try client.take(through: Array("A\r\n".utf8))
      may.store(false, ordering: .relaxed)
      // Cut off: the chunk that would end it does not come.
      #expect(client.rest().isEmpty)
      #expect(stream.isClosedOnce())
    }
  }
}

@Suite struct `Compressed forms` {
  @Test func `are made once, and not kept where they cannot be made or are useless`() {
    let form = CompressedForm()
    #expect(form.bytes(plainBytes: 9) { nil } == nil)
    #expect(!form.isKnown)
    #expect(throws: ConnectionEnded.self) {
      try form.bytes(plainBytes: 9) { () throws(ConnectionEnded) in throw ConnectionEnded() }
    }
    var count = 0
    for _ in 0..<3 {
      let bytes = form.bytes(plainBytes: 9) {
        count += 1
        return [1, 2]
      }
      #expect(bytes == [1, 2])
    }
    #expect(count == 1 && form.isAtHand)
    let useless = CompressedForm()
    #expect(useless.bytes(plainBytes: 2) { [1, 2] } == nil)
    #expect(useless.isKnown && !useless.isAtHand)
  }
}
