import HTTP
import Testing

/// What a client sends on one connection, and what the RFC wants to come back.
struct Conformance: Sendable, CustomTestStringConvertible {
  /// The document and section that the case is from.
  var section: String
  /// Everything that is sent.
  var request: String
  /// What follows once `100 Continue` has come.
  var then: String?
  /// The statuses of the answers, in order.
  var statuses: [Int]
  /// Whether the connection carries another request afterwards.
  var staysOpen: Bool
  /// Fields that the last answer has, by lower-case name; an empty value is a field that must be missing.
  var fields: [String: String]
  /// The last answer's content.
  var body: String?

  var testDescription: String { "RFC \(section): \(request.debugDescription.prefix(160))" }

  /// A request that is answered, after which the connection goes on.
  static func ok(
    _ section: String, _ request: String, _ statuses: Int..., fields: [String: String] = [:],
    body: String? = nil
  ) -> Conformance {
    Conformance(
      section: section, request: request, statuses: statuses.isEmpty ? [200] : statuses, staysOpen: true,
      fields: fields, body: body)
  }

  /// A request behind whose answer the server closes.
  static func closed(
    _ section: String, _ request: String, _ statuses: Int..., fields: [String: String] = [:],
    body: String? = nil
  ) -> Conformance {
    Conformance(
      section: section, request: request, statuses: statuses.isEmpty ? [400] : statuses, staysOpen: false,
      fields: fields, body: body)
  }

  /// A request whose content is sent only when the server has said so.
  static func waits(_ section: String, _ request: String, then: String, body: String) -> Conformance {
    Conformance(
      section: section, request: request, then: then, statuses: [200], staysOpen: true, fields: [:],
      body: body)
  }

  /// A complete GET of a path with further lines in its header.
  static func get(_ path: String, _ lines: String..., method: String = "GET") -> String {
    let header = ["\(method) \(path) HTTP/1.1", "Host: a"] + lines
    return header.joined(separator: "\r\n") + "\r\n\r\n"
  }

  /// A POST with lines in its header and this body.
  static func post(_ lines: String..., body: String) -> String {
    let header = ["POST /echo HTTP/1.1", "Host: a"] + lines
    return header.joined(separator: "\r\n") + "\r\n\r\n" + body
  }

  /// A chunked POST whose content is written as it stands on the wire.
  static func chunked(_ content: String) -> String {
    post("Transfer-Encoding: chunked", body: content)
  }
}

/// The resources that the cases ask for.
func conformanceRouter() -> Router {
  var router = Router()
  func add(_ path: String, _ tag: String?, _ body: Response.Body, type: String = "text/plain") {
    router.on(.get, path) { _ in
      var response = Response(body: body)
      response.headers.add("Content-Type", type)
      if let tag {
        response.headers.add("ETag", tag)
        response.headers.add("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
        response.headers.add("Accept-Ranges", "bytes")
        response.headers.add("Cache-Control", "no-cache")
      }
      return response
    }
  }
  add("/", nil, .bytes(Array("root".utf8)))
  add("/file", "\"v1\"", .bytes(Array("0123456789".utf8)))
  add("/weak", "W/\"v1\"", .bytes(Array("0123456789".utf8)))
  add("/none", "\"v0\"", .empty)
  add("/long", "\"v2\"", .bytes([UInt8](repeating: 0x61, count: 5_000)))
  add("/a b", nil, .bytes(Array("space".utf8)))
  router.on(.get, "/stream") { _ in
    let steps: [BodyStep] = [.bytes(Array("one,".utf8)), .bytes(Array("two".utf8)), .end]
    return Response(body: .stream(ScriptedStream(steps)))
  }
  router.on(.get, "/nothing") { _ in Response(status: 204) }
  router.on(.get, "/split") { _ in
    var response = Response(status: 200)
    response.headers.add("X-Text", "a\r\nX-Evil: b")
    return response
  }
  router.on(.get, "/segments/{one}/{two}") { request in
    let parts = [request.parameters["one"], request.parameters["two"], request.queryValue("q")]
    return Response(
      contentType: "text/plain", bytes: Array(parts.map { $0 ?? "-" }.joined(separator: "|").bytes))
  }
  router.on(.post, "/echo") { request in Response(contentType: "text/plain", bytes: request.body) }
  router.on(.delete, "/file") { _ in Response(status: 204) }
  return router
}

@Suite struct `Conformance to the RFCs` {
  @Test(arguments: Conformance.messages + Conformance.semantics)
  func `holds`(conformance: Conformance) throws {
    let router = conformanceRouter()
    try withServer({ $0.timeouts.lingerSeconds = 0.2 }, handler: { router.respond(to: $0) }) { port in
      let client = try Client(port: port)
      client.send(conformance.request)
      if let then = conformance.then {
        #expect(try client.answer().status == 100)
        client.send(then)
      }
      var last = RawAnswer(status: 0, fields: [:], body: [])
      let isHead = conformance.request.hasPrefix("HEAD")
      for status in conformance.statuses {
        last = try client.answer(toHead: isHead)
        #expect(last.status == status)
      }
      for (name, value) in conformance.fields { #expect(last.fields[name] ?? "" == value, "\(name)") }
      if let body = conformance.body { #expect(last.text == body) }
      #expect(last.fields["date"]?.hasSuffix(" GMT") == true)
      if conformance.staysOpen {
        #expect(last.fields["connection"] != "close")
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.answer().text == "root")
      } else {
        #expect(last.fields["connection"] == "close")
        client.finishSending()
        #expect(client.rest().isEmpty)
      }
    }
  }

  @Test func `has a case for every rule of framing, and enough in all`() {
    let all = Conformance.messages + Conformance.semantics
    #expect(all.count >= 150)
    #expect(Set(all.map(\.request)).count == all.count)
  }
}
