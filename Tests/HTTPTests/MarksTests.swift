import HTTP
import Support
import Testing
import Text

/// Issue 14: no text of a request costs more than its bytes.
@Suite struct `Combining marks in a request` {
  private func head(_ request: String) throws -> RequestHead {
    var parser = RequestParser()
    parser.append(Array(request.utf8)[...])
    while let event = try parser.next() {
      if case .head(let head) = event { return head }
    }
    throw RequestError.requestLineMalformed
  }

  @Test(arguments: [
    "Connection", "Cookie", "Authorization", "Range", "If-Range", "If-Match", "If-None-Match",
    "If-Modified-Since", "If-Unmodified-Since", "Accept", "Accept-Encoding", "Prefer", "Origin",
    "Content-Type", "Idempotency-Key", "X-Request-Id", "Last-Event-ID", "Expect", "Transfer-Encoding",
    "Content-Length", "Host", "Sec-Fetch-Site", "Access-Control-Request-Method",
  ])
  func `cost as much as letters in every header field`(name: String) {
    let isCheap = Marks.costNoMore(bytes: 15_600) { text in
      for value in [text, "a, \(text)", "\"\(text)\", W/\"\(text)\"", "bytes=\(text)-", "\(text)=\(text)"] {
        // Some are refused; all that matters is what that costs.
        guard let head = try? head("GET / HTTP/1.1\r\nHost: a\r\n\(name): \(value.prefix(7_800))\r\n\r\n")
        else { continue }
        var response = Response(contentType: "text/plain", bytes: [0x61])
        response.headers.add("ETag", "\"a\"")
        response.headers.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        response.headers.add("Accept-Ranges", "bytes")
        _ = response.conditioned(by: head.request(body: []))
      }
    }
    #expect(isCheap)
  }

  @Test func `cost as much as letters in many options of one field`() {
    let isCheap = Marks.costNoMore(bytes: 8) { text in
      let list = [String](repeating: text, count: 1_000).joined(separator: ",")
      _ = try? head("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(list)\r\nRange: bytes=\(list)\r\n\r\n")
    }
    #expect(isCheap)
  }

  @Test func `cost as much as letters in path and query`() {
    var router = Router()
    router.on(.get, "/jobs/{id}/x") { _ in Response(status: 204) }
    let isCheap = Marks.costNoMore(bytes: 2_400) { text in
      let encoded = text.utf8.map { "%\($0 < 16 ? "0" : "")\(String($0, radix: 16))" }.joined()
      for target in ["/\(encoded)", "/jobs/\(encoded)/x", "/?\(encoded)=1", "/?a=\(encoded)"] {
        guard let head = try? head("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n") else { continue }
        let request = head.request(body: [])
        _ = router.respond(to: request)
        _ = request.queryValue("label")
      }
    }
    #expect(isCheap)
  }

  @Test(arguments: ["close\t", "\tclose", " \t close \t ", "keep-alive\t,\tclose\t"])
  func `white space around a value is spaces and tabs`(value: String) throws {
    let head = try head("GET / HTTP/1.1\r\nHost:\t a \t\r\nConnection:\(value)\r\nX:\ta b\t\r\n\r\n")
    #expect(!head.keepsAlive)
    #expect(head.headers["Host"] == "a")
    #expect(head.headers["X"] == "a b")
  }

  @Test func `segments and parameters of other bytes are others`() throws {
    let composed = try head("GET /caf%C3%A9?caf%C3%A9=1 HTTP/1.1\r\nHost: a\r\n\r\n").target
    let decomposed = try head("GET /cafe%CC%81?cafe%CC%81=1 HTTP/1.1\r\nHost: a\r\n\r\n").target
    #expect(composed.segments != decomposed.segments)
    #expect(composed.query[0].name != decomposed.query[0].name)
    #expect(composed.segments[0].string == decomposed.segments[0].string)
  }

  @Test func `a repeated name is cut and shown`() throws {
    let name = String(repeating: "x", count: 5_000)
    let error = #expect(throws: RequestError.self) {
      try head("GET / HTTP/1.1\r\nHost: a\r\n\(name): \u{01}\r\n\r\n")
    }
    #expect(error.map { $0.detail.utf8.count < 300 } == true)
  }
}
