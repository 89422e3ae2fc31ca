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

/// Issue 15: paths that are nearly right, and content that cannot be read.
@Suite struct `Requests that nearly fit` {
  private let router: Router

  init() {
    var router = Router(
      fallback: { request in
        if request.segments == ["index.html"] { return Response() }
        throw Problem(status: 404, detail: "There is no such file.")
      })
    @Sendable func echo(_ request: Request) -> Response {
      Response(
        contentType: "text/plain",
        bytes: Array("/\(request.segments.joined(separator: "/")) \(request.parameters["id"] ?? "")".utf8))
    }
    router.on(.get, "/", access: .open, echo)
    router.on(.get, "/jobs", echo)
    router.on(.post, "/jobs", echo)
    router.on(.get, "/jobs/{id}", instant: { InstantResponse(echo($0)) { true } }, echo)
    router.on(.get, "/jobs/{id}/metrics", echo)
    router.on(.get, "/healthz", access: .open, echo)
    self.router = router
  }

  private func request(_ method: Method, _ path: String, _ fields: (String, String)...) -> Request {
    var request = Request(
      method: method,
      segments: path == "/" ? [] : ByteString(path).dropFirst(1).split(0x2F, omittingEmptySubsequences: false)
    )
    for (name, value) in fields { request.headers.add(ByteString(name), value) }
    return request
  }

  @Test(arguments: [
    ("/jobs/", "/jobs "), ("/jobs/7/", "/jobs/7 7"), ("/jobs/7/metrics/", "/jobs/7/metrics 7"),
    ("/healthz/", "/healthz "), ("/", "/ "),
  ])
  func `a slash at the end changes nothing`(path: String, expected: String) {
    #expect(text(router.respond(to: request(.get, path))) == expected)
    let bare = path == "/" ? path : String(path.dropLast())
    #expect(router.access(of: request(.get, path)) == router.access(of: request(.get, bare)))
    #expect(
      router.admission(of: request(.post, path))?.status == router.admission(of: request(.post, bare))?.status
    )
    #expect(router.respond(to: request(.put, path)).headers["Allow"] != nil)
  }

  @Test func `a slash at the end opens no route that needs a role`() {
    #expect(router.access(of: request(.post, "/jobs/")) == .write)
    #expect(router.access(of: request(.get, "/jobs/7/")) == .read)
    #expect(router.instantResponse(to: request(.get, "/jobs/7/")).map { text($0.response) } == "/jobs/7 7")
  }

  @Test(arguments: [
    ("/jbos", "/jobs"), ("/job/7", "/jobs/7"), ("/jobs/7/metrcs", "/jobs/7/metrics"), ("/Jobs/", "/jobs"),
    ("/health", "/healthz"), ("/api/v1/jobs/7", "/jobs/7"), ("/zebra", nil), ("/jobs/7/zebra", nil),
    ("/jobs//", nil), ("//jobs", nil), ("/jobs/7/metrics/x", nil),
  ])
  func `what is not there is named with the nearest route`(path: String, meant: String?) {
    for method in [Method.get, .post] {
      let response = router.respond(to: request(method, path))
      #expect(response.status == 404)
      #expect(text(response).contains("There is nothing at \(path)"), "\(text(response))")
      #expect(text(response).contains("did you mean") == (meant != nil), "\(text(response))")
      if let meant { #expect(text(response).contains("did you mean \(meant)?"), "\(text(response))") }
    }
    #expect(router.respond(to: request(.get, "/index.html")).status == 200)
  }

  @Test(arguments: [
    ("gzip", true), ("br", true), ("deflate", true), ("GZip", true), ("identity, gzip", true), ("x", true),
    ("identity", false), ("Identity", false), ("", false), (" , ", false), ("identity, IDENTITY", false),
  ])
  func `content in a coding is refused by its head`(coding: String, isRefused: Bool) {
    for length in [("Content-Length", "5"), ("Transfer-Encoding", "chunked")] {
      let coded = request(.post, "/jobs", ("Content-Encoding", coding), length)
      for problem in [router.admission(of: coded)] {
        #expect((problem?.status == 415) == isRefused)
        #expect(problem?.headers["Accept-Encoding"] == (isRefused ? "identity" : nil))
      }
      #expect((router.respond(to: coded).status == 415) == isRefused)
    }
    #expect(router.admission(of: request(.post, "/jobs", ("Content-Encoding", coding)))?.status == nil)
    #expect(router.respond(to: request(.get, "/jobs", ("Content-Encoding", coding))).status == 200)
    // A path that is not there is told of first.
    let missing = request(.post, "/x", ("Content-Encoding", coding), ("Content-Length", "5"))
    #expect(router.admission(of: missing)?.status == 404)
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

  @Test(arguments: [["none"], ["jobs", "", ""], ["jobs", "a", "b"], ["jobs", "a", "checkpoints", ""]])
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
