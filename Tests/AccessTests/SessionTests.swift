import Access
import HTTP
import Testing
import Text

@Suite struct `Sessions of browsers` {
  private static let stranger = "{\"needs_token\":true,\"name\":null,\"role\":null,\"token_command\":null}\n"

  private func bearer(_ secret: String) -> (String, String) { ("Authorization", "Bearer \(secret)") }

  private func signIn(
    _ control: AccessControl, _ secret: String, isSecure: Bool = false, cookie: String = "x=y"
  ) throws -> String {
    let answer = control.respond(
      to: request(.post, "/session", bearer(secret), ("Cookie", cookie), isSecure: isSecure))
    #expect(answer.status == 200)
    return String(try #require(answer.headers["Set-Cookie"]).string.prefix { $0 != ";" })
  }

  private func status(_ control: AccessControl, _ cookies: String..., isSecure: Bool = false) -> Int {
    var look = request(.get, "/jobs", isSecure: isSecure)
    for cookie in cookies { look.headers.add("Cookie", cookie) }
    return control.respond(to: look).status
  }

  @Test(arguments: [false, true])
  func `have a cookie that is not the token and that scripts cannot read`(isSecure: Bool) throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    let answer = control.respond(
      to: request(.post, "/session", bearer(secret), ("Cookie", "vicregd_token=old"), isSecure: isSecure))
    #expect(
      answer.text == "{\"needs_token\":true,\"name\":\"a\",\"role\":\"write\",\"token_command\":null}\n")
    #expect(answer.headers["Cache-Control"] == "no-store")
    let cookies = answer.headers.all("Set-Cookie")
    let name = isSecure ? "__Host-vicregd_session=" : "vicregd_session="
    #expect(cookies.count == 2)
    #expect(cookies[0].hasPrefix(ByteString(name)) && cookies[0].count >= name.utf8.count + 64)
    #expect(
      cookies[1].hasPrefix("vicregd_token=;") && cookies[1].bytes.firstRange(of: "Max-Age=0".utf8) != nil)
    for cookie in cookies {
      #expect(cookie.bytes.firstRange(of: secret.utf8.dropFirst(8)) == nil)
      let attributes = cookie.split(0x3B).dropFirst().map(\.trimmed)
      for part in ["HttpOnly", "SameSite=Strict", "Path=/"] as [ByteString] {
        #expect(attributes.contains(part))
      }
      #expect(attributes.contains("Secure") == isSecure)
    }
    let plain = control.respond(to: request(.post, "/session", bearer(secret)))
    #expect(plain.headers.all("Set-Cookie").count == 1)
  }

  @Test func `a browser on the daemon's machine reads how to create a token, others do not`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    func command(
      _ fields: (String, String)..., peer: String = "127.0.0.1", authority: String = "localhost:8080"
    ) -> Bool {
      var look = request(.get, "/session", peer: peer, authority: authority)
      for (name, value) in fields { look.headers.add(ByteString(name), value) }
      return control.respond(to: look).text.contains(
        "\"token_command\":\"vicregd token create --data '/a b'\"")
    }
    #expect(command())
    #expect(command(peer: "::1", authority: "[::1]:8080"))
    #expect(command(peer: "127.0.0.1", authority: "127.0.0.1"))
    #expect(!command(peer: "10.0.0.1"))
    #expect(!command(authority: "lab.example"))
    for field in ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"] { #expect(!command((field, "x"))) }
    #expect(!command(bearer(secret)), "one who has a token needs none")
  }

  @Test func `are used, told, and ended by signing out`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let control = fixture.control()
    #expect(control.respond(to: request(.get, "/session")).text == Self.stranger)
    let pair = try signIn(control, secret)
    let page = control.respond(to: request(.get, "/jobs", ("Cookie", "x=y; \(pair)")))
    #expect(page.text == "a" && page.principal == "a")
    let session = control.respond(to: request(.get, "/session", ("Cookie", pair)))
    #expect(
      session.text == "{\"needs_token\":true,\"name\":\"a\",\"role\":\"write\",\"token_command\":null}\n")
    let mayContinue = try #require(page.mayContinue)
    #expect(mayContinue())
    let end = control.respond(to: request(.delete, "/session", ("Cookie", pair)))
    #expect(end.status == 204 && end.headers["Cache-Control"] == "no-store")
    #expect(end.headers["Set-Cookie"]?.string.contains("Max-Age=0") == true)
    #expect(!mayContinue())
    #expect(status(control, pair) == 401)
    #expect(control.respond(to: request(.get, "/session", ("Cookie", pair))).text == Self.stranger)
  }

  @Test func `end at once when their token is revoked`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .write)
    let other = try fixture.tokens.create(name: "b", role: .write)
    let control = fixture.control()
    let (pair, otherPair) = (try signIn(control, secret), try signIn(control, other))
    try TokenFile(fixture.tokens.path).revoke(name: "a")
    #expect(status(control, pair) == 401)
    #expect(status(control, otherPair) == 200)
    // A new token of the old name is another one.
    _ = try TokenFile(fixture.tokens.path).create(name: "a", role: .write)
    #expect(status(control, pair) == 401)
  }

  @Test func `end after twelve hours without a request`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let control = fixture.control()
    let pair = try signIn(control, secret)
    for _ in 0..<3 {
      fixture.advance(seconds: 12 * 3_600 - 1)
      #expect(status(control, pair) == 200)
    }
    let mayContinue = try #require(control.respond(to: request(.get, "/jobs", ("Cookie", pair))).mayContinue)
    #expect(mayContinue())
    fixture.advance(seconds: 12 * 3_600)
    #expect(!mayContinue())
    #expect(status(control, pair) == 401)
  }

  @Test func `have a limit per token, over which the one idle longest ends`() throws {
    var limits = Sessions.Limits()
    limits.perTokenMax = 2
    let fixture = try AccessFixture(limits: limits)
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let other = try fixture.tokens.create(name: "b", role: .read)
    let control = fixture.control()
    let otherPair = try signIn(control, other)
    let first = try signIn(control, secret)
    fixture.advance(seconds: 1)
    let second = try signIn(control, secret)
    fixture.advance(seconds: 1)
    #expect(status(control, first) == 200)
    let third = try signIn(control, secret)
    #expect(status(control, first) == 200)
    #expect(status(control, second) == 401)
    #expect(status(control, third) == 200)
    #expect(status(control, otherPair) == 200)
  }

  @Test func `are found among cookies of other servers on the host`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let control = fixture.control()
    let pair = try signIn(control, secret)
    let foreign = "vicregd_session=\(String(repeating: "0", count: 64))"
    for cookies in [
      "\(foreign); \(pair)", "\(pair); \(foreign)", "vicregd_session=; \(pair)", "vicregd_session;\(pair)",
      "\u{301}=\u{301}; \(pair)",
    ] {
      #expect(status(control, cookies) == 200, "\(cookies)")
    }
    #expect(status(control, foreign, pair) == 200)
    #expect(status(control, foreign) == 401)
    // Over TLS only the name counts that nobody but this host over TLS can set.
    #expect(status(control, pair, isSecure: true) == 401)
    let secure = try signIn(control, secret, isSecure: true)
    #expect(status(control, secure, isSecure: true) == 200)
  }

  @Test func `come after Authorization, and their wrong cookies are not guesses`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let control = fixture.control()
    let pair = try signIn(control, secret)
    let both = request(.get, "/jobs", ("Authorization", "Bearer wrong"), ("Cookie", pair))
    #expect(control.respond(to: both).status == 401)
    for _ in 0..<50 { #expect(status(control, "vicregd_session=wrong") == 401) }
    #expect(status(control, "vicregd_token=\(secret)") == 401)
    #expect(control.respond(to: request(.get, "/jobs", bearer("wrong"))).status == 401)
  }

  @Test func `replace each other in one browser, and need a token to begin`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let control = fixture.control()
    let first = try signIn(control, secret)
    let second = try signIn(control, secret, cookie: first)
    #expect(status(control, first) == 401)
    #expect(status(control, second) == 200)
    #expect(control.respond(to: request(.post, "/session", ("Cookie", second))).status == 401)
    #expect(control.respond(to: request(.post, "/session", bearer("wrong"))).status == 401)
    let foreign = request(.post, "/session", bearer(secret), ("Origin", "http://evil.example"))
    #expect(control.respond(to: foreign).status == 403)
  }
}
