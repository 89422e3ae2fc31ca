import Access
import HTTP
import Testing
import Text

@Suite struct `Hosts` {
  private static let rule = HostRule(names: ["Lab.example", "bücher.example"])

  @Test(arguments: [
    "localhost", "LOCALHOST:8080", "localhost.", "localhost.:8080", "localhost:", "lab.example",
    "LAB.EXAMPLE.",
    "lab.example:1", "127.0.0.1", "127.0.0.1:8080", "127.0.0.1.", "10.1.2.3:65535", "0.0.0.0", "[::1]:8080",
    "[::]", "[FE80::1]", "[::ffff:10.0.0.1]:80",
  ])
  func `of this daemon are answered`(host: String) throws {
    let control = try AccessFixture(asks: false, hosts: Self.rule).control()
    #expect(control.respond(to: request(.post, "/jobs", authority: host)).status == 201)
    #expect(control.admission(of: request(.post, "/jobs", authority: host)) == nil)
    #expect(control.instantResponse(to: request(.get, "/", authority: host)) != nil)
  }

  @Test(arguments: [
    "evil.example", "evil.example:8080", "localhost.evil.example", "lab.example.evil.example",
    "evil-lab.example",
    "127.0.0.1.evil.example", "sub.localhost", "sub.lab.example", "localhost..", ".localhost", "", ":8080",
    "0x7f.1", "127.1", "2130706433", "0177.0.0.1", "127.0.0.01", "127.0.0.256", "1.2.3.4.5", "[::1",
    "[lab.example]", "[::1].evil.example", "[1]", "%6cocalhost", "localhost%00", "lab\u{FF0E}example",
    "localhost\u{301}", "local\u{200B}host", "lab.example@evil.example", "lab.example:8080:1",
    "lab.example,evil",
  ])
  func `of others are not, whatever the path`(host: String) throws {
    let control = try AccessFixture(asks: false, hosts: Self.rule).control()
    for (method, path) in [(Method.post, "/jobs"), (.get, "/jobs"), (.get, "/"), (.get, "/healthz")] {
      #expect(control.respond(to: request(method, path, authority: host)).status == 421, "\(path)")
      #expect(control.admission(of: request(method, path, authority: host))?.status == 421)
      #expect(control.instantResponse(to: request(method, path, authority: host)) == nil)
    }
  }

  @Test func `must be named where there is a list`() throws {
    let strict = try AccessFixture(asks: false, hosts: Self.rule).control()
    #expect(strict.respond(to: request(.get, "/jobs", authority: nil)).status == 421)
    let open = try AccessFixture(asks: false).control()
    #expect(open.respond(to: request(.get, "/jobs", authority: nil)).status == 200)
    #expect(open.respond(to: request(.get, "/jobs", authority: "evil.example")).status == 200)
  }

  @Test func `are checked before the token`() throws {
    let fixture = try AccessFixture(hosts: Self.rule)
    let secret = try fixture.tokens.create(name: "a", role: .read)
    let bearer = ("Authorization", "Bearer \(secret)")
    let control = fixture.control()
    #expect(control.respond(to: request(.get, "/jobs", bearer, authority: "evil.example")).status == 421)
    #expect(control.respond(to: request(.get, "/jobs", bearer, authority: "127.0.0.1")).status == 200)
  }

  @Test(arguments: [
    ("lab.example", true), ("lab", true), ("10.0.0.1", true), ("[::1]", true), ("lab.example.", true),
    ("lab.example:80", false), ("lab.example:", false), ("*.lab.example", false), ("*", false), ("", false),
    ("::1", false), ("http://lab.example", false), ("lab example", false), ("[lab]", false),
  ])
  func `are listed without ports and patterns`(text: String, isHost: Bool) {
    #expect(HostRule.isHost(ByteString(text)) == isHost)
  }
}
