import JSONText
import Platform
import Testing

@Suite struct `Access to the daemon` {
  /// Runs the program to its end; what it writes on both streams comes back.
  private func run(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (code: ChildProcess.Ending, text: String) {
    let path = "\(FileSystem.temporaryDirectory)/vicregd-cli-\(UInt64.random(in: 0 ... .max))"
    let code = try ChildProcess(
      try Daemon.program(), arguments, environment: environment, logPath: path
    ).wait()
    defer { try? FileSystem.remove(path) }
    return (code, String(decoding: try File(path, .read).readAll(), as: UTF8.self))
  }

  @Test func `tokens are made, listed and revoked`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-token-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(data) }
    let made = try run(["token", "create", "--name", "ci", "--role", "read", "--data", data])
    #expect(made.code == .exited(code: 0))
    #expect(made.text.hasPrefix("vicregd_") && made.text.utf8.count == 73)
    #expect(try run(["token", "list", "--data", data]).text.hasPrefix("ci\tread\t"))
    #expect(try run(["token", "create", "--name", "ci", "--data", data]).text.contains("already"))
    #expect(try run(["token", "revoke", "--name", "cy", "--data", data]).text.contains("there are ci"))
    #expect(try run(["token", "revoke", "--name", "ci", "--data", data]).code == .exited(code: 0))
    #expect(try run(["token", "list", "--data", data]).text.isEmpty)
    #expect(try run(["token", "create", "--data", data]).text.contains("--name is missing"))
    #expect(try FileSystem.list(data).sorted() == ["tokens", "tokens.lock"])
    #expect(try run(["token", "creat"]).text.contains("usage: vicregd token"))
    #expect(try run(["serve", "--tls-cert", "x"]).text.contains("go together"))
  }

  @Test func `a daemon with tokens answers only who has one`() throws {
    let daemon = try Daemon()
    let secret = try run(["token", "create", "--name", "a", "--data", daemon.data]).text.dropLast()
    // It was started without tokens on this machine alone, and goes on to ask nobody.
    #expect(try daemon.request("GET", "/jobs").status == 200)
    daemon.send(.terminate)
    _ = try daemon.ending()
    try daemon.start()
    let refusal = try daemon.request("GET", "/jobs")
    #expect(refusal.status == 401)
    #expect(refusal.fields["www-authenticate"] == "Bearer realm=\"vicregd\"")
    #expect(try daemon.request("GET", "/healthz").status == 200)
    #expect(try daemon.request("GET", "/").status == 200)
    let path = "\(daemon.data)/curl.txt"
    let curl = try ChildProcess(
      "/usr/bin/curl",
      ["-sS", "-H", "Authorization: Bearer \(secret)", "http://127.0.0.1:\(daemon.port)/jobs"], logPath: path)
    #expect(try curl.wait() == .exited(code: 0))
    #expect(try JSON.parse(File(path, .read).readAll())["jobs"] == [])
  }

  @Test func `a token for a folder that nobody named says which it is`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd token-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(data)
    defer { try? FileSystem.removeTree(data) }
    // The default is a folder of the working directory, which a shell can choose.
    let path = "\(data)/both.txt"
    let code = try ChildProcess(
      "/bin/sh",
      [
        "-c", "cd \"$0\" && \"$1\" token create --name a >secret.txt && cat secret.txt", data,
        try Daemon.program(),
      ], environment: [:], logPath: path
    ).wait()
    #expect(code == .exited(code: 0))
    let text = String(decoding: try File(path, .read).readAll(), as: UTF8.self)
    let folder = try FileSystem.resolve("\(data)/.data")
    #expect(text.contains("vicregd serve --data '\(folder)'\n"), "\(text)")
    let secret = String(decoding: try File("\(data)/secret.txt", .read).readAll(), as: UTF8.self)
    #expect(secret.hasPrefix("vicregd_") && secret.utf8.count == 73)
    #expect(try TokenNames(folder).all == ["a"])
    #expect(!(try run(["token", "create", "--name", "b", "--data", folder]).text.contains("serve")))
  }

  @Test func `twelve processes that create tokens at the same time lose none`() throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-token-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(data) }
    try FileSystem.makeDirectories(data)
    let names = (0..<12).map { "t\($0)" }
    let processes = try names.map {
      try ChildProcess(
        try Daemon.program(), ["token", "create", "--name", $0, "--data", data], environment: [:],
        logPath: "\(data)/\($0).txt")
    }
    for process in processes { #expect(try process.wait() == .exited(code: 0)) }
    #expect(try TokenNames(data).all.sorted() == names.sorted())
    // Six are revoked while six others are created.
    let changes = try (0..<6).flatMap { index in
      try [["revoke", "--name", "t\(index)"], ["create", "--name", "n\(index)"]].map {
        try ChildProcess(
          try Daemon.program(), ["token"] + $0 + ["--data", data], environment: [:],
          logPath: "\(data)/\($0[2]).txt")
      }
    }
    for process in changes { #expect(try process.wait() == .exited(code: 0)) }
    let left = names.dropFirst(6) + (0..<6).map { "n\($0)" }
    #expect(try TokenNames(data).all.sorted() == left.sorted())
  }

  @Test func `a page cannot reach a daemon without tokens by a name of its own`() throws {
    let daemon = try Daemon(
      arguments: ["--host", "0.0.0.0", "--insecure-no-auth", "--allowed-hosts", "lab.example"])
    let job = #"{"kind": "train", "spec": {"dataset": {"name": "synthetic"}}}"#
    func status(_ method: String, _ path: String, _ fields: (name: String, value: String)...) throws -> Int {
      try daemon.request(method, path, method == "POST" ? job : nil, fields: fields).status
    }
    let own = "127.0.0.1:\(daemon.port)"
    for host in ["evil.example", "evil.example:\(daemon.port)", "0x7f.1", "2130706433", ""] {
      #expect(try status("POST", "/jobs?dry_run=true", ("Host", host), ("Origin", "http://\(host)")) == 421)
      for path in ["/jobs", "/", "/js/main.js", "/healthz", "/session"] {
        #expect(try status("GET", path, ("Host", host)) == 421, "\(host) \(path)")
      }
    }
    for host in [own, "localhost", "LAB.example.:1", "[::1]:80", "192.0.2.1"] {
      #expect(try status("GET", "/jobs", ("Host", host)) == 200, "\(host)")
    }
    #expect(try status("POST", "/jobs?dry_run=true", ("Origin", "http://\(own)")) == 200)
    for origin in ["http://evil.example", "https://\(own)", "http://127.0.0.1", "null"] {
      #expect(try status("POST", "/jobs?dry_run=true", ("Origin", origin)) == 403, "\(origin)")
    }
    #expect(try status("GET", "/datasets/synthetic", ("Sec-Fetch-Site", "cross-site")) == 403)
    #expect(try status("GET", "/js/main.js", ("Sec-Fetch-Site", "same-site")) == 403)
    #expect(try status("GET", "/js/main.js", ("Sec-Fetch-Site", "same-origin")) == 200)
  }

  @Test(arguments: [
    (["--allowed-hosts", "*"], "--allowed-hosts * needs access tokens"),
    (["--allowed-hosts", "a, *", "--host", "0.0.0.0", "--insecure-no-auth"], "needs access tokens"),
    (["--allowed-hosts", "lab.example:80"], "host names without ports"),
    (["--allowed-hosts", "*.lab.example"], "host names without ports"),
    (["--allowed-origins", "lab.example"], "must be origins such as"),
    (["--allowed-origins", "null"], "must be origins such as"),
    (["--insecure-no-auth", "--create-token"], "exclude each other"),
    (["--host", "0.0.0.0"], "--create-token"),
  ])
  func `a daemon that anyone could use does not start`(arguments: [String], hint: String) throws {
    let data = "\(FileSystem.temporaryDirectory)/vicregd-open-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(data) }
    let output = try run(["serve", "--port", "0", "--data", data] + arguments)
    #expect(output.code == .exited(code: 2))
    #expect(output.text.contains(hint), "\(output.text)")
  }

  @Test func `the first start prints an address that signs in, and later starts do not`() throws {
    let daemon = try Daemon(arguments: ["--host", "0.0.0.0", "--create-token"])
    let address = try eventually { try Printed(daemon).address }
    #expect(address.hasPrefix("http://127.0.0.1:\(daemon.port)/#token=vicregd_"))
    let secret = String(try #require(address.split(separator: "=").last))
    #expect(try daemon.request("GET", "/jobs").status == 401)
    let login = try daemon.request("POST", "/session", fields: [("Authorization", "Bearer \(secret)")])
    #expect(login.status == 200 && login.text.contains("\"role\":\"write\""))
    daemon.send(.terminate)
    _ = try daemon.ending()
    try daemon.start()
    #expect(try daemon.request("GET", "/jobs", fields: [("Authorization", "Bearer \(secret)")]).status == 200)
    #expect(try Printed(daemon).address == nil)
    #expect(try TokenNames(daemon.data).all == ["first"])
  }

  @Test func `a session lives from sign-in to sign-out or revocation`() throws {
    let daemon = try Daemon(arguments: ["--create-token"])
    let address = try eventually { try Printed(daemon).address }
    let bearer = ("Authorization", "Bearer \(try #require(address.split(separator: "=").last))")
    func signIn() throws -> (name: String, value: String) {
      let answer = try daemon.request("POST", "/session", fields: [bearer])
      let cookies = try #require(answer.cookies.first)
      return ("Cookie", String(cookies.prefix { $0 != ";" }))
    }
    let cookie = try signIn()
    #expect(cookie.value.hasPrefix("vicregd_session="))
    #expect(try daemon.request("GET", "/jobs", fields: [cookie]).status == 200)
    for path in ["/version", "/openapi.json"] {
      #expect(try daemon.request("GET", path).status == 401)
      #expect(try daemon.request("GET", path, fields: [cookie]).status == 200)
    }
    for path in ["/healthz", "/readyz", "/", "/session"] {
      #expect(try daemon.request("GET", path).status == 200, "\(path)")
    }
    #expect(try daemon.request("DELETE", "/session", fields: [cookie]).status == 204)
    #expect(try daemon.request("GET", "/jobs", fields: [cookie]).status == 401)
    let second = try signIn()
    #expect(try daemon.request("GET", "/jobs", fields: [second]).status == 200)
    #expect(try run(["token", "revoke", "--name", "first", "--data", daemon.data]).code == .exited(code: 0))
    #expect(try daemon.request("GET", "/jobs", fields: [second]).status == 401)
    #expect(try daemon.request("GET", "/jobs", fields: [bearer]).status == 401)
  }

  @Test func `what lasts ends when its token is revoked or its session ends`() throws {
    let daemon = try Daemon(arguments: ["--create-token"])
    let address = try eventually { try Printed(daemon).address }
    let bearer = ("Authorization", "Bearer \(try #require(address.split(separator: "=").last))")
    let login = try daemon.request("POST", "/session", fields: [bearer])
    let cookie = ("Cookie", String(try #require(login.cookies.first).prefix { $0 != ";" }))
    /// A connection on which a stream has begun.
    func stream(_ field: (String, String)) throws -> Socket {
      let socket = try Socket.connect(host: "127.0.0.1", port: daemon.port, timeoutSeconds: 120)
      let head = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\(field.0): \(field.1)\r\n\r\n"
      _ = socket.write(Array(head.utf8))
      var piece = [UInt8](repeating: 0, count: 4_096)
      guard case .moved(let count) = socket.read(into: &piece) else { throw Answer.Missing() }
      #expect(String(decoding: piece[..<count], as: UTF8.self).hasPrefix("HTTP/1.1 200"))
      return socket
    }
    /// Whether the daemon ends the connection before the time-out of the socket.
    func ends(_ socket: Socket) -> Bool {
      var piece = [UInt8](repeating: 0, count: 4_096)
      while true {
        switch socket.read(into: &piece) {
        case .moved: continue
        case .wouldBlock: return false
        case .ended: return true
        }
      }
    }
    let (bySession, byToken) = (try stream(cookie), try stream(bearer))
    #expect(try daemon.request("DELETE", "/session", fields: [cookie]).status == 204)
    #expect(ends(bySession))
    #expect(try daemon.request("GET", "/jobs", fields: [bearer]).status == 200)
    #expect(try run(["token", "revoke", "--name", "first", "--data", daemon.data]).code == .exited(code: 0))
    #expect(ends(byToken))
  }

  @Test func `a key that everybody can read is warned of`() throws {
    let folder = "\(FileSystem.temporaryDirectory)/vicregd-key-\(UInt64.random(in: 0 ... .max))"
    try FileSystem.makeDirectories(folder)
    defer { try? FileSystem.removeTree(folder) }
    try AtomicFile.write([], to: "\(folder)/key.pem")
    _ = try ChildProcess("/bin/chmod", ["0644", "\(folder)/key.pem"], logPath: "\(folder)/chmod.txt").wait()
    // The empty key is refused after the warning, so nothing goes on running.
    let flags = ["--tls-cert", "\(folder)/key.pem", "--tls-key", "\(folder)/key.pem"]
    let output = try run(["serve", "--port", "0", "--data", "\(folder)/data"] + flags)
    #expect(output.text.contains("has mode 0644: other users of this machine can read"), "\(output.text)")
  }
}

/// The tokens of a data folder, as the file has them.
private struct TokenNames {
  let all: [String]

  init(_ data: String) throws {
    let text = String(decoding: try File("\(data)/tokens", .read).readAll(), as: UTF8.self)
    all = text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
  }
}

/// What a daemon has printed for people.
private struct Printed {
  /// The address that signs in; nil if there is none.
  let address: String?

  init(_ daemon: Daemon) throws {
    let text = String(decoding: try File(daemon.output, .read).readAll(), as: UTF8.self)
    // Its line is whole once there is a newline.
    address = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
      .map { $0.trimmingPrefix { $0 == " " } }.first { $0.contains("/#token=") }.map(String.init)
  }
}
