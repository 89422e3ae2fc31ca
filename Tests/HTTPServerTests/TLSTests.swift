import Crypto
import HTTP
import HTTPServer
import Platform
import Synchronization
import Testing

/// Against curl and openssl, which the tests of TLS take from the system.
@Suite struct `TLS` {
  /// A folder with a certificate for localhost.
  private final class Certificate {
    let folder: String
    var certificatePath: String { "\(folder)/cert.pem" }
    var keyPath: String { "\(folder)/key.pem" }

    init() throws {
      folder = "\(FileSystem.temporaryDirectory)/vicregd-tls-\(UInt64.random(in: .min ... .max))"
      try FileSystem.makeDirectories(folder)
      _ = try TLS.run(
        "/usr/bin/openssl",
        [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
          "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
          "-keyout", keyPath, "-out", certificatePath,
        ])
    }

    deinit { try? FileSystem.removeTree(folder) }

    func context() throws -> TLSContext {
      try TLSContext(certificatePath: certificatePath, keyPath: keyPath)
    }
  }

  /// Runs a program to its end and gives everything that it wrote.
  private static func run(_ program: String, _ arguments: [String]) throws -> String {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-run-\(UInt64.random(in: .min ... .max))"
    _ = try ChildProcess(program, arguments, logPath: path).wait()
    defer { try? FileSystem.remove(path) }
    return String(decoding: try File(path, .read).readAll(), as: UTF8.self)
  }

  private func curl(_ certificate: Certificate, _ port: Int, _ path: String, _ more: String...) throws
    -> String
  {
    try Self.run(
      "/usr/bin/curl",
      ["-sS", "--max-time", "20", "--cacert", certificate.certificatePath] + more
        + ["https://localhost:\(port)\(path)"])
  }

  @Test(arguments: ["--tlsv1.2", "--tlsv1.3"])
  func `carries requests, bodies and files of any size`(version: String) throws {
    let certificate = try Certificate()
    let context = try certificate.context()
    let large = "\(certificate.folder)/large"
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
    try AtomicFile.write(bytes, to: large)
    let handler: Handler = { request in
      if request.segments == ["large"] {
        return Response(body: .file(path: large, offset: 0, count: bytes.count))
      }
      let text = "\(request.isSecure) \(request.peer) \(request.body.count)"
      return Response(contentType: "text/plain", bytes: Array(text.utf8))
    }
    try withServer({ $0.tls = context }, handler: handler) { port in
      #expect(try curl(certificate, port, "/a", version, "--http1.1") == "true 127.0.0.1 0")
      #expect(
        try curl(certificate, port, "/a", version, "--data-binary", "@\(large)") == "true 127.0.0.1 3000000")
      let copy = "\(certificate.folder)/copy"
      #expect(try curl(certificate, port, "/large", version, "-o", copy) == "")
      #expect(try File(copy, .read).readAll() == bytes)
      // Two requests on one connection.
      let both = try curl(
        certificate, port, "/a", version, "-w", "%{num_connects}", "https://localhost:\(port)/b",
        "-o", "/dev/null")
      #expect(both.contains("0"))
    }
  }

  @Test func `refuses old versions, other protocols and plain text`() throws {
    let certificate = try Certificate()
    let context = try certificate.context()
    try withServer({ $0.tls = context }) { port in
      #expect(
        try curl(certificate, port, "/", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0").contains("curl:")
      )
      let foreign = try Self.run(
        "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-alpn", "h2"])
      #expect(foreign.contains("no application protocol"))
      let own = try Self.run(
        "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-alpn", "h2,http/1.1"])
      #expect(own.contains("ALPN protocol: http/1.1"))
      let plain = try Client(port: port)
      plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(!String(decoding: plain.rest(), as: UTF8.self).contains("HTTP/1.1 200"))
      #expect(try curl(certificate, port, "/still") == "GET still ")
    }
  }

  @Test func `gives up a handshake that does not come`() throws {
    let context = try Certificate().context()
    try withServer({
      $0.tls = context
      $0.timeouts.headerSeconds = 0.1
    }) { port in
      let silent = try Client(port: port)
      #expect(silent.rest().isEmpty)
      let slow = try Client(port: port)
      slow.send([0x16, 0x03, 0x01])
      _ = slow.rest()
    }
  }

  @Test func `shows a new certificate without a restart`() throws {
    let (old, new) = (try Certificate(), try Certificate())
    var configuration = ServerConfiguration()
    configuration.tls = try old.context()
    let server = HTTPServer(configuration, handler: echo)
    let port = try server.start()
    defer { server.stop(graceSeconds: 2) }
    #expect(try curl(old, port, "/a") == "GET a ")
    server.replaceCertificate(by: try new.context())
    #expect(try curl(new, port, "/a") == "GET a ")
    #expect(try curl(old, port, "/a").contains("curl: (60)"))
  }

  @Test func `names the file that is wrong`() throws {
    let (one, other) = (try Certificate(), try Certificate())
    let error = #expect(throws: CryptoError.self) {
      try TLSContext(certificatePath: "/no/such", keyPath: one.keyPath)
    }
    #expect(error?.description.contains("/no/such") == true)
    let mixed = #expect(throws: CryptoError.self) {
      try TLSContext(certificatePath: one.certificatePath, keyPath: other.keyPath)
    }
    #expect(mixed?.description.contains(other.keyPath) == true)
  }
}
