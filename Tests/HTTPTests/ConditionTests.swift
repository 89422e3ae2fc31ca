import HTTP
import Testing
import Text

@Suite struct `Times of files in header fields` {
  @Test(arguments: [
    (-2_177_452_800, "Tue, 01 Jan 1901 00:00:00 GMT"), (10_413_792_000, "Mon, 01 Jan 2300 00:00:00 GMT"),
    (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
    (.min, "Sat, 01 Jan 0000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func `any time has a date, the nearest that can be written`(seconds: Int, text: String) {
    #expect(imfFixdate(unixSeconds: seconds) == text)
  }

  @Test func `a time that Last-Modified cannot carry is left out`() {
    #expect(lastModified(unixSeconds: 100, nowUnixSeconds: 100) == imfFixdate(unixSeconds: 100))
    #expect(lastModified(unixSeconds: 101, nowUnixSeconds: 100) == nil)
    #expect(lastModified(unixSeconds: .max, nowUnixSeconds: .max) == nil)
    #expect(lastModified(unixSeconds: .min, nowUnixSeconds: 100) == nil)
  }
}

@Suite struct `Conditions and ranges` {
  private func answer(
    _ fields: [(String, String)], method: Method = .get, tag: String = "\"v1\""
  ) -> Response {
    var response = Response(contentType: "text/plain", bytes: Array("0123456789".utf8))
    response.headers.add("ETag", tag)
    response.headers.add("Accept-Ranges", "bytes")
    response.headers.add("Cache-Control", "no-cache")
    var request = Request(method: method, segments: [])
    for (name, value) in fields { request.headers.add(ByteString(name), value) }
    return response.conditioned(by: request)
  }

  @Test(arguments: [
    ("If-None-Match", "\"v1\"", 304), ("If-None-Match", "\"a,\\\", W/\"v1\"", 304),
    ("If-None-Match", "*", 304),
    ("If-None-Match", "\"v2\"", 200), ("If-None-Match", "v1", 200), ("If-None-Match", "\"v1", 200),
    ("If-Match", "\"v1\"", 200), ("If-Match", "*", 200), ("If-Match", "W/\"v1\"", 412),
    ("If-Match", "\"v2\"", 412),
  ])
  func `compare entity tags`(name: String, value: String, status: Int) {
    #expect(answer([(name, value)]).status == status)
    #expect(answer([(name, value)], method: .head).status == status)
    #expect(answer([(name, value)], method: .post).status == 200)
  }

  private func gzipped(_ fields: (String, String)...) -> Response {
    var response = Response(contentType: "text/plain", bytes: Array("0123456789".utf8))
    response.headers.add("ETag", "\"v1\"")
    response.headers.add("Accept-Ranges", "bytes")
    var request = Request(method: .get, segments: [])
    for (name, value) in fields { request.headers.add(ByteString(name), value) }
    return response.conditioned(by: request, mayBeGzipped: true)
  }

  @Test(arguments: [
    ("\"v1+gzip\"", "\"v1+gzip\""), ("W/\"v1+gzip\"", "\"v1+gzip\""), ("\"v1\"", "\"v1\""),
    ("\"v1\", \"v1+gzip\"", "\"v1+gzip\""), ("\"x\", \"v1\"", "\"v1\""), ("*", "\"v1\""), ("\"v1+br\"", nil),
  ])
  func `a client is told which form of the version it has`(condition: String, tag: String?) {
    let response = gzipped(("If-None-Match", condition))
    #expect(response.status == (tag == nil ? 200 : 304))
    #expect(response.headers["ETag"]?.string == tag ?? "\"v1\"")
    // Without gzip, the gzipped form is not what the client can have.
    #expect(answer([("If-None-Match", "\"v1+gzip\"")]).status == 200)
  }

  @Test func `a gzipped form has no part in ranges`() {
    #expect(gzipped(("Range", "bytes=0-1"), ("If-Range", "\"v1\"")).status == 206)
    #expect(gzipped(("Range", "bytes=0-1"), ("If-Range", "\"v1+gzip\"")).status == 200)
    #expect(gzipped(("Range", "bytes=0-1"), ("If-Match", "\"v1+gzip\"")).status == 206)
  }

  @Test func `not modified keeps what a cache needs and drops the content`() {
    let response = answer([("If-None-Match", "\"v1\"")])
    #expect(response.headers["ETag"] == "\"v1\"")
    #expect(response.headers["Cache-Control"] == "no-cache")
    #expect(response.headers["Content-Type"] == nil)
    #expect(response.body.count == 0)
  }

  @Test(arguments: [
    ("bytes=0-0", "0", "bytes 0-0/10"), ("bytes=2-4", "234", "bytes 2-4/10"),
    ("bytes=8-", "89", "bytes 8-9/10"),
    ("bytes=-3", "789", "bytes 7-9/10"), ("bytes=-99", "0123456789", "bytes 0-9/10"),
    ("BYTES=9-99999999999999999999", "9", "bytes 9-9/10"), ("bytes=7-8,", "78", "bytes 7-8/10"),
    ("bytes=10-,3-3", "3", "bytes 3-3/10"),
  ])
  func `cut one range`(range: String, content: String, contentRange: String) {
    let response = answer([("Range", range)])
    #expect(response.status == 206)
    #expect(text(response) == content)
    #expect(response.headers["Content-Range"]?.string == contentRange)
    #expect(answer([("Range", range)], method: .head).status == 200)
  }

  @Test(arguments: [
    "bytes", "bytes=", "bytes=a-b", "bytes=4-2", "bytes=-", "bytes=1", "lines=1-2", "bytes=0-9,0-9",
    "bytes=1--2",
    "bytes= ", "bytes=\(Array(repeating: "0-0", count: 17).joined(separator: ","))",
  ])
  func `ignore what is malformed or too much`(range: String) {
    #expect(answer([("Range", range)]).status == 200)
  }

  @Test(arguments: ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])
  func `refuse ranges behind the end`(range: String) {
    let response = answer([("Range", range)])
    #expect(response.status == 416)
    #expect(response.headers["Content-Range"] == "bytes */10")
  }

  @Test(arguments: [
    ("\"v1\"", 206), ("\"v2\"", 200), ("W/\"v1\"", 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 200),
  ])
  func `apply a range only to the version that the client has`(validator: String, status: Int) {
    #expect(answer([("Range", "bytes=0-1"), ("If-Range", validator)]).status == status)
  }

  private func dated(_ fields: [(String, String)], now: Int = .max, method: Method = .get) -> Response {
    var response = Response(contentType: "text/plain", bytes: Array("0123456789".utf8))
    response.headers.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
    response.headers.add("Accept-Ranges", "bytes")
    var request = Request(method: method, segments: [])
    for (name, value) in fields { request.headers.add(ByteString(name), value) }
    return response.conditioned(by: request, now: now)
  }

  @Test(arguments: [
    ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 304),
    ("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", 304),
    ("If-Modified-Since", "Sun Nov  6 08:49:37 1994", 304),
    ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT", 200),
    ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT", 304),
    ("If-Modified-Since", "yesterday", 200),
    ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 200),
    ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT", 412),
    ("If-Unmodified-Since", "0", 200),
  ])
  func `compare dates`(name: String, value: String, status: Int) {
    #expect(dated([(name, value)]).status == status)
    #expect(dated([(name, value)], method: .head).status == status)
  }

  @Test func `a tag counts before a date`() {
    let old = "Thu, 01 Jan 1970 00:00:00 GMT"
    let new = "Sat, 01 Jan 2000 00:00:00 GMT"
    #expect(dated([("If-None-Match", "\"x\""), ("If-Modified-Since", new)]).status == 200)
    #expect(dated([("If-Match", "*"), ("If-Unmodified-Since", old)]).status == 200)
  }

  @Test func `a date that is old enough stands for a version`() {
    let fields = [("Range", "bytes=0-1"), ("If-Range", "Sun, 06 Nov 1994 08:49:37 GMT")]
    #expect(dated(fields).status == 206)
    #expect(dated(fields, now: 784_111_777).status == 200)
    #expect(dated([fields[0], ("If-Range", "Sun, 06 Nov 1994 08:49:38 GMT")]).status == 200)
  }

  @Test func `other methods are held to what is there`() {
    func status(_ name: String, _ value: String) -> Int? {
      var request = Request(method: .patch, segments: [])
      request.headers.add(ByteString(name), value)
      return request.preconditionProblem(tag: EntityTag("v1"))?.status
    }
    #expect(status("If-Match", "\"v1\"") == nil)
    #expect(status("If-Match", "\"v2\"") == 412)
    #expect(status("If-Match", "*") == nil)
    #expect(status("If-None-Match", "\"v1\"") == 412)
    #expect(status("If-None-Match", "\"v2\"") == nil)
  }

  @Test(arguments: [0, 784_111_777, 951_782_400, 1_709_164_800, 4_102_444_799])
  func `dates come back as they were written`(seconds: Int) {
    #expect(unixSeconds(httpDate: ByteString(imfFixdate(unixSeconds: seconds))) == seconds)
  }

  @Test func `send several ranges as parts`() throws {
    let response = answer([("Range", "bytes=0-1, -2")])
    #expect(response.status == 206)
    let type = try #require(response.headers["Content-Type"]).string
    #expect(type.hasPrefix("multipart/byteranges; boundary="))
    let boundary = type.dropFirst("multipart/byteranges; boundary=".count)
    #expect(
      text(response)
        == "--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01"
        + "\r\n--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89"
        + "\r\n--\(boundary)--\r\n")
  }

  @Test func `cut files without reading them`() {
    var response = Response(body: .file(path: "/f", offset: 100, count: 50))
    response.headers.add("Accept-Ranges", "bytes")
    var request = Request(method: .get, segments: [])
    request.headers.add("Range", "bytes=10-19")
    guard case .file(let path, let offset, let count)? = response.conditioned(by: request).body.pieces.first
    else {
      Issue.record("no file")
      return
    }
    #expect((path, offset, count) == ("/f", 110, 10))
  }
}
