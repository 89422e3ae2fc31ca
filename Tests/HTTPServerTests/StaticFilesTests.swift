import Foundation
import Gzip
import HTTP
import HTTPServer
import Platform
import Testing

@Suite struct `Static files` {
  /// A folder `public` with files, and a secret beside it.
  private final class Site {
    let folder: String
    var root: String { "\(folder)/public" }
    static let script = String(repeating: "let a = 1;", count: 300)
    static let large = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    init() throws {
      folder = "\(FileSystem.temporaryDirectory)/static-\(ProcessID.own)-\(UInt64.random(in: .min ... .max))"
      try FileSystem.makeDirectories("\(root)/sub")
      for (name, text) in [
        ("secret.txt", "secret"), ("public/index.html", "<p>home"), ("public/sub/index.html", "<p>sub"),
        ("public/a b.js", "let a = 1"), ("public/script.js", Site.script), ("public/.hidden", "hidden"),
        ("public2", "beside"),
      ] {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
      }
      try Data(Site.large).write(to: URL(filePath: "\(root)/large.bin"))
      for (name, target) in [
        ("escape.txt", "\(folder)/secret.txt"), ("up", folder), ("inside.html", "index.html"),
      ] {
        try FileManager.default.createSymbolicLink(atPath: "\(root)/\(name)", withDestinationPath: target)
      }
    }

    deinit { try? FileSystem.removeTree(folder) }
  }

  private func withSite(
    _ configure: (inout ServerConfiguration) -> Void = { _ in }, freshSeconds: Double = 1,
    _ body: (Site, Client) throws -> Void
  ) throws {
    let site = try Site()
    let files = try StaticFiles(root: site.root, freshSeconds: freshSeconds)
    try withServer(
      configure, instant: { files.instantResponse(to: $0) }, handler: { try files.respond(to: $0) }
    ) { port in
      try body(site, Client(port: port))
    }
  }

  private func get(_ client: Client, _ path: String, _ fields: String = "") throws -> RawAnswer {
    client.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    return try client.answer()
  }

  @Test(arguments: [
    ("/", "<p>home", "text/html; charset=utf-8"), ("/index.html", "<p>home", "text/html; charset=utf-8"),
    ("/sub", "<p>sub", "text/html; charset=utf-8"), ("/sub/", "<p>sub", "text/html; charset=utf-8"),
    ("/a%20b.js", "let a = 1", "text/javascript; charset=utf-8"),
    ("/inside.html", "<p>home", "text/html; charset=utf-8"),
  ])
  func `are found with their type`(path: String, content: String, type: String) throws {
    try withSite { _, client in
      let answer = try get(client, path)
      #expect(answer.status == 200)
      #expect(answer.text == content)
      #expect(answer.fields["content-type"] == type)
      #expect(answer.fields["x-content-type-options"] == "nosniff")
    }
  }

  @Test(arguments: [
    "/../secret.txt", "/sub/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/%252e%252e%252fsecret.txt", "/..%5csecret.txt", "/....//secret.txt", "//secret.txt", "/sub//index.html",
    "/./index.html", "/escape.txt", "/up/secret.txt", "/.hidden", "/%2ehidden",
    "/nothing",
    "/index.html/", "/../public2", "/sub/%2e%2e/index.html", "/proc/self/environ", "/%2fetc%2fpasswd",
  ])
  func `lie inside the folder or are not found`(path: String) throws {
    try withSite { _, client in
      let answer = try get(client, path)
      #expect(answer.status == 404)
      #expect(!answer.text.contains("secret\n") && !answer.text.hasPrefix("secret"))
    }
  }

  @Test(arguments: ["/index.html%00.js", "/%00", "/%c0%ae%c0%ae/secret.txt", "/%u002e/x"])
  func `are not looked for by names that are no text`(path: String) throws {
    try withSite { _, client in
      let answer = try get(client, path)
      #expect(answer.status == 400)
    }
  }

  @Test func `are read only`() throws {
    try withSite { _, client in
      client.send("PUT /index.html HTTP/1.1\r\nHost: a\r\n\r\n")
      let answer = try client.answer()
      #expect(answer.status == 405)
      #expect(answer.fields["allow"] == "GET, HEAD, OPTIONS")
    }
  }

  @Test func `come from memory as long as the last look at them counts`() throws {
    for (freshSeconds, expected) in [(3_600.0, "<p>home"), (0, "<p>new!")] {
      try withSite(freshSeconds: freshSeconds) { site, client in
        for path in ["/", "/index.html", "/sub/"] { _ = try get(client, path) }
        try AtomicFile.write(Array("<p>new!".utf8), to: "\(site.root)/index.html")
        for path in ["/", "/index.html"] { #expect(try get(client, path).text == expected) }
        #expect(try get(client, "/sub/").text == "<p>sub")
        for path in ["/.hidden", "/..%2Fsecret.txt", "/escape.txt"] {
          #expect(try get(client, path).status == 404)
        }
      }
    }
  }

  @Test func `are sent once as long as they do not change`() throws {
    try withSite(freshSeconds: 0) { site, client in
      let tag = try #require(try get(client, "/large.bin").fields["etag"])
      #expect(try get(client, "/large.bin", "If-None-Match: \(tag)\r\n").status == 304)
      for content: [UInt8] in [[1, 2, 3], [4, 5, 6], [7]] {
        try AtomicFile.write(content, to: "\(site.root)/large.bin")
        let changed = try get(client, "/large.bin", "If-None-Match: \(tag)\r\n")
        #expect(changed.status == 200)
        #expect(changed.body == content)
      }
      try FileSystem.remove("\(site.root)/large.bin")
      let gone = try get(client, "/large.bin")
      #expect(gone.status == 404)
    }
  }

  @Test func `are sent in ranges`() throws {
    try withSite { site, client in
      let whole = try get(client, "/large.bin")
      #expect(whole.body == Site.large)
      let tag = try #require(whole.fields["etag"])
      let part = try get(client, "/large.bin", "Range: bytes=1000-1999\r\nIf-Range: \(tag)\r\n")
      #expect(part.status == 206)
      #expect(part.fields["content-range"] == "bytes 1000-1999/200000")
      #expect(part.body == Array(Site.large[1_000...1_999]))
      let parts = try get(client, "/large.bin", "Range: bytes=0-9,100000-149999\r\n")
      #expect(parts.status == 206)
      #expect(parts.fields["content-length"] == "\(parts.body.count)")
      #expect(parts.body.count > 50_010)
      #expect(try get(client, "/large.bin", "Range: bytes=200000-\r\n").status == 416)
      client.send("HEAD /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.answer(toHead: true).fields["content-length"] == "200000")
    }
  }

  @Test func `of any size go out in turns`() throws {
    try withSite { site, client in
      let bytes = 20 << 20
      try File("\(site.root)/sparse.bin", .createNew).truncate(to: bytes)
      let answer = try get(client, "/sparse.bin")
      #expect(answer.body == [UInt8](repeating: 0, count: bytes))
    }
  }

  @Test func `are compressed for who can read it`() throws {
    try withSite { site, client in
      let answer = try get(client, "/script.js", "Accept-Encoding: br, gzip;q=0.5\r\n")
      try Data(answer.body).write(to: URL(filePath: "\(site.folder)/answer.gz"))
      #expect(
        try Gzip.decompressFile("\(site.folder)/answer.gz", limitBytes: 10_000) == Array(Site.script.utf8))
      #expect(answer.fields["content-encoding"] == "gzip")
      #expect(answer.fields["vary"] == "Accept-Encoding")
      let tag = try #require(answer.fields["etag"])
      #expect(!tag.hasPrefix("W/") && tag.hasSuffix("+gzip\""))
      #expect(
        try get(client, "/script.js", "Accept-Encoding: gzip\r\nIf-None-Match: \(tag)\r\n").status == 304)
      for refused in ["", "Accept-Encoding: gzip;q=0\r\n", "Accept-Encoding: br\r\n"] {
        #expect(try get(client, "/script.js", refused).text == Site.script)
      }
      #expect(try get(client, "/index.html", "Accept-Encoding: gzip\r\n").text == "<p>home")
      #expect(try get(client, "/large.bin", "Accept-Encoding: gzip\r\n").body.count == 200_000)
    }
  }
}
