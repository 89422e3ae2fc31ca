import Access
import HTTP
import Platform
import Testing

@Suite struct `Access control` {
  private func bearer(_ secret: String) -> (String, String) { ("Authorization", "Bearer \(secret)") }

  @Test func `lets a token do what its role says`() throws {
    let fixture = try AccessFixture()
    let reader = try fixture.tokens.create(name: "reader", role: .read)
    let writer = try fixture.tokens.create(name: "writer", role: .write)
    let control = fixture.control()
    func status(_ method: Method, _ path: String, _ secret: String) -> Int {
      control.respond(to: request(method, path, bearer(secret))).status
    }
    #expect(control.respond(to: request(.get, "/jobs", bearer(reader))).text == "reader")
    #expect(
      control.respond(to: request(.get, "/jobs", ("authorization", "bearer \(writer)"))).text == "writer")
    #expect(status(.head, "/jobs", reader) == 200)
    #expect(status(.post, "/jobs", writer) == 201)
    #expect(status(.post, "/jobs", reader) == 403)
    #expect(status(.delete, "/jobs", reader) == 405)
    let refusal = control.respond(to: request(.post, "/jobs", bearer(reader)))
    #expect(refusal.headers["WWW-Authenticate"]?.string.contains("insufficient_scope") == true)
    #expect(refusal.principal == "reader")
  }

  @Test func `asks for a token where one is needed`() throws {
    let fixture = try AccessFixture()
    _ = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    let refusal = control.respond(to: request(.get, "/jobs"))
    #expect(refusal.status == 401)
    #expect(refusal.headers["WWW-Authenticate"] == "Bearer realm=\"vicregd\"")
    #expect(control.respond(to: request(.delete, "/jobs")).status == 401)
    for (method, path) in [(Method.get, "/healthz"), (.get, "/"), (.get, "/js/main.js"), (.options, "/jobs")]
    {
      #expect(control.respond(to: request(method, path)).status < 300)
    }
  }

  @Test(arguments: [
    "Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "vicregd_0", "Bearer vicregd_0", "Bearer \u{E4}",
    "Bearer \(String(repeating: "a", count: 300))",
  ])
  func `refuses what is no token of its own`(field: String) throws {
    let fixture = try AccessFixture()
    _ = try fixture.tokens.create(name: "a", role: .write)
    #expect(fixture.control().respond(to: request(.get, "/jobs", ("Authorization", field))).status == 401)
  }

  @Test func `refuses two tokens at once, and the second of none`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    #expect(
      control.respond(to: request(.get, "/jobs", bearer("x"), bearer(secret))).status == 401)
  }

  @Test func `forgets a token that is revoked`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    _ = try fixture.tokens.create(name: "b", role: .write)
    let control = fixture.control()
    #expect(control.respond(to: request(.get, "/jobs", bearer(secret))).status == 200)
    try TokenFile(fixture.tokens.path).revoke(name: "a")
    #expect(control.respond(to: request(.get, "/jobs", bearer(secret))).status == 401)
    try TokenFile(fixture.tokens.path).revoke(name: "b")
    #expect(control.respond(to: request(.get, "/jobs")).status == 401)
  }

  @Test func `tells a client with too many wrong tokens to wait, and never refuses a right one`() throws {
    let fixture = try AccessFixture()
    let known = try fixture.tokens.create(name: "known", role: .read)
    let other = try fixture.tokens.create(name: "other", role: .read)
    let control = fixture.control()
    func answer(_ secret: String, peer: String = "10.0.0.1") -> Response {
      control.respond(to: request(.get, "/jobs", bearer(secret), peer: peer))
    }
    for index in 0..<Int(LoginLimiter.burst) { #expect(answer("wrong\(index)").status == 401) }
    let refusal = answer("wrong")
    #expect(refusal.status == 429)
    #expect(refusal.headers["Retry-After"] == "6")
    // Neither one that was right before nor one that is new, also after the file was read again.
    #expect(answer(known).status == 200)
    #expect(answer(other).status == 200)
    let late = try TokenFile(fixture.tokens.path).create(name: "late", role: .write)
    for secret in [known, other, late] { #expect(answer(secret).status == 200) }
    #expect(control.respond(to: request(.post, "/session", bearer(late))).status == 200)
    #expect(answer("wrong").status == 429)
    #expect(answer("wrong", peer: "10.0.0.2").status == 401)
    fixture.advance(seconds: 6)
    #expect(answer("wrong").status == 401)
    #expect(answer("wrong").status == 429)
  }

  @Test func `counts a refusal at the head once, and answers like the routes`() throws {
    let fixture = try AccessFixture(origins: ["https://friend.example"])
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let control = fixture.control()
    #expect(control.admission(of: request(.get, "/jobs", bearer(secret))) == nil)
    #expect(control.admission(of: request(.get, "/healthz")) == nil)
    #expect(control.admission(of: request(.post, "/jobs", bearer(secret)))?.status == 403)
    #expect(control.admission(of: request(.post, "/jobs", ("Origin", "https://evil.example")))?.status == 403)
    let preflight = request(
      .options, "/jobs", ("Origin", "https://friend.example"), ("Access-Control-Request-Method", "POST"))
    #expect(control.admission(of: preflight) == nil)
    let friend = control.admission(of: request(.get, "/jobs", ("Origin", "https://friend.example")))
    #expect(friend?.status == 401)
    #expect(friend?.headers["Access-Control-Allow-Origin"] == "https://friend.example")
    for _ in 0..<Int(LoginLimiter.burst) {
      #expect(control.admission(of: request(.get, "/jobs", bearer("wrong")))?.status == 401)
    }
    #expect(control.admission(of: request(.get, "/jobs", bearer("wrong")))?.status == 429)
  }

  @Test func `ends what lasts when its token is revoked or changed`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let other = try fixture.tokens.create(name: "b", role: .write)
    let control = fixture.control()
    let stream = control.respond(to: request(.get, "/jobs", bearer(secret)))
    let mayContinue = try #require(stream.mayContinue)
    let otherMayContinue = try #require(
      control.respond(to: request(.get, "/jobs", bearer(other))).mayContinue)
    _ = try TokenFile(fixture.tokens.path).create(name: "c", role: .read)
    try fixture.tokens.look()
    #expect(mayContinue() && otherMayContinue())
    try TokenFile(fixture.tokens.path).revoke(name: "a")
    try fixture.tokens.look()
    #expect(!mayContinue() && otherMayContinue())
    // A file that is not understood grants nothing.
    try AtomicFile.write(Array("?\n".utf8), to: fixture.tokens.path)
    #expect(throws: AccessError.self) { try fixture.tokens.look() }
    #expect(!otherMayContinue())
    #expect(control.respond(to: request(.get, "/jobs", bearer(other))).status == 500)
    #expect(control.respond(to: request(.get, "/healthz")).mayContinue == nil)
  }

  @Test func `watches the file for what lasts`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let mayContinue = try #require(
      fixture.control().respond(to: request(.get, "/jobs", bearer(secret))).mayContinue)
    let watch = try TokenWatch(fixture.tokens) { _ in }
    try TokenFile(fixture.tokens.path).revoke(name: "a")
    // Nothing but the watch looks at the file now; however slow the machine is, it comes to that.
    while mayContinue() { Thread.yieldSlice() }
    watch.stop()
    #expect(!mayContinue())
  }

  @Test func `asks nobody without tokens`() throws {
    let control = try AccessFixture(asks: false).control()
    #expect(control.respond(to: request(.post, "/jobs")).status == 201)
    #expect(control.respond(to: request(.get, "/session")).text.contains("\"needs_token\":false"))
  }

}
