import Access
import HTTP
import Testing
import Text

@Suite struct `Origins` {
  private func status(
    _ control: AccessControl, _ method: Method, _ path: String, _ fields: [(String, String)],
    authority: String = "lab.example:8080", isSecure: Bool = false
  ) -> Int {
    var asking = request(method, path, authority: authority, isSecure: isSecure)
    for (name, value) in fields { asking.headers.add(ByteString(name), value) }
    let refusal = control.admission(of: asking)
    let answer = control.respond(to: asking)
    #expect(refusal == nil || refusal?.status == answer.status)
    return answer.status
  }

  @Test(arguments: [
    ([], 201),
    ([("Origin", "http://lab.example:8080")], 201), ([("Origin", "HTTP://LAB.example:8080")], 201),
    ([("Origin", "https://lab.example:8080")], 403), ([("Origin", "http://lab.example")], 403),
    ([("Origin", "http://lab.example:80")], 403), ([("Origin", "http://lab.example:8081")], 403),
    ([("Origin", "http://evil.example:8080")], 403), ([("Origin", "null")], 403), ([("Origin", "")], 403),
    ([("Origin", "http://lab.example:8080.evil.example")], 403),
    ([("Origin", "http://lab.example:8080@evil.example")], 403),
    ([("Origin", "http://evil.example@lab.example:8080")], 403),
    ([("Origin", "http://lab.example:8080/")], 403), ([("Origin", "http://lab.example.:8080")], 403),
    ([("Origin", "http://lab.example\u{301}:8080")], 403), ([("Origin", "//lab.example:8080")], 403),
    ([("Origin", "chrome-extension://lab.example:8080")], 403),
    ([("Origin", "http://lab.example:8080"), ("Origin", "http://evil.example")], 403),
    ([("Origin", "https://friend.example")], 201), ([("Origin", "https://friend.example:443")], 201),
    ([("Origin", "http://friend.example")], 403), ([("Origin", "https://friend.example:8443")], 403),
    ([("Origin", "https://friend.example"), ("Sec-Fetch-Site", "cross-site")], 201),
    ([("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")], 403),
    ([("Origin", "http://evil.example"), ("Sec-Fetch-Site", "none")], 403),
    ([("Sec-Fetch-Site", "same-origin")], 201), ([("Sec-Fetch-Site", "none")], 201),
    ([("Sec-Fetch-Site", "cross-site")], 403), ([("Sec-Fetch-Site", "same-site")], 403),
    ([("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")], 403),
    (
      [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")], 403
    ),
  ])
  func `may change something if they are the daemon's own or listed`(
    fields: [(String, String)], expected: Int
  ) throws {
    let control = try AccessFixture(asks: false, origins: ["https://friend.example"]).control()
    #expect(status(control, .post, "/jobs", fields) == expected)
  }

  @Test(
    arguments: ["cross-site", "same-site", "unknown", ""],
    ["/jobs", "/", "/js/main.js", "/healthz", "/session"])
  func `that are foreign may not even read, except by a link`(site: String, path: String) throws {
    let control = try AccessFixture(asks: false, origins: ["https://friend.example"]).control()
    func look(_ fields: [(String, String)], _ method: Method = .get) -> Int {
      status(control, method, path, [("Sec-Fetch-Site", site)] + fields)
    }
    #expect(look([]) == 403)
    #expect(look([("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]) == 403)
    #expect(look([("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")]) == 403)
    #expect(look([("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "object")]) == 403)
    #expect(look([("Sec-Fetch-Mode", "cors"), ("Origin", "https://evil.example")]) == 403)
    #expect(look([("Sec-Fetch-Mode", "cors"), ("Origin", "https://friend.example")]) < 300)
    let link = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    #expect(look(link) < 300)
    #expect(look(link, .head) < 300)
    #expect(control.instantResponse(to: request(.get, path, ("Sec-Fetch-Site", site))) == nil)
    #expect(status(control, .get, path, [("Sec-Fetch-Site", "same-origin")]) < 300)
  }

  @Test(arguments: [
    // The page was loaded over TLS, which a proxy has ended: the browser has to say that it is the same
    // origin.
    ("lab.example", false, "https://lab.example", "same-origin", 201),
    ("lab.example:8443", false, "https://lab.example:8443", "same-origin", 201),
    ("lab.example", false, "https://lab.example", nil, 403),
    ("lab.example", false, "https://lab.example", "none", 403),
    ("lab.example", false, "https://lab.example:8443", "same-origin", 403),
    ("lab.example:80", false, "https://lab.example", "same-origin", 403),
    // TLS of its own: a page without it is another origin, whatever it says.
    ("lab.example", true, "https://lab.example", nil, 201),
    ("lab.example:443", true, "https://lab.example", nil, 201),
    ("lab.example", true, "http://lab.example", nil, 403),
    ("lab.example", true, "http://lab.example", "same-origin", 403),
    ("lab.example", true, "http://lab.example:443", "same-origin", 403),
    ("lab.example:80", true, "https://lab.example", nil, 403),
  ])
  func `are equal in scheme, host and port`(
    authority: String, isSecure: Bool, origin: String, site: String?, expected: Int
  ) throws {
    let control = try AccessFixture(asks: false).control()
    let fields =
      [("Origin", origin), ("X-Forwarded-Proto", "https")] + (site.map { [("Sec-Fetch-Site", $0)] } ?? [])
    #expect(status(control, .post, "/jobs", fields, authority: authority, isSecure: isSecure) == expected)
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
        .options, "/jobs", ("Origin", "https://friend.example"), ("Access-Control-Request-Method", "POST"),
        ("Sec-Fetch-Site", "cross-site")))
    #expect(preflight.status == 204)
    #expect(preflight.headers["Access-Control-Allow-Headers"]?.string.contains("Idempotency-Key") == true)
  }

  @Test(arguments: [
    ("https://lab.example", true), ("http://[::1]:8080", true), ("https://LAB.example:443", true),
    ("moz-extension://0123", true), ("null", false), ("*", false), ("https://", false),
    ("https://a/b", false),
    ("https://a:b", false), ("https://a:65536", false), ("://a", false), ("https://a b", false),
    ("https://a:1:2", false),
  ])
  func `are listed as scheme, host and port`(text: String, isOrigin: Bool) {
    #expect((WebOrigin(ByteString(text)) != nil) == isOrigin)
  }
}
