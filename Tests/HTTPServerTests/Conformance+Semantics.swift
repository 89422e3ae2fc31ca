extension Conformance {
  /// RFC 9110: methods, expectations, conditions, ranges and codings.
  static let semantics = methods + expectations + answers + conditions + ranges + dates

  /// Section 9.
  private static let methods: [Conformance] = [
    .ok("9110 9.3.2", get("/file", method: "HEAD"), fields: ["content-length": "10", "etag": "\"v1\""]),
    .ok("9110 9.3.2", get("/nowhere", method: "HEAD"), 404),
    .ok("9110 9.3.2", get("/stream", method: "HEAD"), fields: ["transfer-encoding": "chunked"]),
    .ok("9110 9.3.7", get("/file", method: "OPTIONS"), 204, fields: ["allow": "DELETE, GET, HEAD, OPTIONS"]),
    .ok("9110 15.5.6", get("/file", method: "PUT"), 405, fields: ["allow": "DELETE, GET, HEAD, OPTIONS"]),
    .ok("9110 15.5.6", get("/echo"), 405, fields: ["allow": "OPTIONS, POST"]),
    .ok("9110 15.5.6", get("/file", method: "TRACE"), 405, fields: ["allow": "DELETE, GET, HEAD, OPTIONS"]),
    .ok("9110 15.5.5", get("/nowhere"), 404, fields: ["content-type": "application/problem+json"]),
    .ok("9110 9.3.5", get("/file", method: "DELETE"), 204, fields: ["content-length": ""]),
  ]

  /// Section 10.1.1.
  private static let expectations: [Conformance] = [
    .waits(
      "9110 10.1.1", post("Expect: 100-continue", "Content-Length: 2", body: ""), then: "ok", body: "ok"),
    .waits(
      "9110 10.1.1", post("Expect: 100-Continue", "Transfer-Encoding: chunked", body: ""),
      then: "2\r\nok\r\n0\r\n\r\n", body: "ok"),
    .ok("9110 10.1.1", post("Expect: 100-continue", "Content-Length: 2", body: "ok"), body: "ok"),
    .ok("9110 10.1.1", post("Expect: 100-continue", body: ""), body: ""),
    .closed("9110 10.1.1", post("Expect: 200-maybe", "Content-Length: 2", body: "ok"), 417),
    .closed("9110 10.1.1", post("Expect: 100-continue, x", "Content-Length: 2", body: "ok"), 417),
    .closed("9110 10.1.1", post("Expect: 100-continue", "Content-Length: 9999999", body: ""), 413),
    .closed(
      "9110 10.1.1", "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok", 200,
      body: "ok"),
  ]

  /// Sections 6, 8 and 15.
  private static let answers: [Conformance] = [
    .ok("9110 15.3.5", get("/nothing"), 204, fields: ["content-length": "", "transfer-encoding": ""]),
    .ok("9112 6.1", get("/stream"), fields: ["transfer-encoding": "chunked", "content-length": ""]),
    .ok("9110 5.5", get("/split"), fields: ["x-evil": "", "x-text": "a  X-Evil: b"]),
    .ok("9110 8.4", get("/long", "Accept-Encoding: x-gzip"), fields: ["content-encoding": "gzip"]),
    .ok(
      "9110 12.5.5", get("/long"),
      fields: ["vary": "Accept-Encoding", "content-length": "5000", "etag": "\"v2\""]),
    .ok("9110 12.5.3", get("/long", "Accept-Encoding: gzip;q=0, *"), fields: ["content-encoding": ""]),
    .ok("9110 12.5.3", get("/long", "Accept-Encoding: br, *;q=0.1"), fields: ["content-encoding": "gzip"]),
    .ok("9110 12.5.3", get("/long", "Accept-Encoding: "), fields: ["content-encoding": ""]),
    .ok("9110 8.4", get("/file", "Accept-Encoding: gzip"), fields: ["content-encoding": ""]),
    .ok("9110 8.8.3.3", get("/long", "Accept-Encoding: gzip"), fields: ["etag": "\"v2+gzip\""]),
  ]

  /// Section 13.
  private static let conditions: [Conformance] = [
    .ok("9110 13.1.2", get("/file", "If-None-Match: \"v1\""), 304, fields: ["etag": "\"v1\""]),
    .ok("9110 13.1.2", get("/file", "If-None-Match: W/\"v1\""), 304),
    .ok("9110 13.1.2", get("/file", "If-None-Match: \"v0\", \"v1\""), 304),
    .ok("9110 13.1.2", get("/file", "If-None-Match: \"v0\"", "If-None-Match: \"v1\""), 304),
    .ok("9110 13.1.2", get("/file", "If-None-Match: *"), 304),
    .ok("9110 13.1.2", get("/file", "If-None-Match: \"v2\"")),
    .ok("9110 13.1.2", get("/file", "If-None-Match: v1")),
    .ok("9110 13.1.2", get("/file", "If-None-Match: \"v1\"", method: "HEAD"), 304),
    .ok("9110 13.1.2", get("/long", "If-None-Match: W/\"v2\"", "Accept-Encoding: gzip"), 304),
    .ok(
      "9110 15.4.5", get("/long", "If-None-Match: \"v2+gzip\"", "Accept-Encoding: gzip"), 304,
      fields: ["etag": "\"v2+gzip\"", "vary": "Accept-Encoding"]),
    .ok(
      "9110 15.4.5", get("/long", "If-None-Match: \"v2\"", "Accept-Encoding: gzip"), 304,
      fields: ["etag": "\"v2\"", "vary": "Accept-Encoding"]),
    .ok("9110 13.1.2", get("/long", "If-None-Match: \"v2+gzip\"")),
    .ok("9110 13.1.1", get("/long", "If-Match: \"v2+gzip\"")),
    .ok("9110 13.1.1", get("/long", "If-Match: \"v2\"", "Accept-Encoding: gzip")),
    .ok("9110 13.1.1", get("/long", "If-Match: W/\"v2+gzip\""), 412),
    .ok("9110 13.1.1", get("/file", "If-Match: \"v1\"")),
    .ok("9110 13.1.1", get("/file", "If-Match: *")),
    .ok("9110 13.1.1", get("/file", "If-Match: \"v2\""), 412),
    .ok("9110 13.1.1", get("/file", "If-Match: W/\"v1\""), 412),
    .ok("9110 13.1.1", get("/weak", "If-Match: W/\"v1\""), 412),
    .ok("9110 13.1.1", get("/file", "If-Match: \"v2\", \"v1\"")),
    .ok("9110 13.2.2", get("/file", "If-Match: \"v2\"", "If-None-Match: \"v1\""), 412),
    .ok("9110 15.4.5", get("/file", "If-None-Match: \"v1\" "), 304, fields: ["cache-control": "no-cache"]),
    .ok("9110 15.4.5", get("/file", "If-None-Match:\"v1\""), 304, fields: ["content-length": ""]),
  ]

  /// Sections 13.1.5 and 14.
  private static let ranges: [Conformance] = [
    .ok("9110 14.3", get("/file"), fields: ["accept-ranges": "bytes"], body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes=2-4"), 206, fields: cut(2, 4), body: "234"),
    .ok("9110 14.1.2", get("/file", "Range: bytes=8-"), 206, fields: cut(8, 9), body: "89"),
    .ok("9110 14.1.2", get("/file", "Range: bytes=-3"), 206, fields: cut(7, 9), body: "789"),
    .ok("9110 14.1.2", get("/file", "Range: bytes=-30"), 206, fields: cut(0, 9), body: "0123456789"),
    .ok(
      "9110 14.1.2", get("/file", "Range: bytes=8-99999999999999999999"), 206, fields: cut(8, 9), body: "89"),
    .ok("9110 14.1", get("/file", "Range: Bytes=0-0"), 206, fields: cut(0, 0), body: "0"),
    .ok("9110 14.1.2", get("/file", "Range: bytes=20-,1-1"), 206, fields: cut(1, 1), body: "1"),
    .ok("9110 15.5.17", get("/file", "Range: bytes=10-"), 416, fields: ["content-range": "bytes */10"]),
    .ok("9110 15.5.17", get("/file", "Range: bytes=-0"), 416, fields: ["content-range": "bytes */10"]),
    .ok("9110 15.5.17", get("/none", "Range: bytes=0-"), 416, fields: ["content-range": "bytes */0"]),
    .ok("9110 14.2", get("/file", "Range: lines=1-2"), body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes=4-2"), body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes=a-b"), body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes="), body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes=0-9,0-9,0-9"), body: "0123456789"),
    .ok("9110 14.2", get("/file", "Range: bytes=2-4", method: "HEAD"), fields: ["content-length": "10"]),
    .ok("9110 14.2", get("/", "Range: bytes=0-1"), body: "root"),
    .ok("9110 14.2", get("/stream", "Range: bytes=0-1"), body: "one,two"),
    .ok("9110 13.1.5", get("/file", "Range: bytes=2-4", "If-Range: \"v1\""), 206, body: "234"),
    .ok("9110 13.1.5", get("/file", "Range: bytes=2-4", "If-Range: \"v2\""), body: "0123456789"),
    .ok("9110 13.1.5", get("/weak", "Range: bytes=2-4", "If-Range: W/\"v1\""), body: "0123456789"),
    .ok("9110 13.1.5", get("/file", "If-Range: \"v1\""), body: "0123456789"),
    .ok("9110 13.2.2", get("/file", "Range: bytes=2-4", "If-None-Match: \"v1\""), 304),
    .ok("9110 13.2.2", get("/file", "Range: bytes=2-4", "If-Match: \"v2\""), 412),
  ]

  /// Sections 5.6.7, 13.1.3 and 13.1.4. The file was modified on Sun, 06 Nov 1994 08:49:37 GMT.
  private static let dates: [Conformance] = [
    .ok("9110 8.8.2", get("/file", "X: 1"), fields: ["last-modified": "Sun, 06 Nov 1994 08:49:37 GMT"]),
    .ok("9110 13.1.3", get("/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT"), 304),
    .ok("9110 13.1.3", get("/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT")),
    .ok("9110 5.6.7", get("/file", "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"), 304),
    .ok("9110 5.6.7", get("/file", "If-Modified-Since: Sun Nov  6 08:49:37 1994"), 304),
    .ok("9110 13.1.3", get("/file", "If-Modified-Since: now")),
    .ok(
      "9110 13.1.3",
      get("/file", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "If-None-Match: \"v2\"")),
    .ok("9110 13.1.4", get("/file", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT")),
    .ok("9110 13.1.4", get("/file", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"), 412),
    .ok("9110 13.1.5", get("/file", "Range: bytes=0-0", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"), 206),
    .ok("9110 13.1.5", get("/file", "Range: bytes=0-0", "If-Range: Sun, 06 Nov 1994 08:49:38 GMT")),
  ]

  private static func cut(_ first: Int, _ last: Int) -> [String: String] {
    ["content-range": "bytes \(first)-\(last)/10", "content-length": "\(last - first + 1)"]
  }
}
