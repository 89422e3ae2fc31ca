import Access
import HTTP
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
    #expect(refusal.headers["WWW-Authenticate"]?.contains("insufficient_scope") == true)
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

  @Test func `makes an address with too many wrong tokens wait`() throws {
    let fixture = try AccessFixture()
    let known = try fixture.tokens.create(name: "known", role: .read)
    let other = try fixture.tokens.create(name: "other", role: .read)
    let control = fixture.control()
    func answer(_ secret: String, peer: String = "10.0.0.1") -> Response {
      control.respond(to: request(.get, "/jobs", bearer(secret), peer: peer))
    }
    #expect(answer(known).status == 200)
    for index in 0..<Int(LoginLimiter.burst) { #expect(answer("wrong\(index)").status == 401) }
    let refusal = answer("wrong")
    #expect(refusal.status == 429)
    #expect(refusal.headers["Retry-After"] == "6")
    // A right one that is new has to wait too, or guessing would go on; one that was right before has not.
    #expect(answer(other).status == 429)
    #expect(answer(known).status == 200)
    #expect(answer("wrong", peer: "10.0.0.2").status == 401)
    fixture.advance(seconds: 6)
    #expect(answer(other).status == 200)
    #expect(answer("wrong").status == 401)
    #expect(answer("wrong").status == 429)
  }

  @Test func `asks nobody without tokens`() throws {
    let control = try AccessFixture(asks: false).control()
    #expect(control.respond(to: request(.post, "/jobs")).status == 201)
    #expect(control.respond(to: request(.get, "/session")).text.contains("\"needs_token\":false"))
  }

  @Test func `keeps a browser logged in by a cookie that scripts cannot read`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    let stranger = "{\"needs_token\":true,\"name\":null,\"role\":null}\n"
    #expect(control.respond(to: request(.get, "/session")).text == stranger)
    #expect(control.respond(to: request(.get, "/session", ("Cookie", "vicregd_token=old"))).text == stranger)
    let login = control.respond(to: request(.post, "/session", bearer(secret), isSecure: true))
    let cookie = try #require(login.headers["Set-Cookie"])
    for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] { #expect(cookie.contains(part)) }
    let pair = String(cookie.prefix { $0 != ";" })
    let page = control.respond(to: request(.get, "/jobs", ("Cookie", "x=y; \(pair)")))
    #expect(page.text == "a")
    let session = control.respond(to: request(.get, "/session", ("Cookie", pair)))
    #expect(session.text == "{\"needs_token\":true,\"name\":\"a\",\"role\":\"write\"}\n")
    #expect(
      control.respond(to: request(.delete, "/session", ("Cookie", pair))).headers["Set-Cookie"]?
        .contains("Max-Age=0") == true)
  }
}

@Suite struct `Origins` {
  @Test(arguments: [
    ([], 201),
    ([("Origin", "http://lab.example:8080")], 201), ([("Origin", "https://LAB.example:8080")], 201),
    ([("Origin", "http://lab.example")], 403), ([("Origin", "http://evil.example:8080")], 403),
    ([("Origin", "null")], 403), ([("Origin", "http://lab.example:8080.evil.example")], 403),
    ([("Origin", "chrome-extension://lab.example:8080")], 403),
    ([("Origin", "https://friend.example")], 201),
    ([("Sec-Fetch-Site", "same-origin")], 201), ([("Sec-Fetch-Site", "none")], 201),
    ([("Sec-Fetch-Site", "cross-site")], 403), ([("Sec-Fetch-Site", "same-site")], 403),
  ])
  func `may change something if they are the daemon's own or listed`(
    fields: [(String, String)], status: Int
  ) throws {
    let control = try AccessFixture(asks: false, origins: ["https://friend.example"]).control()
    var changing = request(.post, "/jobs")
    var looking = request(.get, "/jobs")
    for (name, value) in fields {
      changing.headers.add(name, value)
      looking.headers.add(name, value)
    }
    #expect(control.respond(to: changing).status == status)
    #expect(control.respond(to: looking).status == 200)
  }

  @Test func `read answers only where they are listed`() throws {
    let control = try AccessFixture(asks: false, origins: ["https://friend.example"]).control()
    let friend = control.respond(to: request(.get, "/jobs", ("Origin", "https://friend.example")))
    #expect(friend.headers["Access-Control-Allow-Origin"] == "https://friend.example")
    #expect(friend.headers["Vary"] == "Origin")
    let stranger = control.respond(to: request(.get, "/jobs", ("Origin", "https://evil.example")))
    #expect(stranger.headers["Access-Control-Allow-Origin"] == nil)
    let preflight = control.respond(
      to: request(
        .options, "/jobs", ("Origin", "https://friend.example"), ("Access-Control-Request-Method", "POST")))
    #expect(preflight.status == 204)
    #expect(preflight.headers["Access-Control-Allow-Headers"]?.contains("Idempotency-Key") == true)
  }

}
