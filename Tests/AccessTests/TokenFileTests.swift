import Access
import Foundation
import Platform
import Synchronization
import Testing
import Text

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
    let grant = try #require(try again.grant(ByteString(secret)))
    #expect(grant.name == "a" && grant.role == .read)
    #expect(try again.grant(ByteString(secret.uppercased())) == nil)
    #expect(try again.tokens().map(\.name) == ["a"])
  }

  @Test func `names are plain and unique`() throws {
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

  @Test func `reports a malformed line by its number`() throws {
    let fixture = try AccessFixture()
    _ = try fixture.tokens.create(name: "a", role: .read)
    let line = try File(fixture.tokens.path, .read).readAll()
    try AtomicFile.write(
      Array("# mine\n\n".utf8) + line + Array("b admin 0 0 0\n".utf8), to: fixture.tokens.path)
    #expect(throws: AccessError.malformedLine(path: fixture.tokens.path, number: 4)) {
      try fixture.tokens.tokens()
    }
  }

  @Test func `loses none of twelve tokens that are created at the same time`() throws {
    let fixture = try AccessFixture()
    let path = fixture.tokens.path
    let secrets = Mutex<[String]>([])
    let threads = try (0..<12).map { index in
      try Thread(name: "create") {
        // What fails is missing below.
        guard let secret = try? TokenFile(path).create(name: "t\(index)", role: .read) else { return }
        secrets.withLock { $0.append(secret) }
      }
    }
    for thread in threads { thread.join() }
    let all = secrets.withLock { $0 }
    #expect(all.count == 12)
    #expect(Set(try fixture.tokens.tokens().map(\.name)) == Set((0..<12).map { "t\($0)" }))
    for secret in all { #expect(try fixture.tokens.grant(ByteString(secret)) != nil) }
  }

  @Test(arguments: 0..<6)
  func `a revocation beside a creation is not undone, nor is the creation lost`(round: Int) throws {
    let fixture = try AccessFixture()
    let path = fixture.tokens.path
    let old = try fixture.tokens.create(name: "old", role: .write)
    let threads = [
      try Thread(name: "revoke") { _ = try? TokenFile(path).revoke(name: "old") },
      try Thread(name: "create") { _ = try? TokenFile(path).create(name: "new", role: .write) },
    ]
    for thread in threads { thread.join() }
    #expect(try fixture.tokens.tokens().map(\.name) == ["new"])
    #expect(try fixture.tokens.grant(ByteString(old)) == nil)
  }

  @Test func `sees every change, also of the same length within one tick of the clock`() throws {
    let fixture = try AccessFixture()
    let writer = TokenFile(fixture.tokens.path)
    for _ in 0..<30 {
      let secret = ByteString(try writer.create(name: "a", role: .read))
      #expect(try fixture.tokens.grant(secret)?.isValid == true)
      try writer.revoke(name: "a")
      #expect(try fixture.tokens.grant(secret) == nil)
    }
  }

  @Test func `has one salt, so that a wrong token costs one hash`() throws {
    let fixture = try AccessFixture()
    for index in 0..<20 { _ = try fixture.tokens.create(name: "t\(index)", role: .read) }
    let text = ByteString(decoding: try File(fixture.tokens.path, .read).readAll())
    let lines = text.split(0x0A).map { $0.split(0x20) }
    #expect(Set(lines.map { $0[2] }).count == 1)
    #expect(Set(lines.map { $0[3] }).count == 20)
  }

  @Test func `keeps comments, and has a limit`() throws {
    let fixture = try AccessFixture()
    let path = fixture.tokens.path
    _ = try fixture.tokens.create(name: "a", role: .read)
    let line = ByteString(decoding: try File(path, .read).readAll())
    try AtomicFile.write(Array("# mine\n\n\(line)".utf8), to: path)
    _ = try fixture.tokens.create(name: "b", role: .read)
    try fixture.tokens.revoke(name: "a")
    let text = ByteString(decoding: try File(path, .read).readAll())
    #expect(text.hasPrefix("# mine\n\nb read ") && text.hasSuffix("Z\n"))
    let fields = try #require(text.split(0x0A).last).split(0x20)
    let many = (0..<TokenFile.tokensMax).map {
      "t\($0) \(fields[1]) \(fields[2]) \(fields[3]) \(fields[4])\n"
    }
    try AtomicFile.write(Array(many.joined().utf8), to: path)
    #expect(throws: AccessError.tooManyTokens(max: TokenFile.tokensMax)) {
      try fixture.tokens.create(name: "b", role: .read)
    }
  }

  @Test(arguments: [
    "a read 0 0 2026", "a admin SALT DIGEST 2026", "a b read SALT DIGEST 2026", "a read SALT DIGEST 2026 ",
    "a\u{301} read SALT DIGEST 2026", "a read SALT DIGEST \u{1B}[2J", "a read SALT DIGES\u{301}T 2026",
    "\u{FEFF}",
    "a read SALT DIGEST 2026\r",
  ])
  func `takes nothing but its own form for a token`(line: String) throws {
    let fixture = try AccessFixture()
    let text = line.replacing("SALT", with: String(repeating: "0", count: 32))
      .replacing("DIGEST", with: String(repeating: "0", count: 64))
    try AtomicFile.write(Array("\(text)\n".utf8), to: fixture.tokens.path)
    #expect(throws: AccessError.malformedLine(path: fixture.tokens.path, number: 1)) {
      try fixture.tokens.tokens()
    }
  }

  @Test func `is a regular file of a bounded size`() throws {
    let fixture = try AccessFixture()
    try FileSystem.makeDirectories("\(fixture.folder)/other")
    #expect(throws: SystemError.self) { try TokenFile("\(fixture.folder)/other").tokens() }
    try AtomicFile.write([UInt8](repeating: 0x23, count: (1 << 20) + 1), to: fixture.tokens.path)
    #expect(throws: SystemError.self) { try fixture.tokens.tokens() }
    // A path of which nothing can be known is not a file without tokens.
    #expect(throws: SystemError.self) { try TokenFile("\(fixture.tokens.path)/tokens").tokens() }
  }
}
