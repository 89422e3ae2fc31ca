import HTTP
import Support
import Testing

/// A request as the tests compare it.
struct ReadRequest: Equatable {
  var head: String
  var body: [UInt8]
}

/// Everything that a parser makes of pieces, or the first error.
func parse(_ pieces: [[UInt8]], limits: RequestLimits = RequestLimits()) -> Result<
  [ReadRequest], RequestError
> {
  var parser = RequestParser(limits: limits)
  var requests: [ReadRequest] = []
  var isComplete = true
  do {
    for piece in pieces {
      parser.append(piece[...])
      while let event = try parser.next() {
        switch event {
        case .head(let head):
          isComplete = false
          requests.append(ReadRequest(head: "\(head)", body: []))
        case .body(let bytes): requests[requests.count - 1].body += bytes
        case .end: isComplete = true
        }
      }
    }
  } catch {
    return .failure(error)
  }
  if !isComplete { requests.removeLast() }
  return .success(requests)
}

func parse(_ text: String, limits: RequestLimits = RequestLimits()) -> Result<[ReadRequest], RequestError> {
  parse([Array(text.utf8)], limits: limits)
}

/// The first head of a text.
func head(_ text: String) throws -> RequestHead {
  var parser = RequestParser()
  parser.append(Array(text.utf8)[...])
  guard case .head(let head) = try parser.next() else { throw RequestError.requestLineMalformed }
  return head
}

@Suite struct `Request parser` {
  static let conversations = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /jobs/ab%2Fc?state=running&q=a+b HTTP/1.1\r\nhost:localhost:8080\r\nAccept: */* \r\n\r\n",
    "POST /jobs HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      + "5;x=\"y\"\r\nhello\r\n006\r\n world\r\n0\r\nDigest: 1\r\n\r\n"
      + "GET http://b:80/x HTTP/1.1\r\nHost: a\r\n\r\n",
  ]

  @Test(arguments: conversations)
  func `reads the same whole, byte by byte and cut at every place`(text: String) throws {
    let bytes = Array(text.utf8)
    let whole = try parse([bytes]).get()
    #expect(!whole.isEmpty)
    #expect(try parse(bytes.map { [$0] }).get() == whole)
    for cut in 0...bytes.count {
      #expect(try parse([Array(bytes[..<cut]), Array(bytes[cut...])]).get() == whole)
    }
  }

  @Test(arguments: Refusal.table)
  func `refuses`(refusal: Refusal) {
    let bytes = Array(refusal.text.utf8)
    #expect(parse([bytes]) == .failure(refusal.error))
    #expect(parse(bytes.map { [$0] }) == .failure(refusal.error))
  }

  @Test func `reads pipelined requests in order with their bodies`() throws {
    let requests = try parse(`Request parser`.conversations.joined()).get()
    #expect(
      requests.map { String(decoding: $0.body, as: UTF8.self) } == ["", "", "hello", "", "hello world", ""])
  }

  @Test func `takes a target apart and decodes it once`() throws {
    let target = try head("GET /a%2Fb/%25%32%46/?k=%26+1&flag&=v HTTP/1.1\r\nHost: a\r\n\r\n").target
    #expect(target.segments == ["a/b", "%2F", ""])
    #expect(target.query.map(\.name) == ["k", "flag", ""])
    #expect(target.query.map(\.value) == ["& 1", "", "v"])
  }

  @Test func `reads every form of target`() throws {
    #expect(try head("GET / HTTP/1.1\r\nHost: a\r\n\r\n").target.segments == [])
    #expect(try head("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").target.segments == ["*"])
    let absolute = try head("GET HTTP://h:1?q HTTP/1.1\r\nHost: a\r\n\r\n").target
    #expect(absolute.authority == "h:1")
    #expect(absolute.query.map(\.name) == ["q"])
  }

  @Test(arguments: [
    ("1.1", "", true), ("1.1", "Connection: close\r\n", false),
    ("1.1", "Connection: x\r\nConnection: Close\r\n", false),
    ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true), ("1.7", "", true),
  ])
  func `knows whether the connection goes on`(version: String, field: String, keepsAlive: Bool) throws {
    #expect(try head("GET / HTTP/\(version)\r\nHost: a\r\n\(field)\r\n").keepsAlive == keepsAlive)
  }

  @Test func `expects a continue only where a body follows`() throws {
    let expect = "Host: a\r\nExpect: 100-Continue\r\n"
    #expect(try head("PUT / HTTP/1.1\r\n\(expect)Content-Length: 1\r\n\r\n").expectsContinue)
    #expect(try !head("PUT / HTTP/1.1\r\n\(expect)\r\n").expectsContinue)
    #expect(try !head("PUT / HTTP/1.0\r\n\(expect)Content-Length: 1\r\n\r\n").expectsContinue)
  }

  @Test func `holds each limit exactly and names it`() {
    var limits = RequestLimits()
    limits.requestLineBytesMax = 20
    limits.headerBytesMax = 40
    limits.headerCountMax = 3
    limits.bodyBytesMax = 8
    limits.chunkLineBytesMax = 10
    limits.chunkOverheadBytesMax = 28
    func outcome(_ text: String) -> RequestError? {
      let bytes = Array(text.utf8)
      let whole = parse([bytes], limits: limits)
      #expect(parse(bytes.map { [$0] }, limits: limits) == whole)
      if case .failure(let error) = whole { return error }
      return nil
    }
    let chunked = "PUT / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n"
    #expect(outcome("GET /123456 HTTP/1.1\r\nHost:a\r\n\r\n") == .overLimit(.requestLineBytes, allowed: 20))
    #expect(outcome("GET /1234 HTTP/1.1\r\nHost:a\r\n\r\n") == nil)
    #expect(outcome("GET / HTTP/1.1\r\nHost:a\r\na:123456789012345678901234\r\n\r\n") == nil)
    #expect(
      outcome("GET / HTTP/1.1\r\nHost:a\r\na:12345678901234567890123456789\r\n\r\n")
        == .overLimit(.headerBytes, allowed: 40))
    #expect(outcome("GET / HTTP/1.1\r\nHost:a\r\na:\r\nb:\r\n\r\n") == nil)
    #expect(
      outcome("GET / HTTP/1.1\r\nHost:a\r\na:\r\nb:\r\nc:\r\n\r\n") == .overLimit(.headerCount, allowed: 3))
    #expect(outcome("PUT / HTTP/1.1\r\nHost:a\r\nContent-Length:8\r\n\r\n12345678") == nil)
    #expect(
      outcome("PUT / HTTP/1.1\r\nHost:a\r\nContent-Length:9\r\n\r\n") == .overLimit(.bodyBytes, allowed: 8))
    #expect(outcome(chunked + "8\r\n12345678\r\n0\r\n\r\n") == nil)
    #expect(outcome(chunked + "4\r\n1234\r\n5\r\n") == .overLimit(.bodyBytes, allowed: 8))
    #expect(outcome(chunked + "ffffffffff\r\n") == .overLimit(.chunkLineBytes, allowed: 10))
    #expect(outcome(chunked + "ffffffff\r\n") == .overLimit(.bodyBytes, allowed: 8))
    #expect(
      outcome(chunked + "1;345678\r\na\r\n1;345678\r\na\r\n1\r\n")
        == .overLimit(.chunkOverheadBytes, allowed: 28))
  }

  @Test func `a length of any number of digits is a number`() {
    let digits = String(repeating: "9", count: 40)
    #expect(
      parse("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(digits)\r\n\r\n")
        == .failure(.overLimit(.bodyBytes, allowed: RequestLimits().bodyBytesMax)))
    #expect((try? parse("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0001\r\n\r\nx").get())?.count == 1)
  }

  @Test func `survives seeded noise in every place of a request`() {
    var random = Dice(seed: 7)
    let original = Array(`Request parser`.conversations[3].utf8)
    for _ in 0..<2_000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let cut = Int.random(in: bytes.indices, using: &random)
      #expect(parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == parse([bytes]))
    }
  }
}
