import HTTP
import Testing
import Text

@Suite struct `Requests are known by their heads` {
  private func request(_ method: Method, _ path: String) -> Request {
    Request(method: method, segments: ByteString(path).split(0x2F))
  }

  @Test func `what they may take, and whether anything answers them`() {
    let (small, large) = (BodyLimit(name: "small", bytesMax: 10), BodyLimit(name: "large", bytesMax: 99))
    var router = Router(
      bodyLimit: small, fallback: { _ in throw Problem(status: 404, detail: "There is no such file.") })
    router.on(.post, "/jobs", bodyLimit: large) { _ in Response() }
    router.on(.get, "/jobs/{id}/log", weight: { _ in .heavy }) { _ in Response() }
    #expect(router.limits(of: request(.post, "/jobs")).body == large)
    for (method, path) in [(Method.get, "/jobs/1/log"), (.head, "/jobs/1/log"), (.put, "/x")] {
      #expect(router.limits(of: request(method, path)).body == small)
    }
    #expect(router.limits(of: request(.head, "/jobs/1/log")).weight == .heavy)
    #expect(router.limits(of: request(.post, "/jobs")).weight == .light)
    for (method, path, status) in [
      (Method.post, "/jobs", nil), (.put, "/jobs", 405), (.post, "/x", 404),
      (Method(rawValue: "BREW"), "/jobs", 501), (.options, "/jobs", nil), (.get, "/x", nil),
      (.head, "/jobs/1/log", nil),
    ] as [(Method, String, Int?)] {
      #expect(router.admission(of: request(method, path))?.status == status)
    }
    #expect(router.admission(of: request(.put, "/jobs"))?.headers["Allow"] == "OPTIONS, POST")
  }
}

@Suite struct `Routes` {
  let router: Router

  init() {
    func named(_ name: String) -> Handler {
      { request in
        let parameters = request.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return Response(
          contentType: "text/plain", bytes: Array(([name] + parameters).joined(separator: " ").utf8))
      }
    }
    struct Odd: Error {}
    var router = Router(
      problem: { _ in Problem(status: 507, detail: "odd") },
      fallback: { request in
        if request.segments == ["static"] { return Response(status: 200) }
        throw Problem(status: 404)
      })
    router.on(.get, "/", named("root"))
    router.on(.get, "/jobs", named("list"))
    router.on(.post, "/jobs", named("create"))
    router.on(.get, "/jobs/{id}", named("job"))
    router.on(.get, "/jobs/latest", named("latest"))
    router.on(.get, "/jobs/{id}/checkpoints/{name}", named("checkpoint"))
    router.on(.get, "/odd") { _ in throw Odd() }
    self.router = router
  }

  private func answer(_ method: Method, _ segments: [String]) -> (status: Int, text: String, allow: String?) {
    let response = router.respond(to: Request(method: method, segments: segments.map { ByteString($0) }))
    return (response.status, text(response), response.headers["Allow"]?.string)
  }

  @Test(arguments: [
    ([], "root"), (["jobs"], "list"), (["jobs", "latest"], "latest"), (["jobs", "a/b"], "job id=a/b"),
    (["jobs", "latest", "checkpoints", "x"], "checkpoint id=latest name=x"),
  ])
  func `finds the handler and its parameters`(segments: [String], expected: String) {
    #expect(answer(.get, segments).text == expected)
    #expect(answer(.head, segments).text == expected)
  }

  @Test(arguments: [["none"], ["jobs", ""], ["jobs", "a", "b"], ["jobs", "a", "checkpoints", ""]])
  func `leaves other paths to the fallback`(segments: [String]) {
    #expect(answer(.get, segments).status == 404)
    #expect(answer(.get, ["static"]).status == 200)
  }

  @Test func `answers a wrong method by those that are possible`() {
    #expect(answer(.delete, ["jobs"]).status == 405)
    #expect(answer(.delete, ["jobs"]).allow == "GET, HEAD, OPTIONS, POST")
    #expect(answer(.options, ["jobs"]).status == 204)
    #expect(answer(.options, ["jobs"]).allow == "GET, HEAD, OPTIONS, POST")
  }

  @Test func `knows the methods of the whole server`() {
    #expect(answer(.options, ["*"]).allow == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
    #expect(answer(Method(rawValue: "BREW"), ["jobs"]).status == 501)
    #expect(answer(.connect, []).status == 501)
    #expect(answer(.trace, ["jobs"]).status == 405)
  }

  @Test func `turns thrown errors into problems`() {
    #expect(answer(.get, ["odd"]).status == 507)
    #expect(answer(.get, ["odd"]).text.contains("\"detail\":\"odd\""))
  }
}

/// The bytes of a body that is at hand, as text.
func text(_ response: Response) -> String {
  String(
    decoding: response.body.pieces.flatMap { piece -> [UInt8] in
      if case .bytes(let bytes) = piece { bytes } else { [] }
    }, as: UTF8.self)
}
