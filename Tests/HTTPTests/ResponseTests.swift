import HTTP
import Testing

@Suite struct `Response head` {
  final class Endless: BodyStream {
    func next() -> BodyStep { .end }
    func close() {}
  }

  private func head(
    _ response: Response, method: Method = .get, minorVersion: Int = 1, keepsAlive: Bool = true
  ) -> (lines: [String], framing: ResponseSerializer.Framing, keepsAlive: Bool) {
    let serializer = ResponseSerializer(
      response, method: method, minorVersion: minorVersion, keepsAlive: keepsAlive, date: "D")
    let text = String(decoding: serializer.head, as: UTF8.self)
    #expect(text.hasSuffix("\r\n\r\n"))
    let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init).dropLast(2)
    return (Array(lines), serializer.framing, serializer.keepsAlive)
  }

  @Test func `tells the length of a body`() {
    let answer = head(Response(contentType: "text/plain", bytes: [1, 2, 3]))
    #expect(answer.lines == ["HTTP/1.1 200 OK", "Date: D", "Content-Type: text/plain", "Content-Length: 3"])
    #expect(answer.framing == .length(3))
  }

  @Test func `has no body for HEAD but the same length`() {
    let answer = head(Response(contentType: "text/plain", bytes: [1, 2, 3]), method: .head)
    #expect(answer.lines.last == "Content-Length: 3")
    #expect(answer.framing == .none)
  }

  @Test(arguments: [204, 304])
  func `has neither body nor length where the status forbids them`(status: Int) {
    let answer = head(Response(status: status, body: .bytes([1])))
    #expect(answer.lines.count == 2)
    #expect(answer.framing == .none)
  }

  @Test func `chunks a stream, or closes behind it for a client of 1.0`() {
    let stream = Response(body: .stream(Endless()))
    #expect(head(stream).lines.last == "Transfer-Encoding: chunked")
    #expect(head(stream).framing == .chunked)
    let old = head(stream, minorVersion: 0)
    #expect(old.lines.last == "Connection: close")
    #expect(old.framing == .untilClose)
    #expect(!old.keepsAlive)
    #expect(head(stream, method: .head).framing == .none)
  }

  @Test func `says whether the connection goes on`() {
    #expect(head(Response(status: 204), keepsAlive: false).lines.last == "Connection: close")
    #expect(head(Response(status: 204), minorVersion: 0).lines.last == "Connection: keep-alive")
  }

  @Test func `lets no text from outside split it`() {
    var response = Response(status: 204)
    response.headers.add("Location", "/a\r\nSet-Cookie: b\u{0}")
    response.headers.add("Content-Length", "7")
    response.headers.add("connection", "close")
    #expect(head(response).lines == ["HTTP/1.1 204 No Content", "Date: D", "Location: /a  Set-Cookie: b "])
  }

  @Test func `writes problems that JSON readers understand`() {
    let problem = Problem(
      status: 422, detail: "a \"b\"\n\u{1}\\", errors: [("/spec/lr", "must be > 0, is -1"), ("", "x")])
    #expect(
      problem.jsonText
        == #"{"type":"about:blank","title":"Unprocessable Content","status":422,"#
        + #""detail":"a \"b\"\n\u0001\\","#
        + #""errors":[{"pointer":"/spec/lr","message":"must be > 0, is -1"},{"pointer":"","message":"x"}]}"#
        + "\n")
    #expect(problem.response.headers["content-TYPE"] == "application/problem+json")
  }

  @Test(arguments: [
    (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (1_795_487_341, "Tue, 24 Nov 2026 02:29:01 GMT"),
  ])
  func `writes dates`(seconds: Int, expected: String) {
    #expect(imfFixdate(unixSeconds: seconds) == expected)
  }
}
