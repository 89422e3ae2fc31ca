import Access
import Foundation
import Platform
import Testing

@Suite struct `Token file` {
  @Test func `has digests, and no eyes but its owner's`() throws {
    let fixture = try AccessFixture()
    let secret = try fixture.tokens.create(name: "a", role: .read)
    #expect(secret.hasPrefix("vicregd_") && secret.utf8.count == 72)
    let text = String(decoding: try File(fixture.tokens.path, .read).readAll(), as: UTF8.self)
    #expect(!text.contains(secret.dropFirst(8)))
    #expect(text.hasPrefix("a read "))
    let attributes = try FileManager.default.attributesOfItem(atPath: fixture.tokens.path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    let again = TokenFile(fixture.tokens.path)
    let grant = try #require(try again.grant(secret))
    #expect(grant.name == "a" && grant.role == .read)
    #expect(try again.grant(secret.uppercased()) == nil)
    #expect(try again.tokens().map(\.name) == ["a"])
  }

  @Test func `names are plain and their own`() throws {
    let fixture = try AccessFixture()
    let tokens = fixture.tokens
    _ = try tokens.create(name: "a", role: .read)
    #expect(throws: AccessError.nameTaken("a")) { try tokens.create(name: "a", role: .write) }
    for name in ["", "a b", "a\n", "é", String(repeating: "a", count: 65)] {
      #expect(throws: AccessError.badName(name)) { try tokens.create(name: name, role: .read) }
    }
    #expect(throws: AccessError.noSuchToken("b", known: ["a"])) { try tokens.revoke(name: "b") }
    try tokens.revoke(name: "a")
    #expect(try tokens.tokens().isEmpty)
  }

  @Test func `a line that is no token is told by its number`() throws {
    let fixture = try AccessFixture()
    _ = try fixture.tokens.create(name: "a", role: .read)
    let line = try File(fixture.tokens.path, .read).readAll()
    try AtomicFile.write(
      Array("# mine\n\n".utf8) + line + Array("b admin 0 0 0\n".utf8), to: fixture.tokens.path)
    #expect(throws: AccessError.malformedLine(path: fixture.tokens.path, number: 4)) {
      try fixture.tokens.tokens()
    }
  }
}
